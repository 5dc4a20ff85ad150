"""What kinds of concepts there are, from the tables: places and their parts, findings, devices, states."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from typing import TYPE_CHECKING

from findingmodel.reports.concepts import SEARCH_TABLES, generic_places, light_words, related
from findingmodel.reports.document import DATA, root, roots
from findingmodel.text.tables import lines, sections

if TYPE_CHECKING:
    from collections.abc import Mapping

    from findingmodel.reports.concepts import Concepts


class Kinds:
    """Which concepts are places, findings, devices, states and so on; from the tables.

    Attributes:
        places: parts of the body.
        regions: the region of the body that each place of ``places.txt`` is in.
        wholes: the places that each place is a part of, at any depth.
        composed: for each concept the places that it is a word of, with the concepts of all their words.
        findings, devices, procedures, assessments, states, properties, doubts, weak, strong: the sections of
            ``observations.txt``; `named` is all that may name a finding in a label.
        state_words, finding_words, finding_roots, nothing_words, removals: the same as words.
        nothing: phrases that name no finding.
        generic: parts that many organs have.
        light: what a label may have and a report leave out.
        related: what a concept may be called in an index, if that fits better.
    """

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
        self.doubts = lists["doubt"]
        none = [term.strip() for term in _observations()["no finding"].split(",")]
        self.nothing_words = frozenset(term for term in none if " " not in term)
        self.nothing = _ids(concepts, ",".join(term for term in none if " " in term))
        self.weak = lists["weak"]
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
        self.generic = _ids(concepts, ",".join(generic_places()))
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
        """Return for each concept the places that it is a word of, with the concepts of all their words."""
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
