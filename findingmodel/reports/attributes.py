"""Fill the attributes of a mention's model with what the report states, and with nothing else."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.reports.certainty import ABSENT, POSSIBLE, PRESENT
from findingmodel.reports.document import roots, words_of
from findingmodel.reports.values import FilledAttribute, Quote
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.reports.concepts import Concepts
    from findingmodel.reports.document import Word
    from findingmodel.reports.values import Measurement, Mention

_PRESENCE_VALUES = {
    PRESENT: ("present", "yes", "true"),
    ABSENT: ("absent", "no", "not present", "none"),
    POSSIBLE: ("indeterminate", "possible", "equivocal", "uncertain"),
}
_CHANGE_VALUES = {
    "new": ("new",),
    "unchanged": ("unchanged", "stable", "no change"),
    "increased": ("increased", "larger", "worsened", "progressed"),
    "decreased": ("decreased", "smaller", "improved", "regressed"),
    "resolved": ("resolved",),
}
_CHANGE_NAMES = frozenset(("change from prior", "change", "interval change", "change since prior"))
_LATERALITY_VALUES = {
    "left": ("left", "left side", "left-sided"),
    "right": ("right", "right side", "right-sided"),
    "bilateral": ("bilateral", "both", "both sides", "bilateral sides"),
    "midline": ("midline",),
    "unilateral": ("unilateral",),
}
_NOT_STATED = frozenset(
    ("indeterminate", "unknown", "present", "absent", "yes", "no", "normal", "other", "none", "true", "false")
)
_SIZES = frozenset(
    ("size", "diameter", "dimension", "measurement", "maximum", "largest", "length", "longest", "greatest")
)

_CERTAIN, _LIKELY, _FAIR = 0.95, 0.9, 0.8

_UNITS: dict[str, tuple[str, float]] = {
    "um": ("length", 0.001), "mm": ("length", 1.0), "cm": ("length", 10.0), "m": ("length", 1000.0),
    "mm3": ("volume", 0.001), "mm^3": ("volume", 0.001), "cm3": ("volume", 1.0), "cm^3": ("volume", 1.0),
    "cc": ("volume", 1.0), "ml": ("volume", 1.0), "l": ("volume", 1000.0), "liter": ("volume", 1000.0),
    "hu": ("density", 1.0), "[hnsf'u]": ("density", 1.0), "deg": ("angle", 1.0), "degree": ("angle", 1.0),
    "degrees": ("angle", 1.0), "%": ("share", 1.0), "percent": ("share", 1.0), "percentage": ("share", 1.0),
    "kpa": ("stiffness", 1.0), "mm[hg]": ("pressure", 1.0), "mmhg": ("pressure", 1.0),
    "millimeter": ("length", 1.0), "millimeters": ("length", 1.0), "centimeter": ("length", 10.0),
    "centimeters": ("length", 10.0),
}  # fmt: skip
"""Units of attributes and of measurements: what they measure, and how many of the smallest they are."""


class Choice(NamedTuple):
    """A value of a choice attribute, with the concepts that state it."""

    code: str
    name: str
    folded: str
    concepts: frozenset[int]


class Attribute(NamedTuple):
    """An attribute of a model, ready to be filled."""

    oifma_id: str
    name: str
    folded: str
    most: int
    values: tuple[Choice, ...]
    unit: str
    low: float | None
    high: float | None

    @property
    def is_numeric(self) -> bool:
        """Whether its value is a number."""
        return not self.values


class AttributeFiller:
    """Fills attributes; it knows the concepts, so that a value may be stated in other words.

    Args:
        concepts: as the reader has them.
    """

    def __init__(self, concepts: Concepts) -> None:
        self._concepts = concepts

    def parse(self, model: bytes | str) -> tuple[Attribute, ...]:
        """Return the attributes of a model's JSON text."""
        parts = json.loads(model).get("attributes") or ()
        return tuple(self._attribute(part) for part in parts if part.get("oifma_id"))

    def fill(
        self, text: str, mention: Mention, attributes: Sequence[Attribute]
    ) -> tuple[FilledAttribute, ...]:
        """Return those of *attributes* that the report *text* states of *mention*.

        Of a finding that is denied, or is history, or only asked about, nothing but its presence is filled.
        """
        found = [one for attribute in attributes if (one := _presence(mention, attribute)) is not None]
        if mention.certainty not in (PRESENT, POSSIBLE):
            return tuple(found)
        words = tuple(words_of(text, *mention.clause))
        done = {one.oifma_id for one in found}
        for attribute in attributes:
            if attribute.oifma_id not in done and not attribute.is_numeric:
                found += self._stated(text, mention, attribute, words)
        found += _numbers(mention, [one for one in attributes if one.is_numeric], words)
        return tuple(found)

    def _attribute(self, part: dict[str, Any]) -> Attribute:
        values = tuple(
            Choice(
                value.get("value_code", ""),
                value.get("name", ""),
                fold(value.get("name", "")),
                frozenset(self._concepts.of_stems(roots(value.get("name", "")))),
            )
            for value in part.get("values") or ()
        )
        most = part.get("max_selected")
        return Attribute(
            part["oifma_id"],
            part.get("name", "").strip(),
            fold(part.get("name", "")),
            most if isinstance(most, int) else len(values),
            values,
            part.get("unit") or "",
            part.get("minimum"),
            part.get("maximum"),
        )

    def _stated(
        self, text: str, mention: Mention, attribute: Attribute, words: Sequence[Word]
    ) -> Iterator[FilledAttribute]:
        """Yield the choice that the words around a mention state."""
        if attribute.folded in _CHANGE_NAMES:
            yield from _named(
                attribute, _CHANGE_VALUES.get(mention.change, ()), _quoted(text, words), _LIKELY
            )
            return
        side = _LATERALITY_VALUES.get(mention.laterality, ())
        if any(value.folded in ("left", "right") for value in attribute.values):
            yield from _named(attribute, side, _quoted(text, words), _LIKELY)
            return
        chosen = self._chosen(mention, attribute, words)
        if 0 < len(chosen) <= attribute.most:
            for choice, first, last in chosen:
                quote = Quote(words[first].start, words[last].end, text[words[first].start : words[last].end])
                confidence = _LIKELY if len(choice.concepts) > 1 else _FAIR
                yield _filled(attribute, choice, quote, confidence)

    def _chosen(
        self, mention: Mention, attribute: Attribute, words: Sequence[Word]
    ) -> list[tuple[Choice, int, int]]:
        """Return the values whose words are all stated, without those that are part of a longer one."""
        at: dict[int, tuple[int, int]] = {}
        for term in self._concepts.terms([word.stem for word in words], [word.capitals for word in words]):
            for concept in term.concepts:
                at.setdefault(concept, (term.start, term.end - 1))
        head = self._concepts.of_stems([word.stem for word in words_of(mention.text, 0, len(mention.text))])
        found = [
            value
            for value in attribute.values
            if value.folded not in _NOT_STATED
            and value.concepts
            and value.concepts <= at.keys()
            and not value.concepts <= set(head)
        ]
        longest = [one for one in found if not any(one.concepts < other.concepts for other in found)]
        return [
            (
                one,
                min(at[concept][0] for concept in one.concepts),
                max(at[concept][1] for concept in one.concepts),
            )
            for one in longest
        ]


