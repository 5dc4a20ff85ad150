"""What a label may use to fit a mention: its words, what follows from them, and what the exam suggests."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from findingmodel.reports.anchors import Anchor
    from findingmodel.reports.exams import Exam
    from findingmodel.reports.kinds import Kinds

STATED_PLACE = 0.75  # a concept is stated of the mention from this quality on
_WHOLE = 0.8  # how surely a finding of a part is one of the whole,
_UNLIKELY_WHOLE = 0.5  # and if the whole is in another region than the one that was examined
_COMPOSED = 0.9
_RELATED = 0.75


class Context(NamedTuple):
    """The concepts that a label may use, each with how surely it is meant.

    Attributes:
        concepts: all of them.
        implied: those that only the examination or an earlier sentence suggests.
        carried: those of the implied that an earlier sentence names.
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
    carried: frozenset[int]
    derived: frozenset[int]
    head: Mapping[int, float]
    related: frozenset[int]
    primary: frozenset[int]
    stems: frozenset[str]
    modality: str
    region: str
    is_plural: bool
    regions: frozenset[str]


def context_of(
    anchor: Anchor,
    kinds: Kinds,
    exam: Exam,
    *,
    stems: Iterable[str],
    carried: Mapping[int, float],
    is_plural: bool,
) -> Context:
    """Return what the labels of a mention may use.

    Args:
        anchor: where it is named.
        kinds: the kinds of concepts.
        exam: the examination.
        stems: the stems of the sentence.
        carried: the places that an earlier sentence named.
        is_plural: whether the finding is named in the plural.
    """
    concepts = dict(anchor.concepts)
    _compose(concepts, kinds)
    derived = _derive(concepts, kinds, exam.region)
    stated = [
        concept
        for concept, quality in anchor.concepts.items()
        if quality >= STATED_PLACE and concept in kinds.regions
    ]
    implied = _imply(concepts, (carried, exam.places)) if kinds.generic.issuperset(stated) else set()
    others = _related(anchor, kinds)
    concepts.update(dict.fromkeys(others, 1.0))
    primary = {concept for concept, weight in anchor.heads.items() if weight >= 1}
    primary.update(other for other, weight in others.items() if weight >= _RELATED)
    return Context(
        concepts,
        frozenset(implied),
        frozenset(implied).intersection(carried),
        frozenset(derived),
        {**others, **anchor.heads},
        frozenset(others),
        frozenset(primary),
        frozenset(stems),
        exam.modality,
        exam.region,
        is_plural,
        frozenset(kinds.regions[concept] for concept in stated),
    )


def _compose(concepts: dict[int, float], kinds: Kinds) -> None:
    """Add the places whose words are all there, apart from each other: a duct and the pancreas."""
    stated = dict(concepts)
    for concept in stated:
        for whole, parts in kinds.composed.get(concept, ()):
            if whole not in concepts and all(part in stated for part in parts):
                concepts[whole] = _COMPOSED * min(stated[part] for part in parts)


def _derive(concepts: dict[int, float], kinds: Kinds, region: str) -> set[int]:
    """Add the places of which others are parts, and return them."""
    derived: set[int] = set()
    for concept, quality in list(concepts.items()):
        wholes = kinds.wholes.get(concept, frozenset())
        is_examined = any(kinds.regions[whole] == region for whole in wholes)
        for whole in wholes:
            is_likely = not is_examined or kinds.regions[whole] == region
            derived_quality = quality * (_WHOLE if is_likely else _UNLIKELY_WHOLE)
            if derived_quality > concepts.get(whole, 0.0):
                concepts[whole] = derived_quality
                derived.add(whole)
    return derived


def _imply(concepts: dict[int, float], sources: Sequence[Mapping[int, float]]) -> set[int]:
    """Add the places of *sources* that are not known more surely, and return them."""
    implied: set[int] = set()
    for source in sources:
        for concept, quality in source.items():
            if quality > concepts.get(concept, 0.0):
                concepts[concept] = quality
                implied.add(concept)
    return implied


def _related(anchor: Anchor, kinds: Kinds) -> dict[int, float]:
    """Return what the finding may be called in an index, each with its weight."""
    found: dict[int, float] = {}
    for concept, weight in anchor.heads.items():
        term = anchor.places.get(concept)
        if concept not in anchor.head.concepts or (term is not None and len(term.concepts) > 1):
            continue  # another word of the phrase, or a part of what a word stands for, is not renamed
        for other in kinds.related.get(concept, ()):
            if other not in anchor.heads:
                found[other] = max(found.get(other, 0.0), weight * _RELATED)
    return found
