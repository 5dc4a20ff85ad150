"""Rank the models that a mention may mean: labels whose concepts the sentence, its heading and the exam cover."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from findingmodel.reports.exams import Exam
    from findingmodel.reports.lexicon import Label, Lexicon
    from findingmodel.reports.mentions import Anchor

MATCHED, AMBIGUOUS, UNMATCHED = "matched", "ambiguous", "unmatched"

_HEAD_WEIGHT, _CONTENT_WEIGHT, _PLACE_WEIGHT = 1.0, 0.45, 0.55
_UNLIKELY_WHOLE = 0.5  # the same if it is in another region than the one that was examined
_WHOLE = 0.8  # how surely a finding of a part is one of the whole
_UNSTATED = 0.12  # for each word of degree or age that the label has and the text has not
_STATED = 0.05
_OTHER_SIDE = 0.5
_OTHER_MODALITY = 0.4
_RELATED = 0.75
_DOUBT = 1.0
_NAMED_MORE = 0.15
_LEAST = 0.3  # the raw score of a model worth naming
_ELSEWHERE = 0.3
_BESIDE = 0.35  # of a label that has only the words that describe the finding
_COMPOSED = 0.9
_NUMBER = 0.03
_MANY_PLACES = 2
_PLACED = ("peritoneum", "thorax", "mediastinum", "pericardium", "pneumonia", "ascit", "itis")
_LITERAL = 0.12
_NAME = 0.02
_CARRIED = 0.42  # a place that an earlier sentence named
_STATED_PLACE = 0.75
_MISSING = 0.6  # for a concept of a label that nothing in the text states
_GUESSED = 0.2  # for each further place that the text does not state
_MOST_HITS = 10
_FEW = 24  # labels with a word, which is so rare that it tells the finding although another word is missing
_SHORT = 3  # concepts of such a label
_CLOSE = 0.04


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


class Context(NamedTuple):
    """The concepts that a label may use, each with how surely it is meant.

    Attributes:
        concepts: all of them.
        implied: those that only the examination or an earlier sentence suggests.
        derived: those that only follow from a part, as the liver from its portal vein.
        head: those of the words that name the finding, each with its weight.
        related: those that the index may have instead of one of these.
        primary: those of nouns that name the finding, and what is related to them.
        stems: the stems of the sentence.
        modality, region: of the examination.
        is_plural: whether the finding is named in the plural.
        regions: of the places that the text names for it.
    """

    concepts: Mapping[int, float]
    implied: frozenset[int]
    derived: frozenset[int]
    head: Mapping[int, float]
    related: frozenset[int]
    primary: frozenset[int]
    stems: frozenset[str]
    modality: str
    region: str
    is_plural: bool
    regions: frozenset[str]


class Linker:
    """Ranks models for mentions."""

    def __init__(self, lexicon: Lexicon) -> None:
        self._lexicon = lexicon
        self._sides = {
            side: frozenset(lexicon.concepts.of_stems((stem,)))
            for side, stem in (
                ("left", "left"),
                ("right", "right"),
                ("bilateral", "bilater"),
                ("unilateral", "unilater"),
            )
        }
        self._many = frozenset(
            lexicon.concepts.of_stems(("multipl", "disseminat", "widespread", "numer", "multifoc"))
        )
        self._one = frozenset(lexicon.concepts.of("solitary"))
        self._adult = frozenset(lexicon.concepts.of("adult"))

    def context(
        self,
        anchor: Anchor,
        stems: Iterable[str],
        exam: Exam,
        carried: Mapping[int, float],
        *,
        is_plural: bool = False,
    ) -> Context:
        """Return what the labels of a mention at *anchor* may use."""
        kinds = self._lexicon.kinds
        concepts = dict(anchor.concepts)
        stated = [
            concept
            for concept, quality in anchor.concepts.items()
            if quality >= _STATED_PLACE and concept in kinds.regions
        ]
        self._compose(anchor.concepts, concepts)
        derived: set[int] = set()
        for concept, quality in list(concepts.items()):
            wholes = kinds.wholes.get(concept, frozenset())
            is_examined = any(kinds.regions[whole] == exam.region for whole in wholes)
            for whole in wholes:
                is_likely = not is_examined or kinds.regions[whole] == exam.region
                derived_quality = quality * (_WHOLE if is_likely else _UNLIKELY_WHOLE)
                if derived_quality > concepts.get(whole, 0.0):
                    concepts[whole] = derived_quality
                    derived.add(whole)
        implied: set[int] = set()
        if not stated:
            for source in (carried, exam.places):
                for concept, quality in source.items():
                    if quality > concepts.get(concept, 0.0):
                        concepts[concept] = quality
                        implied.add(concept)
        heads = dict(anchor.heads)
        primary = {concept for concept, weight in heads.items() if weight >= _HEAD_WEIGHT}
        others: set[int] = set()
        for concept, weight in anchor.heads.items():
            term = anchor.places.get(concept)
            if term is not None and len(term.concepts) > 1:
                continue  # a part of what a word stands for is not renamed
            for other in kinds.related.get(concept, ()):
                if other not in anchor.heads:
                    others.add(other)
                    heads[other] = max(heads.get(other, 0.0), weight * _RELATED)
                    concepts[other] = 1.0
                    if concept in primary:
                        primary.add(other)
        return Context(
            concepts,
            frozenset(implied),
            frozenset(derived),
            heads,
            frozenset(others),
            frozenset(primary),
            frozenset(stems),
            exam.modality,
            exam.region,
            is_plural,
            frozenset(kinds.regions[concept] for concept in stated),
        )

    def _compose(self, stated: Mapping[int, float], concepts: dict[int, float]) -> None:
        """Add the places whose words are all there, apart from each other: a duct and the pancreas."""
        for concept in stated:
            for whole, parts in self._lexicon.kinds.composed.get(concept, ()):
                if whole not in concepts and all(part in stated for part in parts):
                    concepts[whole] = _COMPOSED * min(stated[part] for part in parts)

    def rank(self, context: Context) -> list[Ranking]:
        """Return the models, best first, at most ten."""
        best: dict[int, Ranking] = {}
        heads = context.head.keys() - self._lexicon.kinds.places or context.head.keys()
        for label in self._lexicon.covered(context.concepts):
            if not label.is_place and not heads.isdisjoint(label.core):
                self._offer(best, label, self._score(label, context))
        if not best:
            self._places(best, context)
        if not best:
            self._partial(best, context, heads)
        ordered = sorted(
            (one for one in best.values() if one.raw >= _LEAST),
            key=lambda one: (-one.raw, self._lexicon.models[one.model].oifm_id),
        )
        return _calibrated(ordered[:_MOST_HITS])

    def _offer(self, best: dict[int, Ranking], label: Label, raw: float) -> None:
        known = best.get(label.model)
        if known is None or raw > known.raw:
            best[label.model] = Ranking(label.model, 0.0, label, raw)

    def _places(self, best: dict[int, Ranking], context: Context) -> None:
        """Add models of a place as such, for what is called suspicious or abnormal there."""
        if not context.regions or not context.head.keys() & self._lexicon.kinds.doubts:
            return
        for label in self._lexicon.covered(context.concepts):
            if label.is_place and not context.implied.intersection(label.core):
                self._offer(best, label, self._score(label, context) + _DOUBT)

    def _partial(self, best: dict[int, Ranking], context: Context, heads: Collection[int]) -> None:
        """Add models whose labels have the head, but also a concept that the text does not state."""
        for head in heads:
            labels = self._lexicon.with_concept(head)
            for label in labels if len(labels) <= _FEW else ():
                missing = sum(concept not in context.concepts for concept in label.core)
                if missing == 1 and len(label.core) <= _SHORT:
                    self._offer(best, label, max(self._score(label, context) - _MISSING, _LEAST))

    def _score(self, label: Label, context: Context) -> float:
        kinds = self._lexicon.kinds
        concepts = context.concepts
        total = 0.0
        suggested: list[float] = []
        related = derived = 0.0
        for concept in label.core:
            if concept in context.implied:
                suggested.append(concepts[concept])
                continue
            if concept in context.derived and concept not in context.head:
                derived = max(derived, concepts[concept])
                continue
            if concept in context.related:
                related = max(related, context.head[concept])
                continue
            weight = context.head.get(concept, 0.0) * _HEAD_WEIGHT
            if not weight:
                weight = _PLACE_WEIGHT if concept in kinds.places else _CONTENT_WEIGHT
            total += weight * concepts.get(concept, 0.0)
        total += related + _PLACE_WEIGHT * derived - self._named_more(label, context)
        if context.primary.isdisjoint(label.core):
            total -= _BESIDE
        if suggested:
            is_general = any(
                self._lexicon.spread.get(concept, 0) >= _MANY_PLACES
                and not self._lexicon.concepts.name(concept).endswith(_PLACED)
                for concept in context.head
            )
            total += (_PLACE_WEIGHT * max(suggested) if is_general else 0.0) - _GUESSED * (len(suggested) - 1)
        elif not context.regions or not any(concept in kinds.places for concept in label.core):
            total -= self._elsewhere(label, context)
        if label.is_plural != context.is_plural:
            total -= _NUMBER
        if label.light & self._many and not context.is_plural:
            total -= _UNSTATED
        for concept in label.light - (frozenset() if context.is_plural else self._one):
            total += _STATED if concepts.get(concept, 0.0) >= _STATED_PLACE else -_UNSTATED
        total -= self._contradiction(label, concepts)
        if label.modality and context.modality not in label.modality and not label.modality & context.stems:
            total -= _OTHER_MODALITY
        if label.stems <= context.stems:
            total += _LITERAL
        return total + _NAME * label.is_name

    def _named_more(self, label: Label, context: Context) -> float:
        """Return what to take off for a synonym of a model whose name says more of the same finding."""
        if label.is_name:
            return 0.0
        name = self._lexicon.names.get(label.model)
        kinds = self._lexicon.kinds
        is_general = sum(concept not in kinds.places for concept in label.core) == 1
        if name is None or not is_general or context.primary.isdisjoint(name.core):
            return 0.0
        missing = sum(concept not in context.concepts and concept not in kinds.weak for concept in name.core)
        if not context.is_plural and name.light & self._many:
            missing += 1
        return _NAMED_MORE * missing

    def _elsewhere(self, label: Label, context: Context) -> float:
        """Return what to take off for a model of another region than the one that was examined."""
        regions = self._lexicon.models[label.model].regions
        if not regions or not (context.region or context.regions):
            return 0.0
        if context.regions:
            return 0.0 if context.regions & regions or context.region in regions else 2 * _ELSEWHERE
        return 0.0 if context.region in regions else _ELSEWHERE

    def _contradiction(self, label: Label, concepts: Mapping[int, float]) -> float:
        """Return what to take off for a side that the label has and the text has not."""
        for side, other in (("left", "right"), ("right", "left")):
            if label.light & self._sides[side] and any(
                concepts.get(one, 0) >= _STATED_PLACE for one in self._sides[other]
            ):
                return _OTHER_SIDE
        return 0.0


def _calibrated(ordered: list[Ranking]) -> list[Ranking]:
    """Return the ranking with scores from 0 to 1: how far each is from the best, and the best from the next."""
    if not ordered:
        return []
    top = ordered[0].raw
    scored = []
    for one in ordered:
        share = max(0.0, min(1.0, one.raw / 1.6)) if one.raw > 0 else 0.05
        near = max(0.05, 1 - 1.2 * (top - one.raw))
        scored.append(one._replace(score=round(0.97 * share * near, 3)))
    return scored


def status_of(ranking: list[Ranking]) -> str:
    """Return "matched" if the first is good and clearly better than the second, as in a batch of searches."""
    if not ranking:
        return UNMATCHED
    is_clear = len(ranking) == 1 or ranking[0].raw - ranking[1].raw > _CLOSE
    return MATCHED if is_clear and ranking[0].raw >= 0.8 else AMBIGUOUS
