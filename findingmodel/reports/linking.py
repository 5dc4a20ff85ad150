"""Rank the models that a mention may mean: those with a label that the words around it cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.contexts import STATED_PLACE

if TYPE_CHECKING:
    from collections.abc import Collection

    from findingmodel.reports.contexts import Context
    from findingmodel.reports.labels import Label
    from findingmodel.reports.lexicon import Lexicon

MATCHED, AMBIGUOUS, UNMATCHED = "matched", "ambiguous", "unmatched"

# What a label scores for each of its concepts that the text has, times how surely that is meant:
_CONTENT, _PLACE = 0.45, 0.55  # the finding itself scores 1
_LITERAL = 0.12  # for the same words,
_NAME = 0.02  # for the name rather than a synonym,
_STATED = 0.05  # for each word of degree or age that both have.

# What is taken off:
_UNSTATED = 0.12  # for each word of degree or age that only the label has,
_NUMBER = 0.03  # for a plural instead of a singular,
_OTHER_SIDE = 0.5  # for the other side,
_OTHER_MODALITY = 0.7  # for another kind of examination,
_ELSEWHERE = 0.3  # for a model of another region than was examined, twice if the text names the place,
_GUESSED = 0.2  # for each place but one that the text does not state,
_BESIDE = 0.35  # for a label that has only words that describe the finding,
_NAMED_MORE = 0.15  # for each word by which the model's name says more than the label,
_OTHER_NAME = 0.03  # for a name that does not name the finding,
_MISSING = 0.6  # for a concept that nothing in the text states.

_DOUBT = 1.0  # what a label of a place scores if that is suspicious
_LEAST = 0.3  # the score of a model worth naming
_GOOD = 0.8  # the score of a model that is matched,
_CLOSE = 0.04  # unless the second is as close
_MANY_PLACES = 2  # a finding that labels name with so many places may be where the exam suggests,
_PLACED = (
    "peritoneum",
    "thorax",
    "mediastinum",
    "pericardium",
    "pneumonia",
    "ascit",
    "itis",
)  # but not these
_FEW = 24  # labels with a word, which is so rare that it tells the finding although another word is missing
_SHORT = 3  # concepts of such a label
_MOST_HITS = 10


class Ranking(NamedTuple):
    """A model that a mention may mean.

    Attributes:
        model: its number in the lexicon.
        score: from 0 to 1, how likely it is the right one.
        label: the label that fits.
        raw: the sum that the order follows.
    """

    model: int
    score: float
    label: Label
    raw: float


class Linker:
    """Ranks models for mentions.

    Args:
        lexicon: the labels.
    """

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._kinds = lexicon.kinds
        of_stems = lexicon.concepts.of_stems
        left, right = frozenset(of_stems(("left",))), frozenset(of_stems(("right",)))
        self._other_side = ((left, right), (right, left))
        self._many = frozenset(of_stems(("multipl", "disseminat", "widespread", "numer", "multifoc")))
        self._one = frozenset(of_stems(("solitari",)))

    def rank(self, context: Context) -> list[Ranking]:
        """Return the models that a mention in *context* may mean, best first, at most ten."""
        best: dict[int, Ranking] = {}
        heads = context.head.keys() - self._kinds.places or context.head.keys()
        for label in self._lexicon.covered(context.concepts):
            if not label.is_place and not heads.isdisjoint(label.core):
                _offer(best, label, self._score(label, context))
        if not best:
            self._add_places(best, context)
        if not best:
            self._add_partial(best, context, heads)
        ordered = sorted(
            (one for one in best.values() if one.raw >= _LEAST),
            key=lambda one: (-one.raw, self._lexicon.models[one.model].oifm_id),
        )
        return _scored(ordered[:_MOST_HITS])

    def _add_places(self, best: dict[int, Ranking], context: Context) -> None:
        """Add models of a place as such, for what is called suspicious or abnormal there."""
        if not context.regions or self._kinds.doubts.isdisjoint(context.head):
            return
        for label in self._lexicon.covered(context.concepts):
            if label.is_place and context.implied.isdisjoint(label.core):
                _offer(best, label, self._score(label, context) + _DOUBT)

    def _add_partial(self, best: dict[int, Ranking], context: Context, heads: Collection[int]) -> None:
        """Add models whose labels have the head, but also a concept that the text does not state."""
        for head in heads:
            labels = self._lexicon.with_concept(head)
            for label in labels if len(labels) <= _FEW else ():
                missing = [concept for concept in label.core if concept not in context.concepts]
                if len(missing) == 1 and missing[0] not in self._kinds.places and len(label.core) <= _SHORT:
                    _offer(best, label, max(self._score(label, context) - _MISSING, _LEAST))

    def _score(self, label: Label, context: Context) -> float:
        total = self._of_concepts(label, context) + self._of_light(label, context)
        total -= self._named_more(label, context) + self._contradictions(label, context)
        if context.primary.isdisjoint(label.core):
            total -= _BESIDE
        if label.is_plural != context.is_plural:
            total -= _NUMBER
        if label.stems <= context.stems:
            total += _LITERAL
        return total + _NAME * label.is_name

    def _of_concepts(self, label: Label, context: Context) -> float:
        """Return what the concepts of *label* score; of several implied ones only the best counts."""
        concepts = context.concepts
        total = related = derived = 0.0
        suggested: list[float] = []
        for concept in label.core:
            if concept in context.implied:
                suggested.append(concepts[concept])
            elif concept in context.derived and concept not in context.head:
                derived = max(derived, concepts[concept])
            elif concept in context.related:
                related = max(related, context.head[concept])
            else:
                weight = context.head.get(concept) or (_PLACE if concept in self._kinds.places else _CONTENT)
                total += weight * concepts.get(concept, 0.0)
        is_named = any(context.head.get(concept, 0.0) >= 1 for concept in label.core)
        total += related * (_CONTENT if is_named else 1.0) + _PLACE * derived
        if suggested:
            best = max(suggested) if self._is_anywhere(label, context) else 0.0
            return total + _PLACE * best - _GUESSED * (len(suggested) - 1)
        if not context.regions or self._kinds.places.isdisjoint(label.core):
            total -= self._elsewhere(label, context)
        return total

    def _is_anywhere(self, label: Label, context: Context) -> bool:
        """Return whether an earlier sentence or the exam may tell where the finding is.

        An earlier sentence always does; the exam where labels name the finding with several places.
        """
        lexicon = self._lexicon
        least = 0 if not context.carried.isdisjoint(label.core) else _MANY_PLACES
        return any(
            lexicon.spread.get(concept, 0) >= least and not lexicon.concepts.name(concept).endswith(_PLACED)
            for concept in context.head
        )

    def _of_light(self, label: Label, context: Context) -> float:
        """Return what the words of degree, number and age of *label* score."""
        expected = label.light if context.is_plural else label.light - self._one
        total = sum(
            _STATED if context.concepts.get(concept, 0.0) >= STATED_PLACE else -_UNSTATED
            for concept in expected
        )
        return total - _UNSTATED if not context.is_plural and label.light & self._many else total

    def _named_more(self, label: Label, context: Context) -> float:
        """Return what to take off for a synonym of a model whose name says more of the same finding."""
        name = self._lexicon.names.get(label.model)
        if label.is_name or name is None:
            return 0.0
        if context.primary.isdisjoint(name.core):
            return _OTHER_NAME
        places, weak = self._kinds.places, self._kinds.weak
        if any(concept not in places and concept not in name.core for concept in label.core):
            return 0.0
        missing = sum(concept not in context.concepts and concept not in weak for concept in name.core)
        expected = self._many if context.is_plural else self._one
        further = name.light - label.light - expected
        missing += sum(context.concepts.get(concept, 0.0) < STATED_PLACE for concept in further)
        return _NAMED_MORE * missing

    def _elsewhere(self, label: Label, context: Context) -> float:
        """Return what to take off for a model of another region than the one that was examined."""
        regions = self._lexicon.models[label.model].regions
        if not regions or context.region in regions or not context.regions.isdisjoint(regions):
            return 0.0
        if context.regions:
            return 2 * _ELSEWHERE
        return _ELSEWHERE if context.region else 0.0

    def _contradictions(self, label: Label, context: Context) -> float:
        """Return what to take off for a side, or a kind of examination, that only the label has."""
        total = 0.0
        for side, other in self._other_side:
            if label.light & side and any(context.concepts.get(one, 0.0) >= STATED_PLACE for one in other):
                total += _OTHER_SIDE
        if label.modality and context.modality not in label.modality and not label.modality & context.stems:
            total += _OTHER_MODALITY
        return total


def _offer(best: dict[int, Ranking], label: Label, raw: float) -> None:
    known = best.get(label.model)
    if known is None or raw > known.raw:
        best[label.model] = Ranking(label.model, 0.0, label, raw)


def _scored(ordered: list[Ranking]) -> list[Ranking]:
    """Return the ranking with scores from 0 to 1: how good each is, and how far from the best."""
    if not ordered:
        return []
    top = ordered[0].raw
    return [
        one._replace(
            score=round(_BEST * min(1.0, one.raw / _FULL) * max(0.05, 1 - _DROP * (top - one.raw)), 3)
        )
        for one in ordered
    ]


_BEST, _FULL, _DROP = 0.95, 1.25, 1.2


def status_of(ranking: list[Ranking]) -> str:
    """Return "matched" if the first is good and clearly better than the second, as in a batch of searches."""
    if not ranking:
        return UNMATCHED
    is_clear = len(ranking) == 1 or ranking[0].raw - ranking[1].raw > _CLOSE
    return MATCHED if is_clear and ranking[0].raw >= _GOOD else AMBIGUOUS
