"""Score what the words of a query and of an entry have in common: the evidence that ranking weighs.

Every word of a query has a weight w (`findingmodel.search.expansion`), and for an entry a match m from 0 to
1, which is the quality of its best expansion times the weight of the field where it is found. With W the sum
of all w:

    coverage    sum(w m) / W                over all fields of an entry
    asked       sum(w m) / W                in the name or in one synonym
    named       weight of a label's matched words / weight of all its words
    label       f asked named^0.6           f is 1 for a name, 0.9 for a synonym

The label of an entry is the one that fits best. A synonym that has all words of the query weighs as much as a
name.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.search.meaning import Affinity, length_of
from findingmodel.text.opposites import contradicts, differ_in_grade, grades, opposites
from findingmodel.text.terms import BETWEEN, importance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from collections.abc import Set as AbstractSet

    from findingmodel.search.expansion import Plan
    from findingmodel.stores.records import Candidate
    from findingmodel.text.terms import Terms

NAME, SYNONYM = 1.0, 0.9
FIELDS = (("name", NAME), ("synonym", SYNONYM), ("description", 0.45), ("other", 0.5))
_BY_NAMED = 0.6  # exponent
_PARTLY = 2.5  # exponent of the share of an expansion to several tokens
_UNKNOWN_IN_SENTENCE = 0.3
_MIN_LABEL_WEIGHT = 0.05
_CONTRADICTED = 0.5  # of the fit of a label that says the opposite of the query


class Fit(NamedTuple):
    """How well the words of an entry fit a query.

    Attributes:
        candidate: the entry.
        exact: whether a label equals the query, word for word after analysis.
        number: of the label that fits best: 0 is the name, 1 the first synonym, -1 none.
        label, asked, named, coverage: as in the module's docstring, from 0 to 1.
        contradicts: whether that label has the opposite of a word of the query, or another grade.
    """

    candidate: Candidate
    exact: bool
    number: int
    label: float
    asked: float
    named: float
    coverage: float
    contradicts: bool = False


class Nearness(NamedTuple):
    """How near the meaning of an entry is to that of a query, from about 0 to about 1.

    Attributes:
        label: of the nearest name or synonym.
        name: of the name.
        entry: of all names and synonyms together.
    """

    label: float
    name: float
    entry: float


class _Label(NamedTuple):
    """A name or a synonym, analysed.

    Attributes:
        text: its tokens, as they stand.
        tokens: each once.
        weight: the sum of their weights.
        grades: the grades and levels that it names.
    """

    text: str
    tokens: frozenset[str]
    weight: float
    grades: frozenset[tuple[str, str]]


class _SplitTerms(NamedTuple):
    """The terms of an entry as sets.

    Attributes:
        labels: the name and the synonyms.
        fields: the tokens of each of `FIELDS`.
        field_of: by token the weight of the best field that has it.
        best_label: by token the number of the label that a query for this token alone fits best.
    """

    labels: tuple[_Label, ...]
    fields: tuple[frozenset[str], ...]
    field_of: dict[str, float]
    best_label: dict[str, int]


@lru_cache(maxsize=4_096)
def split_terms(terms: Terms) -> _SplitTerms:
    """Return *terms* as sets; cached, because many queries have the same candidates."""
    name, synonyms, description, other = terms
    labels = tuple(map(_label, [name, *synonyms.split(BETWEEN)] if synonyms else [name]))
    in_synonyms = frozenset[str]().union(*[label.tokens for label in labels[1:]])
    fields = (labels[0].tokens, in_synonyms, frozenset(description.split()), frozenset(other.split()))
    field_of: dict[str, float] = {}
    for (_, weight), tokens in sorted(zip(FIELDS, fields, strict=True), key=lambda pair: pair[0][1]):
        field_of.update(dict.fromkeys(tokens, weight))
    by_fit = sorted(range(len(labels)), key=lambda number: _alone(labels[number], number))
    best_label = {token: number for number in by_fit for token in labels[number].tokens}
    return _SplitTerms(labels, fields, field_of, best_label)


def _alone(label: _Label, number: int) -> float:
    """Return how well one word fits a label, up to a factor of the word."""
    factor: float = label.weight**-_BY_NAMED
    return (SYNONYM if number else NAME) * factor


def _label(text: str) -> _Label:
    tokens, weight_of = frozenset(text.split()), _label_weights().get
    return _Label(text, tokens, sum([weight_of(token, 1.0) for token in tokens]), grades(text))


class _Lengths(NamedTuple):
    """The lengths of the vectors of an entry's labels, and of all their words together."""

    labels: tuple[float, ...]
    all_words: frozenset[str]
    entry: float


