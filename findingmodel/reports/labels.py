"""Read the names and synonyms of models as labels: what a report must state, and what it may leave out."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple, TypeVar

from findingmodel.reports.document import DATA, roots
from findingmodel.text.tables import word_sets
from findingmodel.text.terms import BREAK, importance

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.reports.concepts import Concepts
    from findingmodel.reports.kinds import Kinds
    from findingmodel.stores.records import LabelRow

T = TypeVar("T")

_LIGHT = 0.2  # the importance of words that a label may have and a report may leave out
_NONE: frozenset[int] = frozenset()
_NO_WORDS: frozenset[str] = frozenset()
_LONGEST = 9  # core concepts; longer names are sentences
_NO_REGIONS = frozenset(
    ("empty", "modality", "required", "endings")
)  # the other sections of the table are regions


class Label(NamedTuple):
    """A name or synonym of a model.

    Attributes:
        model: the number of its model.
        core: the concepts that a report must state, sorted.
        light: those that it may leave out: degree, side, age.
        modality: names of the examinations that the label is limited to.
        stems: its stems as written, without small words.
        is_name: whether it is the name.
        is_plural: whether its last word is a plural.
        is_place: whether it names a place only.
    """

    model: int
    core: tuple[int, ...]
    light: frozenset[int]
    modality: frozenset[str]
    stems: frozenset[str]
    is_name: bool
    is_plural: bool
    is_place: bool


class LabelReader:
    """Makes labels of the rows of an index. Equal sets are one object, for many labels have the same.

    Args:
        concepts, kinds: as the lexicon has them.
    """

    def __init__(self, concepts: Concepts, kinds: Kinds) -> None:
        self._concepts = concepts
        self._kinds = kinds
        self._named = kinds.named
        self._places = kinds.places
        self._skipped = _table()["empty"] | _table()["modality"]
        self._light: dict[str, bool] = {}
        self._sets: dict[object, object] = {}

    def labels(self, model: int, row: LabelRow) -> Iterator[Label]:
        """Yield the labels of the model of this number."""
        for at, (stems, is_plural) in enumerate(_stems_of(row)):
            for variant in _variants(stems):
                label = self._label(model, variant, is_name=at == 0, is_plural=is_plural)
                if label is not None:
                    yield label

    def shared(self, value: T) -> T:
        """Return the first value that is equal to *value*."""
        return self._sets.setdefault(value, value)  # type: ignore[return-value]

    def _label(self, model: int, stems: Sequence[str], *, is_name: bool, is_plural: bool) -> Label | None:
        core, light = self._split(stems)
        if not core or (light and not self._is_named(core, stems)):
            core, light = [*core, *light], []
        distinct = tuple(sorted(set(core))) if len(core) > 1 else tuple(core)
        if not distinct or len(distinct) > _LONGEST:
            return None
        table = _table()
        return Label(
            model,
            distinct,
            self.shared(frozenset(light)) if light else _NONE,
            self.shared(table["modality"].intersection(stems)) or _NO_WORDS,
            self.shared(frozenset(stems) - table["empty"]),
            is_name,
            is_plural,
            self._places.issuperset(distinct),
        )

    def _is_named(self, core: Sequence[int], stems: Sequence[str]) -> bool:
        return not self._named.isdisjoint(core) or any(stem.endswith(_endings()) for stem in stems)

    def _split(self, stems: Sequence[str]) -> tuple[list[int], list[int]]:
        """Return the concepts of a label that a report must state, and those that it may leave out."""
        skipped = self._skipped
        core: list[int] = []
        light: list[int] = []
        for start, end, concepts in self._concepts.terms(stems):
            if end > start + 1:
                core.extend(concepts)
            elif stems[start] not in skipped:
                (light if self._is_light(stems[start], concepts) else core).extend(concepts)
        return core, light

    def _is_light(self, stem: str, concepts: tuple[int, ...]) -> bool:
        """Return whether a word only tells degree, side, number or age; labels repeat their words."""
        known = self._light.get(stem)
        if known is None:
            is_slight = importance().get(stem, 1.0) <= _LIGHT and stem not in _table()["required"]
            is_slight = is_slight and self._kinds.states.isdisjoint(concepts)
            known = self._light[stem] = is_slight or self._kinds.light.issuperset(concepts)
        return known


@lru_cache(maxsize=4_096)
def regions_of(tags: str) -> frozenset[str]:
    """Return the regions of the body that the stems of a model's *tags* name.

    >>> sorted(regions_of("chest xr find"))
    ['chest']
    """
    stems = set(tags.split())
    return frozenset(
        title for title, words in _table().items() if title not in _NO_REGIONS and not words.isdisjoint(stems)
    )


def _stems_of(row: LabelRow) -> Iterator[tuple[list[str], bool]]:
    """Yield the stems of each label, as the index has them where those tell enough, and if it is a plural."""
    analysed = [row.terms.name, *(part.strip() for part in row.terms.synonyms.split(BREAK))]
    for written, stems in zip((row.name, *row.synonyms), analysed, strict=False):
        yield roots(written) if "itis" in written else stems.split(), written.endswith("s")


def _variants(stems: list[str]) -> Iterator[list[str]]:
    """Yield a label without "or", or with each of the two words that it joins."""
    place = stems.index("or") if "or" in stems[1:-1] else 0
    if not place:
        yield stems
        return
    first = place - 1 - (stems[place - 1] == "and")
    yield [*stems[: first + 1], *stems[place + 2 :]]
    yield [*stems[:first], *stems[place + 1 :]]


@cache
def _table() -> dict[str, frozenset[str]]:
    return word_sets(DATA / "labels.txt")


@cache
def _endings() -> tuple[str, ...]:
    return tuple(sorted(_table()["endings"]))


def names_finding(stem: str) -> bool:
    """Return whether the ending of a stem tells that it names a finding."""
    return stem.endswith(_endings())
