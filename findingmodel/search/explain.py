"""explain: why an entry was found, and what each reason adds to its score."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.search.hits import EXACT, Match
from findingmodel.search.lookup import match_field
from findingmodel.search.score import BY_ID, FIELDS, LABEL_SHARE, partial_quality, split_terms, word_weights
from findingmodel.text.normalize import tokenize
from findingmodel.text.stem import stem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.search.lookup import CodedElement
    from findingmodel.search.plan import Plan
    from findingmodel.search.score import Ranked
    from findingmodel.stores.records import EntryRow

__all__ = ["carried", "explain", "is_denied"]


class _Evidence(NamedTuple):
    """The best that speaks for one word of the query."""

    value: float
    stage: str
    field: str
    tokens: frozenset[str]


def explain(plan: Plan, ranked: Ranked, entry: EntryRow) -> tuple[Match, ...]:
    """Return why *entry* was found, the weightiest reason first; their scores add up to the entry's."""
    if ranked.score >= EXACT:
        return (_exact(plan, ranked, entry),)
    rows = list(_by_words(plan, ranked, entry))
    rest = ranked.score - sum([row.score for row in rows])
    if ranked.label >= 0:
        rows.append(
            Match("label", "synonym" if ranked.label else "name", (_label(entry, ranked.label),), rest)
        )
    return tuple(sorted(rows, key=lambda row: -row.score))


def carried(carrier: CodedElement) -> Match:
    """Return as a reason that a filter by code fits *carrier*; filters choose, and score nothing."""
    return Match("filter", "code", tuple(carrier), 0.0)


def is_denied(plan: Plan, ranked: Ranked) -> bool:
    """Return whether the query denies most of what it says of this entry, as in "no pneumothorax"."""
    if not any(word.negated for word in plan.words):
        return False
    weights = word_weights(plan)
    found = _evidence(plan, ranked).items()
    denied = sum(weights[place] * best.value for place, best in found if plan.words[place].negated)
    return denied > sum(weights[place] * best.value for place, best in found) / 2


def _exact(plan: Plan, ranked: Ranked, entry: EntryRow) -> Match:
    if ranked.score >= BY_ID:
        return Match("exact", "id", (entry["oifm_id"],), ranked.score)
    field = match_field(plan.query.key, entry) or ("synonym" if ranked.label else "name")
    return Match("exact", field, (_label(entry, ranked.label),), ranked.score)


def _label(entry: EntryRow, number: int) -> str:
    return (entry["synonyms"] or [])[number - 1] if number > 0 else entry["name"]


def _by_words(plan: Plan, ranked: Ranked, entry: EntryRow) -> Iterator[Match]:
    """Yield the reasons by words: one for each field and way of reading."""
    weights = word_weights(plan)
    total = sum(weights) or 1.0
    scores: dict[tuple[str, str], float] = {}
    tokens: dict[tuple[str, str], set[str]] = {}
    for place, best in _evidence(plan, ranked).items():
        key = (best.stage, best.field)
        scores[key] = scores.get(key, 0.0) + (1 - LABEL_SHARE) * weights[place] * best.value / total
        tokens.setdefault(key, set()).update(best.tokens)
    for (stage, field), score in scores.items():
        yield Match(stage, field, _written(tokens[stage, field], field, entry), score)


def _evidence(plan: Plan, ranked: Ranked) -> dict[int, _Evidence]:
    """Return by place what best speaks for each word of the query that is found at all."""
    found: dict[int, _Evidence] = {}
    by_token = plan.by_token
    for (field, weight), tokens in zip(FIELDS, split_terms(ranked.candidate.terms).fields, strict=True):
        # In the order of the plan: a set has another in every process, and of equals the first wins.
        for token in [token for token in by_token if token in tokens]:
            for reading in by_token[token]:
                some = (token,) if len(reading.tokens) == 1 else tokens.intersection(reading.tokens)
                value = partial_quality(reading.quality, some, reading.tokens) * weight
                for place in reading.places:
                    if place not in found or value > found[place].value:
                        found[place] = _Evidence(value, reading.stage, field, frozenset(some))
    return found


def _written(tokens: set[str], field: str, entry: EntryRow) -> tuple[str, ...]:
    """Return the words of a field of *entry* that stand behind *tokens*, in its order."""
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
