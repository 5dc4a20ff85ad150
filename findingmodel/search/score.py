"""Scorer: how well an entry answers a query. Pure.

Every word of a query has a weight w (`findingmodel.search.plan`), and for an entry a match m from 0 to 1,
which is the quality of its best reading times the weight of the field where it is found. With W the sum of
all w:

    coverage of an entry    C = sum(w m) / W                over all fields
    coverage of a label     A = sum(w m) / W                in the name or in one synonym
    coverage by the query   B = weight of the label's matched words / weight of all its words
    score                     = 0.65 max(f A B^0.6) + 0.35 C    maximum over the labels, f the field's weight

A synonym that is all that the query tells weighs as much as a name. A label that is the query, word for word,
scores more than 1.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.terms import BETWEEN, importance

if TYPE_CHECKING:
    from collections.abc import Collection

    from findingmodel.search.plan import Plan
    from findingmodel.stores.records import Candidate, Terms

    _Fields = tuple[frozenset[str], frozenset[str], frozenset[str], frozenset[str]]

__all__ = [
    "AS_TYPED",
    "BY_ID",
    "DIGITS",
    "FIELDS",
    "LABEL_SHARE",
    "Ranked",
    "Scorer",
    "partial_quality",
    "split_terms",
    "word_weights",
]

NAME, SYNONYM = 1.0, 0.9
FIELDS = (("name", NAME), ("synonym", SYNONYM), ("description", 0.45), ("other", 0.5))
LABEL_SHARE = 0.65
BY_ID = 2.0
AS_TYPED = {"id": BY_ID, "name": 1.9, "slug": 1.8, "synonym": 1.7}  # the field is the query but for case
EXACT_NAME, EXACT_SYNONYM = 1.2, 1.1  # it is so after analysis
DIGITS = 9  # sums of the same numbers in another order differ behind these
_MOST_INEXACT = 0.999
_BY_QUERY = 0.6  # exponent of B
_PARTLY = 2.5  # exponent of the share of a reading of several words
_UNKNOWN_IN_SENTENCE = 0.3
_LEAST_LABEL_WEIGHT = 0.05


class Ranked(NamedTuple):
    """A candidate with its score.

    Attributes:
        candidate: the entry as its source proposed it.
        score: greater is better; 1 and more is an exact match.
        coverage: C, from 0 to 1.
        label: the number of the label that matches best: 0 is the name, 1 the first synonym, -1 none.
    """

    candidate: Candidate
    score: float
    coverage: float
    label: int


class Cover(NamedTuple):
    """What some tokens cover of a query.

    Attributes:
        places: how well, by place.
        share: the same, weighed and summed up.
        weight: what the tokens weigh in a label.
    """

    places: dict[int, float]
    share: float
    weight: float


class Label(NamedTuple):
    """A name or a synonym, analysed.

    Attributes:
        text: its tokens, as they stand.
        tokens: each once.
        weight: what they weigh.
    """

    text: str
    tokens: frozenset[str]
    weight: float


class SplitTerms(NamedTuple):
    """The terms of an entry as sets.

    Attributes:
        labels: the name and the synonyms.
        fields: the tokens of each of `FIELDS`.
    """

    labels: tuple[Label, ...]
    fields: _Fields


@lru_cache(maxsize=4_096)
def split_terms(terms: Terms) -> SplitTerms:
    """Return *terms* taken apart; what many queries ask about is taken apart once."""
    name, synonyms, description, other = terms
    labels = tuple(map(_label, [name, *synonyms.split(BETWEEN)] if synonyms else [name]))
    in_synonyms = frozenset[str]().union(*[label.tokens for label in labels[1:]])
    fields = (labels[0].tokens, in_synonyms, frozenset(description.split()), frozenset(other.split()))
    return SplitTerms(labels, fields)


def _label(text: str) -> Label:
    tokens, weigh = frozenset(text.split()), _label_weights().get
    return Label(text, tokens, sum([weigh(token, 1.0) for token in tokens]))


class Scorer:
    """Scores candidates for one plan; the same words found again are not weighed again.

    There are few sets of words and many candidates: what a set covers is looked for in ``_covers`` before
    `_cover` is called, because a call for each would take longer than all else.
    """

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._weights = word_weights(plan)
        self._total = sum(self._weights) or 1.0
        self._single, self._several = _by_token(plan)
        self._quality: dict[str, float] = {}
        for reading in plan.readings:
            for token in reading.tokens:
                self._quality[token] = max(reading.quality, self._quality.get(token, 0.0))
        self._tokens = frozenset(self._quality)
        self._ids = plan.query.ids
        self._covers: dict[frozenset[str], Cover] = {}
        self._coverages: dict[_Fields, float] = {}
        self._telling = " ".join([word.token for word in plan.words])

    def score(self, candidate: Candidate) -> Ranked:
        """Return *candidate* with its score."""
        if candidate.oifm_id.lower() in self._ids:
            return Ranked(candidate, BY_ID, 1.0, 0)
        labels, fields = split_terms(candidate.terms)
        best, best_label = 0.0, -1
        for number, label in enumerate(labels):
            found = self._tokens & label.tokens
            if found:
                if label.text == self._plan.label:
                    return Ranked(candidate, EXACT_SYNONYM if number else EXACT_NAME, 1.0, number)
                cover = self._covers.get(found) or self._cover(found)
                field = SYNONYM if number and label.text != self._telling else NAME
                score = field * cover.share * (cover.weight / label.weight) ** _BY_QUERY
                if score > best:
                    best, best_label = score, number
        coverage = self._coverage(fields)
        score = round(LABEL_SHARE * best + (1 - LABEL_SHARE) * coverage, DIGITS)
        return Ranked(candidate, min(score, _MOST_INEXACT), coverage, best_label)

    def _cover(self, found: frozenset[str]) -> Cover:
        """Return what the tokens *found* cover of the query."""
        places: dict[int, float] = {}
        for token in found:
            for place, quality in self._single.get(token, ()):
                if quality > places.get(place, 0.0):
                    places[place] = quality
        for tokens, read, quality in self._several:
            some = tokens & found
            if some:
                value = partial_quality(quality, some, tokens)
                places.update((place, value) for place in read if value > places.get(place, 0.0))
        importances = _label_weights()
        weight = sum([importances.get(t, 1.0) * self._quality[t] for t in found])
        cover = Cover(places, self._share(places), weight)
        self._covers[found] = cover
        return cover

    def _coverage(self, fields: _Fields) -> float:
        """Return how much of the query an entry covers that has *fields*."""
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
    """Return how much each word tells; unknown words of a sentence are rather not about findings."""
    if not plan.query.narrative:
        return list(plan.weights)
    return [
        weight * _UNKNOWN_IN_SENTENCE if place in plan.unknown else weight
        for place, weight in enumerate(plan.weights)
    ]


def partial_quality(quality: float, found: Collection[str], wanted: Collection[str]) -> float:
    """Return what is left of the *quality* of a reading of which only some tokens are found."""
    if len(found) == len(wanted):
        return quality
    share: float = _telling_weight(found) / (_telling_weight(wanted) or 1.0)
    left: float = quality * share**_PARTLY
    return left


def _telling_weight(tokens: Collection[str]) -> float:
    importances = importance()
    return sum([importances.get(token, 1.0) for token in tokens])


_Several = list[tuple[frozenset[str], tuple[int, ...], float]]


def _by_token(plan: Plan) -> tuple[dict[str, list[tuple[int, float]]], _Several]:
    """Return by token which places it covers and how well, and the readings that need several tokens."""
    single: dict[str, list[tuple[int, float]]] = {}
    several: _Several = []
    for reading in plan.readings:
        if len(reading.tokens) == 1:
            pairs = [(place, reading.quality) for place in reading.places]
            single.setdefault(reading.tokens[0], []).extend(pairs)
        else:
            several.append((frozenset(reading.tokens), reading.places, reading.quality))
    return single, several


@cache
def _label_weights() -> dict[str, float]:
    """Return what words weigh in a label, where that is less than 1; even small words make it longer."""
    return {token: max(weight, _LEAST_LABEL_WEIGHT) for token, weight in importance().items()}
