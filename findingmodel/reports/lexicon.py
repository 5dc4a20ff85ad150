"""The labels of an index as sets of concepts, and which of them some concepts of a report cover."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.concepts import SEARCH_TABLES, Concepts, light_words, related
from findingmodel.reports.document import DATA, root, roots
from findingmodel.text.normalize import tokenize
from findingmodel.text.tables import lines, sections
from findingmodel.text.terms import BREAK, importance

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from findingmodel.stores.records import LabelRow

_LIGHT = 0.2  # the importance of words that a label may have and a report may leave out
_LONGEST_LABEL = 9  # core concepts; longer names are sentences
_MODALITY = frozenset(
    "ct mr mri us xr xray radiograph ultrasound cta ctpa mra pet mammographi mammograph sonographi fluoroscopi dxa".split()
)
_EMPTY = frozenset(
    "find placement presenc identif character categor assess measur evalu on of the classif statu type scale "
    "score imag report criteria and or in with by from to a an for patient radiograph see visibl sign".split()
)
_BREAKS = frozenset("of in with on without due about within from to at by for during after associ".split())


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

    Attributes:
        concepts: the concepts.
        models: the models by number.
        heads: concepts that name a finding by themselves, because a label consists of one of them.
    """

    def __init__(self, rows: Iterable[LabelRow], concepts: Concepts | None = None) -> None:
        self.concepts = concepts or Concepts()
        self.kinds = Kinds(self.concepts)
        self.models: list[Model] = []
        labels: list[Label] = []
        counts: defaultdict[int, int] = defaultdict(int)
        self._sets: dict[frozenset[str] | frozenset[int], frozenset[str] | frozenset[int]] = {}
        words: set[str] = set()
        for row in rows:
            number = len(self.models)
            self.models.append(Model(row.oifm_id, row.name, self._shared(_regions_of(row.terms.other))))
            words.update(row.name.lower().split())
            for synonym in row.synonyms:
                words.update(synonym.lower().split())
            for at, (stems, is_plural) in enumerate(_stems_of(row)):
                for variant in _variants(stems):
                    label = self._label(number, variant, is_name=at == 0, is_plural=is_plural)
                    if label is not None:
                        labels.append(label)
                        for concept in label.core:
                            counts[concept] += 1
        self._words = words
        self.names = {label.model: label for label in labels if label.is_name}
        filed: defaultdict[int, list[Label]] = defaultdict(list)
        for label in labels:
            filed[min(label.core, key=counts.__getitem__)].append(label)
        self._filed = {concept: tuple(found) for concept, found in filed.items()}
        self._by_head: defaultdict[int, list[Label]] = defaultdict(list)
        own = frozenset(label.core[0] for label in labels if len(label.core) == 1)
        self.heads = own - self.kinds.places - self.kinds.weak - self.kinds.states
        self.spread = _spread(labels, self.kinds)
        for label in labels:
            for concept in label.core:
                if concept not in self.kinds.places:
                    self._by_head[concept].append(label)

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

    def words(self) -> Collection[str]:
        """Return the words of all labels, as written but in lower case."""
        return self._words

    def with_concept(self, concept: int) -> Sequence[Label]:
        """Return the labels that have *concept*, which is not a place."""
        return self._by_head.get(concept, ())

    def _label(self, model: int, stems: list[str], *, is_name: bool, is_plural: bool) -> Label | None:
        weights = importance()
        core: list[int] = []
        light: list[int] = []
        modality = frozenset(_MODALITY.intersection(stems))
        kinds = self.kinds
        for term in self.concepts.terms(stems):
            if term.end == term.start + 1:
                stem = stems[term.start]
                if stem in _EMPTY or stem in _MODALITY:
                    continue
                is_light = (
                    weights.get(stem, 1.0) <= _LIGHT and not kinds.states.intersection(term.concepts)
                ) or kinds.light.issuperset(term.concepts)
                (light if is_light else core).extend(term.concepts)
            else:
                core.extend(term.concepts)
        if not core or (light and not kinds.named.intersection(core) and not _is_named(stems)):
            core, light = [*core, *light], []
        distinct = tuple(sorted(set(core)))
        if not distinct or len(distinct) > _LONGEST_LABEL:
            return None
        is_place = kinds.places.issuperset(distinct)
        plain = self._shared(frozenset(stem for stem in stems if stem not in _EMPTY))
        return Label(
            model, distinct, self._shared(frozenset(light)), modality, plain, is_name, is_plural, is_place
        )

    def _shared(self, value: frozenset) -> frozenset:  # type: ignore[type-arg]
        """Return the first set equal to *value*: many labels have the same."""
        return self._sets.setdefault(value, value)


def _is_named(stems: Sequence[str]) -> bool:
    """Return whether a word of a label names a finding by its ending."""
    return any(stem.endswith(("itis", "oma", "os", "megali", "ectomi", "thorax")) for stem in stems)


