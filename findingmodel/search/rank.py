"""Score candidates and put them in order: pure, total, and the same for every store.

Every word of a query has a weight w (`findingmodel.search.expansion`), and for an entry a match m from 0 to
1, which is the quality of its best expansion times the weight of the field where it is found. With W the sum
of all w:

    coverage of an entry    C = sum(w m) / W                over all fields
    coverage of a label     A = sum(w m) / W                in the name or in one synonym
    coverage by the query   B = weight of the label's matched words / weight of all its words
    score                     = 0.65 max(f A B^0.6) + 0.35 C    maximum over the labels, f the field's weight

A synonym that has all words of the query weighs as much as a name. A label that equals the query, word for
word, scores more than 1.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.query import NUMBER_WEIGHT
from findingmodel.text.terms import BETWEEN, importance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from findingmodel.search.expansion import Plan
    from findingmodel.stores.records import Candidate
    from findingmodel.text.terms import Terms

    _Fields = tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]

EXACT = 1.0
"""The lowest score of an exact match."""
BY_ID = 2.0
AS_TYPED = {"id": BY_ID, "name": 1.9, "slug": 1.8, "synonym": 1.7}  # the field equals the query but for case
_EXACT_NAME, _EXACT_SYNONYM = 1.2, 1.1  # it does so after analysis
_MAX_INEXACT = 0.999

NAME, SYNONYM = 1.0, 0.9
FIELDS = (("name", NAME), ("synonym", SYNONYM), ("description", 0.45), ("other", 0.5))
LABEL_SHARE = 0.65
_DIGITS = 9  # the sum of the same numbers in another order differs only after these
_BY_QUERY = 0.6  # exponent of B
_PARTLY = 2.5  # exponent of the share of an expansion to several tokens
_UNKNOWN_IN_SENTENCE = 0.3
_MIN_LABEL_WEIGHT = 0.05

# The least coverage of the best hits, or there are none.
_FLOOR = 0.35
_FLOOR_UNKNOWN = 0.45  # a word that no entry has may well be the finding
_FLOOR_SENTENCE = 0.3
_FLOOR_BELOW_BEST = 0.2  # of the best score
_BEST = 3  # the entry that covers most of the query may be second, after one with a better name


class Ranked(NamedTuple):
    """A candidate with its score.

    Attributes:
        candidate: the entry.
        score: greater is better; 1 and more is an exact match.
        coverage: C, from 0 to 1.
        label: the number of the label that matches best: 0 is the name, 1 the first synonym, -1 none.
    """

    candidate: Candidate
    score: float
    coverage: float
    label: int


def rank(plan: Plan, candidates: Iterable[Candidate]) -> list[Ranked]:
    """Return the candidates that answer the query of *plan*, best first, each once.

    Ties are broken by ``oifm_id``. Entries are left out that lack a phrase of the query or have an excluded
    one, or that score next to nothing beside the best. If the best cover too little of the query, nothing
    answers it. Numbers alone find only what is named so.
    """
    found = sorted(_scored(plan, candidates).values(), key=_order)
    if plan.words and max([ranked.coverage for ranked in found[:_BEST]], default=0.0) < _floor(plan):
        return []
    least = min(found[0].score, EXACT) * _FLOOR_BELOW_BEST if found else 0.0
    return [ranked for ranked in found if ranked.score >= least]


def _scored(plan: Plan, candidates: Iterable[Candidate]) -> dict[str, Ranked]:
    """Return by id the candidates that the query does not exclude."""
    scorer = Scorer(plan)
    has_phrases = bool(plan.query.phrases or plan.query.excluded)
    best: dict[str, Ranked] = {}
    for candidate in candidates:
        if has_phrases and _is_excluded(plan, candidate.terms):
            continue
        ranked = scorer.score(candidate)
        if candidate.confidence:
            ranked = _fused(ranked)
        known = best.get(candidate.oifm_id)
        if known is None or ranked.score > known.score:
            best[candidate.oifm_id] = ranked
    return best


def _fused(ranked: Ranked) -> Ranked:
    """Return *ranked* with the confidence of its source as further evidence, independent of the words."""
    if ranked.score >= EXACT:
        return ranked
    doubt = 1 - ranked.candidate.confidence
    return ranked._replace(
        score=round(1 - (1 - ranked.score) * doubt, _DIGITS), coverage=1 - (1 - ranked.coverage) * doubt
    )


def _order(ranked: Ranked) -> tuple[float, str]:
    return (-ranked.score, ranked.candidate.oifm_id)


def _floor(plan: Plan) -> float:
    if all(word.weight <= NUMBER_WEIGHT for word in plan.words):
        return 1.0
    if plan.query.narrative:
        return _FLOOR_SENTENCE
    return _FLOOR_UNKNOWN if plan.unknown else _FLOOR


def _is_excluded(plan: Plan, terms: Terms) -> bool:
    query = plan.query
    if any(_has(phrase, terms[:2]) for phrase in query.excluded):
        return True
    return not all(_has(phrase, terms[:3]) for phrase in query.phrases)


def _has(phrase: Sequence[str], fields: Sequence[str]) -> bool:
    text = f" {' '.join(phrase)} "
    return any(text in f" {field} " for field in fields)


class _Label(NamedTuple):
    """A name or a synonym, analysed.

    Attributes:
        text: its tokens, as they stand.
        tokens: each once.
        weight: the sum of their weights.
    """

    text: str
    tokens: frozenset[str]
    weight: float


class _SplitTerms(NamedTuple):
    """The terms of an entry as sets.

    Attributes:
        labels: the name and the synonyms.
        fields: the tokens of each of `FIELDS`.
    """

    labels: tuple[_Label, ...]
    fields: _Fields


@lru_cache(maxsize=4_096)
def split_terms(terms: Terms) -> _SplitTerms:
    """Return *terms* as sets; cached, because many queries have the same candidates."""
    name, synonyms, description, other = terms
    labels = tuple(map(_label, [name, *synonyms.split(BETWEEN)] if synonyms else [name]))
    in_synonyms = frozenset[str]().union(*[label.tokens for label in labels[1:]])
    fields = (labels[0].tokens, in_synonyms, frozenset(description.split()), frozenset(other.split()))
    return _SplitTerms(labels, fields)


def _label(text: str) -> _Label:
    tokens, weight_of = frozenset(text.split()), _label_weights().get
    return _Label(text, tokens, sum([weight_of(token, 1.0) for token in tokens]))


class _Cover(NamedTuple):
    """What some tokens cover of a query.

    Attributes:
        places: how well, by place.
        share: the same as a weighted sum.
        weight: the weight of the tokens in a label.
    """

    places: dict[int, float]
    share: float
    weight: float


class Scorer:
    """Scores candidates for one plan.

    There are few sets of words and many candidates, so what a set covers is computed once. `score` looks in
    ``_covers`` before it calls `_cover`, because a call for each label would take longer than all else.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._weights = word_weights(plan)
        self._total = sum(self._weights) or 1.0
        self._single: dict[str, list[tuple[int, float]]] = {}  # by token, the places it covers and how well
        self._several: list[tuple[frozenset[str], tuple[int, ...], float]] = []
        self._quality: dict[str, float] = {}
        for expansion in plan.expansions:
            tokens, quality = expansion.tokens, expansion.quality
            if len(tokens) == 1:
                pairs = [(place, quality) for place in expansion.places]
                self._single.setdefault(tokens[0], []).extend(pairs)
            else:
                self._several.append((frozenset(tokens), expansion.places, quality))
            for token in tokens:
                self._quality[token] = max(quality, self._quality.get(token, 0.0))
        self._tokens = frozenset(self._quality)
        self._ids = plan.query.ids
        self._covers: dict[frozenset[str], _Cover] = {}
        self._coverages: dict[_Fields, float] = {}
        self._words = " ".join([word.token for word in plan.words])

    def score(self, candidate: Candidate) -> Ranked:
        """Return *candidate* with its score by words."""
        if candidate.oifm_id.lower() in self._ids:
            return Ranked(candidate, BY_ID, 1.0, 0)
        labels, fields = split_terms(candidate.terms)
        best, best_label = 0.0, -1
        for number, label in enumerate(labels):
            found = self._tokens & label.tokens
            if found:
                if label.text == self._plan.label:
                    return Ranked(candidate, _EXACT_SYNONYM if number else _EXACT_NAME, 1.0, number)
                cover = self._covers.get(found) or self._cover(found)
                field = SYNONYM if number and label.text != self._words else NAME
                score = field * cover.share * (cover.weight / label.weight) ** _BY_QUERY
                if score > best:
                    best, best_label = score, number
        coverage = self._coverage(fields)
        score = round(LABEL_SHARE * best + (1 - LABEL_SHARE) * coverage, _DIGITS)
        return Ranked(candidate, min(score, _MAX_INEXACT), coverage, best_label)

    def _cover(self, found: frozenset[str]) -> _Cover:
        """Return what the tokens *found* cover of the query."""
        places: dict[int, float] = {}
        for token in found:
            for place, quality in self._single.get(token, ()):
                if quality > places.get(place, 0.0):
                    places[place] = quality
        for tokens, covered, quality in self._several:
            some = tokens & found
            if some:
                value = partial_quality(quality, some, tokens)
                places.update((place, value) for place in covered if value > places.get(place, 0.0))
        weight_of = _label_weights().get
        weight = sum([weight_of(token, 1.0) * self._quality[token] for token in found])
        cover = self._covers[found] = _Cover(places, self._share(places), weight)
        return cover

    def _coverage(self, fields: _Fields) -> float:
        """Return how much of the query an entry with these *fields* covers."""
        name, synonyms, description, other = fields
        asked = self._tokens
        found = (asked & name, asked & synonyms, asked & description, asked & other)
        known = self._coverages.get(found)
        if known is not None:
            return known
        places: dict[int, float] = {}
        for tokens, (_, field) in zip(found, FIELDS, strict=True):
            for place, quality in (self._covers.get(tokens) or self._cover(tokens)).places.items():
                if quality * field > places.get(place, 0.0):
                    places[place] = quality * field
        coverage = self._coverages[found] = self._share(places)
        return coverage

    def _share(self, places: dict[int, float]) -> float:
        weights = self._weights
        return sum([weights[place] * value for place, value in places.items()]) / self._total


def word_weights(plan: Plan) -> list[float]:
    """Return the weight of each word; unknown words of a sentence are less likely to be findings."""
    if not plan.query.narrative:
        return list(plan.weights)
    return [
        weight * _UNKNOWN_IN_SENTENCE if place in plan.unknown else weight
        for place, weight in enumerate(plan.weights)
    ]


def partial_quality(quality: float, found: Collection[str], tokens: Collection[str]) -> float:
    """Return the *quality* of an expansion to *tokens* of which only some are *found*."""
    if len(found) == len(tokens):
        return quality
    share: float = _importance_of(found) / (_importance_of(tokens) or 1.0)
    left: float = quality * share**_PARTLY
    return left


def _importance_of(tokens: Collection[str]) -> float:
    importance_of = importance().get
    return sum([importance_of(token, 1.0) for token in tokens])


@cache
def _label_weights() -> dict[str, float]:
    """Return the weights of words in a label, where they are less than 1; even small words make it longer."""
    return {token: max(weight, _MIN_LABEL_WEIGHT) for token, weight in importance().items()}