@lru_cache(maxsize=4_096)
def _lengths(terms: Terms) -> _Lengths:
    split = split_terms(terms)
    words = split.fields[0] | split.fields[1]
    return _Lengths(
        tuple([length_of(label.tokens) or 1.0 for label in split.labels]), words, length_of(words) or 1.0
    )


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

    There are few sets of words and many candidates, so what a set covers is computed once. `fit` looks in
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
        self._covers: dict[frozenset[str], _Cover] = {}
        self._words = " ".join([word.token for word in plan.words])
        self._asked = frozenset(plan.label.split())
        self._against = frozenset[str]().union(*map(opposites, self._asked)) - self._asked
        self._grades = grades(plan.label)
        self._affinity: Affinity | None = None

    def fit(self, candidate: Candidate) -> Fit:
        """Return how well the words of *candidate* fit."""
        split = split_terms(candidate.terms)
        in_entry = self._tokens & split.field_of.keys()
        coverage = self._coverage(split.field_of, in_entry)
        numbers: Iterable[int] = range(len(split.labels))
        if len(in_entry) == 1:  # most candidates; one label is enough to look at
            (token,) = in_entry
            numbers = [split.best_label[token]] if token in split.best_label else ()
        best, place, asked, named, against = 0.0, -1, 0.0, 0.0, False
        for number in numbers:
            label = split.labels[number]
            found = self._tokens & label.tokens
            if not found:
                continue
            if label.text == self._plan.label:
                return Fit(candidate, True, number, 1.0, 1.0, 1.0, 1.0)
            cover = self._covers.get(found) or self._cover(found)
            share = cover.weight / label.weight
            fits = cover.share * share**_BY_NAMED
            if number and label.text != self._words:
                fits *= SYNONYM
            if fits > best:
                is_against = self._contradicts(label)
                fits *= _CONTRADICTED if is_against else 1.0
                if fits > best:
                    best, place, asked, named, against = fits, number, cover.share, share, is_against
        return Fit(candidate, False, place, best, asked, named, coverage, against)

    def _contradicts(self, label: _Label) -> bool:
        if self._grades and label.grades and differ_in_grade(self._grades, label.grades):
            return True
        return not self._against.isdisjoint(label.tokens) and contradicts(self._asked, label.tokens)

    def nearness(self, candidate: Candidate) -> Nearness:
        """Return how near the meaning of *candidate* is."""
        if self._affinity is None:
            self._affinity = Affinity([word.token for word in self._plan.words])
        lengths = _lengths(candidate.terms)
        product_of = self._affinity.products(lengths.all_words)
        nearest = [
            sum(map(product_of, label.tokens)) / length
            for label, length in zip(split_terms(candidate.terms).labels, lengths.labels, strict=True)
        ]
        entry = sum(map(product_of, lengths.all_words)) / lengths.entry
        return Nearness(max(nearest), nearest[0], entry)

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

    def _coverage(self, field_of: Mapping[str, float], found: AbstractSet[str]) -> float:
        """Return how much of the query the tokens *found* in an entry cover, by the weight of the field."""
        places: dict[int, float] = {}
        single = self._single
        for token in found:
            field = field_of[token]
            for place, quality in single.get(token, ()):
                if quality * field > places.get(place, 0.0):
                    places[place] = quality * field
        for tokens, covered, quality in self._several:
            some = tokens & found
            if some:
                value = partial_quality(quality, some, tokens) * min([field_of[token] for token in some])
                places.update((place, value) for place in covered if value > places.get(place, 0.0))
        return self._share(places)

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
