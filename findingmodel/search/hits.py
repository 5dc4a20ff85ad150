"""What a search returns: hits, and why each was found."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal, NamedTuple, Protocol

from findingmodel.search.lookup import match_field
from findingmodel.search.rank import BY_ID, DECIDING, EXACT, ranking_model, shares
from findingmodel.search.score import FIELDS, partial_quality, split_terms, word_weights
from findingmodel.text.normalize import tokenize
from findingmodel.text.stem import stem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.search.expansion import Plan
    from findingmodel.search.rank import Ranked
    from findingmodel.stores.records import EntryRow

_WHOLE = ("exact", "label")  # stages that compare whole names
_MORE_LIKELY_THAN_NOT = 0.5
_DIGITS = 9  # the sum of the same numbers in another order differs only after these
Status = Literal["matched", "ambiguous", "unmatched"]


class Match(NamedTuple):
    """One reason why a search found an entry.

    Attributes:
        stage: how the words of the query were expanded (`findingmodel.search.expansion.STAGES`); "exact" if
            the query as a whole equals the field, "label" for how well the best name or synonym as a whole
            fits the query, "filter" for what a filter by code found.
        field: where they were found: "id", "name", "slug", "synonym", "description", "code", or "other" for
            tags, attributes and initials.
        terms: what was found there, in the words of the entry; of a code its place ("model", "attribute" or
            "value"), and the id and the name of the part that carries it.
        score: what this adds to the score of the hit; the parts sum to the score.
    """

    stage: str
    field: str
    terms: tuple[str, ...]
    score: float


class HitRow(NamedTuple):
    """An entry that answers a query.

    Attributes:
        entry: the entry.
        score: greater is better; 1 and more is an exact match.
        matched: why it was found.
        negated: the query denies this finding, as in "no pneumothorax".
    """

    entry: EntryRow
    score: float
    matched: tuple[Match, ...]
    negated: bool = False


class _Scored(Protocol):
    """A hit, as a row or as a model."""

    @property
    def score(self) -> float: ...

    @property
    def matched(self) -> tuple[Match, ...]: ...


def status_of(hits: Sequence[_Scored]) -> Status:
    """Return whether *hits*, best first and at least `DECIDING` if there are as many, answer the query.

    They do, "matched", if the first is right in at least 95 of 100 cases. They do not, "unmatched", if hardly
    any of the first is likely to be right; else the query is "ambiguous". An exact match is matched unless
    another entry matches as exactly: models may share a synonym.
    """
    best = hits[0].score if hits else 0.0
    if best >= EXACT:
        second = hits[1].score if len(hits) > 1 else 0.0
        return "matched" if second < best else "ambiguous"
    model = ranking_model()
    if best >= model.matched:
        return "matched"
    likely = sum([hit.score for hit in hits[:DECIDING]])
    return "ambiguous" if best >= _MORE_LIKELY_THAN_NOT or likely >= model.unmatched else "unmatched"


def main_reason(hit: _Scored) -> Match | None:
    """Return the reason to show for *hit*, a whole name or synonym before words; None for a filter alone."""
    whole = [match for match in hit.matched if match.stage in _WHOLE]
    reasons = whole or hit.matched
    return reasons[0] if reasons else None


def explain(plan: Plan, ranked: Ranked, entry: EntryRow) -> tuple[Match, ...]:
    """Return why *entry* was found, the weightiest reason first; their scores sum to the entry's."""
    if ranked.score >= EXACT:
        return (_exact(plan, ranked, entry),)
    if ranked.evidence is None:
        return ()
    by_words, _ = shares(ranked, plan)
    matches = list(_by_words(plan, ranked, entry, by_words))
    rest = round(ranked.score - sum([match.score for match in matches]), _DIGITS)
    field = "synonym" if ranked.fit.number > 0 else "name"
    matches.append(Match("label", field, (_label(entry, ranked.fit.number),), rest))
    return tuple(sorted(matches, key=lambda match: -match.score))


def is_denied(plan: Plan, ranked: Ranked) -> bool:
    """Return whether the query denies most of what it says of this entry, as in "no pneumothorax"."""
    if not any(word.negated for word in plan.words):
        return False
    weights = word_weights(plan)
    found = _evidence(plan, ranked).items()
    denied = sum(weights[place] * best.value for place, best in found if plan.words[place].negated)
    return denied > sum(weights[place] * best.value for place, best in found) / 2


class _Evidence(NamedTuple):
    """The best match of one word of the query."""

    value: float
    stage: str
    field: str
    tokens: frozenset[str]


def _exact(plan: Plan, ranked: Ranked, entry: EntryRow) -> Match:
    if ranked.score >= BY_ID:
        return Match("exact", "id", (entry["oifm_id"],), ranked.score)
    field = match_field(plan.query.key, entry) or ("synonym" if ranked.fit.number else "name")
    return Match("exact", field, (_label(entry, ranked.fit.number),), ranked.score)


def _label(entry: EntryRow, number: int) -> str:
    return (entry["synonyms"] or [])[number - 1] if number > 0 else entry["name"]


def _by_words(plan: Plan, ranked: Ranked, entry: EntryRow, share: float) -> Iterator[Match]:
    """Yield the reasons by words, one for each field and stage; their scores sum to *share*."""
    weights = word_weights(plan)
    values: dict[tuple[str, str], float] = {}
    tokens: dict[tuple[str, str], set[str]] = {}
    for place, best in _evidence(plan, ranked).items():
        key = (best.stage, best.field)
        values[key] = values.get(key, 0.0) + weights[place] * best.value
        tokens.setdefault(key, set()).update(best.tokens)
    total = sum(values.values()) or 1.0
    for (stage, field), value in values.items():
        written = _written(tokens[stage, field], field, entry)
        yield Match(stage, field, written, round(share * value / total, _DIGITS))


def _evidence(plan: Plan, ranked: Ranked) -> dict[int, _Evidence]:
    """Return by place the best match of each word of the query that is found."""
    found: dict[int, _Evidence] = {}
    by_token = plan.by_token
    for (field, weight), tokens in zip(FIELDS, split_terms(ranked.candidate.terms).fields, strict=True):
        # In the order of the plan: the first of equals wins, and the order of a set differs by process.
        for token in [token for token in by_token if token in tokens]:
            for expansion in by_token[token]:
                some = (token,) if len(expansion.tokens) == 1 else tokens.intersection(expansion.tokens)
                value = partial_quality(expansion.quality, some, expansion.tokens) * weight
                for place in expansion.places:
                    if place not in found or value > found[place].value:
                        found[place] = _Evidence(value, expansion.stage, field, frozenset(some))
    return found


def _written(tokens: set[str], field: str, entry: EntryRow) -> tuple[str, ...]:
    """Return the words of a field of *entry* whose tokens these are, in its order."""
    initials = [token[1:].upper() for token in sorted(tokens) if token.startswith("_")]
    words = {
        token: word for text in _texts(field, entry) for token, word in _by_stem(text) if token in tokens
    }
    return (*words.values(), *initials)


@lru_cache(maxsize=8_192)
def _by_stem(text: str) -> tuple[tuple[str, str], ...]:
    """Return the words of *text* by their stems."""
    return tuple({stem(word): word for word in tokenize(text)}.items())


def _texts(field: str, entry: EntryRow) -> Sequence[str]:
    if field == "name":
        return (entry["name"],)
    if field == "synonym":
        return entry["synonyms"] or ()
    if field == "description":
        return (entry["description"] or "",)
    return (*(entry["tags"] or ()), *(attribute["name"] for attribute in entry["attributes"]))