def _spread(labels: Iterable[Label], kinds: Kinds) -> Mapping[int, int]:
    """Return for each concept of a finding with how many places labels name it."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for label in labels:
        for concept in label.core:
            if concept not in kinds.places:
                found[concept].update(other for other in label.core if other in kinds.places)
    return {concept: len(places) for concept, places in found.items()}


def _stems_of(row: LabelRow) -> Iterator[tuple[list[str], bool]]:
    """Yield the stems of each label of a model, as the index has them where those tell enough."""
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


_TAGGED = {
    "chest": ("chest", "heart"), "thorac": ("chest",), "lung": ("chest",), "cardiac": ("heart", "chest"),
    "abdomen": ("abdomen", "pelvis"), "abdomin": ("abdomen", "pelvis"), "neuro": ("head", "spine", "neck"),
    "head": ("head", "neck"), "musculoskelet": ("limbs", "spine"), "breast": ("breast",), "spine": ("spine",),
    "pelvi": ("pelvis", "abdomen"), "gynecolog": ("pelvis",), "uterus": ("pelvis",), "fetal": ("obstetric",),
    "vascular": ("vessels", "heart", "chest", "abdomen"), "renal": ("abdomen", "pelvis"),
    "osseous": ("limbs", "spine", "chest"), "bone": ("limbs", "spine"), "joint": ("limbs",), "liver": ("abdomen",), "thyroid": ("neck",), "neck": ("neck",),
}  # fmt: skip


def _regions_of(tags: str) -> frozenset[str]:
    return frozenset(region for stem in tags.split() for region in _TAGGED.get(stem, ()))


class Kinds:
    """Which concepts are places, findings, devices, states and so on; from the tables."""

    def __init__(self, concepts: Concepts) -> None:
        self.wholes: dict[int, frozenset[int]] = {}
        self.regions: dict[int, str] = {}
        self.places = self._read_places(concepts)
        lists = {title: _ids(concepts, body) for title, body in _observations().items()}
        self.findings = lists["finding"]
        self.devices = lists["device"]
        self.procedures = lists["procedure"]
        self.assessments = lists["assessment"]
        self.states = lists["state"]
        self.state_words = frozenset(term.strip() for term in _observations()["state"].split(","))
        self.properties = lists["property"]
        none = [term.strip() for term in _observations()["no finding"].split(",")]
        self.nothing_words = frozenset(term for term in none if " " not in term)
        self.nothing = _ids(concepts, ",".join(term for term in none if " " in term))
        self.weak = lists["weak"]
        self.doubts = _ids(concepts, "suspicious, abnormal, enlarged, prominent")
        self.removals = frozenset(term.strip() for term in _observations()["removal"].split(","))
        singles = [term.strip() for term in _observations()["finding"].split(",") if " " not in term.strip()]
        self.finding_words = frozenset(singles)
        self.finding_roots = frozenset(map(root, singles))
        self.strong = _ids(concepts, _observations()["strong"])
        self.named = (
            self.findings | self.devices | self.procedures | self.assessments | self.states | self.weak
        )
        self.light = frozenset(
            concept for word in light_words() for concept in concepts.of_stems(roots(word))
        )
        self.related = _related(concepts)
        self.composed = self._read_composed(concepts)

    def _read_places(self, concepts: Concepts) -> frozenset[int]:
        wholes: defaultdict[int, set[int]] = defaultdict(set)
        for region, body in sections(DATA / "places.txt"):
            for line in body:
                left, _, right = line.partition(" < ")
                whole = concepts.of_stems(roots(left))
                for place in (left, *right.split(", ")):
                    found = concepts.of_stems(roots(place)) if place else []
                    for concept in found if len(found) == 1 else ():
                        self.regions.setdefault(concept, region)
                        if place != left and concept != whole[0]:
                            wholes[concept].add(whole[0])
        for concept in list(wholes):
            self.wholes[concept] = frozenset(_closure(concept, wholes) - {concept})
        return frozenset(self.regions) | _anatomy(concepts)

    def _read_composed(self, concepts: Concepts) -> dict[int, tuple[tuple[int, tuple[int, ...]], ...]]:
        """Return for each concept the places that it is a word of, each with the concepts of all its words."""
        found: defaultdict[int, list[tuple[int, tuple[int, ...]]]] = defaultdict(list)
        for phrase, place in concepts.phrases():
            if place in self.places:
                parts = tuple(dict.fromkeys(concepts.of_stems(phrase, without=phrase)))
                if len(parts) > 1:
                    for part in parts:
                        found[part].append((place, parts))
        return {part: tuple(wholes) for part, wholes in found.items()}


def _closure(concept: int, wholes: Mapping[int, set[int]]) -> set[int]:
    found = {concept}
    new = [concept]
    while new:
        for whole in wholes.get(new.pop(), ()):
            if whole not in found:
                found.add(whole)
                new.append(whole)
    return found


def _related(concepts: Concepts) -> dict[int, tuple[int, ...]]:
    found: dict[int, tuple[int, ...]] = {}
    for left, right in related().items():
        ids = concepts.of_stems(roots(left))
        if len(ids) == 1:
            others = [concepts.of_stems(roots(term)) for term in right]
            found[ids[0]] = tuple(other[0] for other in others if len(other) == 1 and other != ids)
    return found


def _anatomy(concepts: Concepts) -> frozenset[int]:
    """Return the concepts of the table of anatomy, none of which is a finding."""
    found: set[int] = set()
    for line in lines(SEARCH_TABLES / "anatomy.txt"):
        if " = " in line:
            for part in line.split(" = "):
                ids = concepts.of_stems(roots(part))
                if len(ids) == 1:
                    found.update(ids)
    return frozenset(found)


@cache
def _observations() -> dict[str, str]:
    return {title: ", ".join(body) for title, body in sections(DATA / "observations.txt")}


def _ids(concepts: Concepts, text: str) -> frozenset[int]:
    """Return the concepts of the terms in *text* that are one concept each."""
    found: set[int] = set()
    for term in text.split(","):
        ids = concepts.of_stems(roots(term)) if term.strip() else []
        if len(ids) == 1:
            found.update(ids)
    return frozenset(found)


@cache
def endings() -> tuple[str, ...]:
    """Return the endings of words that name diseases and operations."""
    return tuple(part.strip() for part in _observations()["endings"].split(",") if part.strip())


def words_of_tables() -> set[str]:
    """Return the words of the tables, none of which is a typo."""
    return set(tokenize(" ".join(_observations().values())))
