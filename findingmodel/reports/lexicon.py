"""The labels of an index as sets of concepts, and which of them some concepts of a report cover."""

from __future__ import annotations

from collections import Counter, defaultdict
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.concepts import Concepts
from findingmodel.reports.kinds import Kinds
from findingmodel.reports.labels import LabelReader, regions_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from findingmodel.reports.labels import Label
    from findingmodel.stores.records import LabelRow


class Model(NamedTuple):
    """A model of the index.

    Attributes:
        oifm_id, name: as in the index.
        regions: the regions of the body that its tags name; empty if they name none.
    """

    oifm_id: str
    name: str
    regions: frozenset[str]


class Lexicon:
    """The labels of an index, to find those that some concepts cover.

    A label is filed under its rarest concept, so few are looked at for a mention.

    Args:
        rows: the names of all models.

    Attributes:
        concepts: the concepts.
        kinds: what kinds of concepts there are.
        models: the models by number.
        names: the label that is the name, by model.
        heads: concepts that name a finding by themselves, because a label consists of one of them.
        words: the words of all labels, as written but in lower case.
    """

    def __init__(self, rows: Iterable[LabelRow]) -> None:
        self.concepts = Concepts()
        self.kinds = Kinds(self.concepts)
        self.models: list[Model] = []
        self.words: set[str] = set()
        labels = list(self._read(rows))
        counts = Counter(concept for label in labels for concept in label.core)
        self.names = {label.model: label for label in labels if label.is_name}
        self._filed = _filed((min(label.core, key=counts.__getitem__), label) for label in labels)
        places = self.kinds.places
        own = frozenset(label.core[0] for label in labels if len(label.core) == 1)
        self.heads = own - places - self.kinds.weak - self.kinds.states
        self.concepts.freeze()

    def covered(self, concepts: Collection[int]) -> Iterator[Label]:
        """Yield the labels whose core is within *concepts*.

        >>> from findingmodel.text.terms import analyze_entry
        >>> from findingmodel.stores.records import LabelRow
        >>> rows = [LabelRow("OIFM_X_000001", "lung nodule", (), analyze_entry("lung nodule", (), "", ()))]
        >>> lexicon = Lexicon(rows)
        >>> [label.model for label in lexicon.covered(lexicon.concepts.of("a nodule of the left lung"))]
        [0]
        """
        for concept in concepts:
            for label in self._filed.get(concept, ()):
                for one in label.core:
                    if one not in concepts:
                        break
                else:
                    yield label

    def with_concept(self, concept: int) -> Sequence[Label]:
        """Return the labels that have *concept*, which is not a place."""
        return self._by_concept.get(concept, ())

    @cached_property
    def spread(self) -> Mapping[int, int]:
        """For each concept of a finding, with how many places labels name it."""
        return _spread(self._labels(), self.kinds.places)

    @cached_property
    def _by_concept(self) -> Mapping[int, tuple[Label, ...]]:
        places = self.kinds.places
        labels = self._labels()
        return _filed((concept, label) for label in labels for concept in label.core if concept not in places)

    def _labels(self) -> Iterator[Label]:
        for filed in self._filed.values():
            yield from filed

    def _read(self, rows: Iterable[LabelRow]) -> Iterator[Label]:
        reader = LabelReader(self.concepts, self.kinds)
        for number, row in enumerate(rows):
            self.models.append(Model(row.oifm_id, row.name, reader.shared(regions_of(row.terms.other))))
            for written in (row.name, *row.synonyms):
                self.words.update(written.lower().split())
            yield from reader.labels(number, row)


def _filed(labels: Iterable[tuple[int, Label]]) -> dict[int, tuple[Label, ...]]:
    found: defaultdict[int, list[Label]] = defaultdict(list)
    for concept, label in labels:
        found[concept].append(label)
    return {concept: tuple(under) for concept, under in found.items()}


def _spread(labels: Iterable[Label], places: Collection[int]) -> Mapping[int, int]:
    """Return for each concept of a finding with how many places labels name it."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for label in labels:
        own = [concept for concept in label.core if concept in places]
        for concept in label.core:
            if concept not in places:
                found[concept].update(own)
    return {concept: len(with_places) for concept, with_places in found.items()}