def _presence(mention: Mention, attribute: Attribute) -> FilledAttribute | None:
    if attribute.is_numeric or attribute.folded.split(" of ")[0] != "presence":
        return None
    wanted = _PRESENCE_VALUES.get(mention.certainty, ())
    return next(iter(_named(attribute, wanted, mention.cue, _CERTAIN)), None)


def _named(
    attribute: Attribute, names: Sequence[str], quote: Quote | None, confidence: float
) -> Iterator[FilledAttribute]:
    """Yield the first of the values *names* that *attribute* has."""
    by_name = {value.folded: value for value in attribute.values}
    value = next((by_name[name] for name in names if name in by_name), None)
    if value is not None:
        yield _filled(attribute, value, quote, confidence)


def _quoted(text: str, words: Sequence[Word]) -> Quote | None:
    return Quote(words[0].start, words[-1].end, text[words[0].start : words[-1].end]) if words else None


def _filled(attribute: Attribute, value: Choice, quote: Quote | None, confidence: float) -> FilledAttribute:
    return FilledAttribute(
        attribute.oifma_id, attribute.name, value.code, value.name, None, "", quote, confidence
    )


def _numbers(
    mention: Mention, attributes: Sequence[Attribute], words: Sequence[Word]
) -> Iterator[FilledAttribute]:
    """Yield the numeric attributes that the measurements of a mention give, each measurement once."""
    stated = {word.text for word in words}
    for measurement in mention.measurements:
        quantity, factor = _UNITS.get(measurement.unit.lower(), ("", 1.0))
        fitting = [
            one for one in attributes if quantity and _UNITS.get(one.unit.lower(), ("",))[0] == quantity
        ]
        attribute = _meant(fitting, quantity, stated)
        if attribute is None:
            continue
        number = round(measurement.largest * factor / _UNITS[attribute.unit.lower()][1], 6)
        if (attribute.low is None or number >= attribute.low) and (
            attribute.high is None or number <= attribute.high
        ):
            yield _number(attribute, number, measurement)


def _meant(attributes: Sequence[Attribute], quantity: str, stated: set[str]) -> Attribute | None:
    """Return the one of *attributes* that a measurement is about: named by the text, or the size as such."""
    named = [one for one in attributes if _own_words(one) and _own_words(one) <= stated]
    if len(named) == 1:
        return named[0]
    if quantity == "length":
        sizes = [one for one in attributes if not _own_words(one)]
        return sizes[0] if len(sizes) == 1 else None
    return attributes[0] if len(attributes) == 1 and quantity in ("density", "angle") else None


def _own_words(attribute: Attribute) -> set[str]:
    """Return the words of the name that say more than that it is a size."""
    return {word for word in attribute.folded.replace("-", " ").split() if word not in _SIZES}


def _number(attribute: Attribute, number: float, measurement: Measurement) -> FilledAttribute:
    quote = Quote(measurement.start, measurement.end, measurement.text)
    confidence = _FAIR if measurement.is_range else _LIKELY
    return FilledAttribute(
        attribute.oifma_id, attribute.name, None, "", number, attribute.unit, quote, confidence
    )
