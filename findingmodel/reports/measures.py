"""Measurements, sides and levels in a sentence."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from findingmodel.reports.document import DATA
from findingmodel.reports.values import Measurement, Quote
from findingmodel.text.tables import lines, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from findingmodel.reports.document import Word

_NUMBER = r"\d+(?:[.,]\d+)?"
_LEVEL = re.compile(r"[ctls]\d{1,2}", re.IGNORECASE)
_SIDES = {
    "left": "left", "lt": "left", "l": "left", "leftward": "left", "lul": "left", "lll": "left",
    "right": "right", "rt": "right", "r": "right", "rightward": "right", "rul": "right", "rml": "right",
    "rll": "right", "bilateral": "bilateral", "bilaterally": "bilateral", "bibasilar": "bilateral",
    "bibasal": "bilateral", "biapical": "bilateral", "both": "bilateral", "midline": "midline",
    "unilateral": "unilateral",
}  # fmt: skip


@cache
def _units() -> Mapping[str, str]:
    """Return the UCUM code of each unit as reports write it."""
    return dict(line.split(" -> ") for line in lines(DATA / "units.txt"))


@cache
def _pattern() -> re.Pattern[str]:
    units = "|".join(sorted(map(re.escape, _units()), key=len, reverse=True))
    return re.compile(
        rf"(?<![\w.,])(?:(?P<low>{_NUMBER})\s*(?:-|to|\N{{EN DASH}})\s*)?(?P<first>{_NUMBER})"
        rf"(?P<more>(?:\s*-?(?:{units})?\s*(?:x|by|\N{{MULTIPLICATION SIGN}})\s*{_NUMBER}){{0,2}})"
        rf"\s*-?(?P<unit>{units})(?![\w/])",
        re.IGNORECASE,
    )


def measurements(text: str, start: int, end: int) -> list[Measurement]:
    """Return the measurements of *text* between two offsets, from left to right.

    >>> [(one.values, one.unit) for one in measurements("a 1.8 x 1.2 cm nodule, 45 HU, up to 3-4 mm", 0, 42)]
    [((1.8, 1.2), 'cm'), ((45.0,), '[hnsf'U]'), ((3.0, 4.0), 'mm')]
    """
    return [_measurement(match, text) for match in _pattern().finditer(text, start, end)]


def _measurement(match: re.Match[str], text: str) -> Measurement:
    numbers = [match["low"], match["first"], *re.findall(_NUMBER, match["more"])]
    values = tuple(float(number.replace(",", ".")) for number in numbers if number)
    return Measurement(
        match.start(),
        match.end(),
        match[0],
        values,
        _units()[match["unit"].lower()],
        match["low"] is not None,
    )


def sides(words: Sequence[Word]) -> Iterator[tuple[str, Word]]:
    """Yield each side that *words* state: "left", "right", "bilateral", "unilateral" or "midline"."""
    for word in words:
        side = _SIDES.get(word.text)
        if side and (len(word.text) > 1 or word.capitals):
            yield side, word


def levels(words: Sequence[Word]) -> Iterator[Quote]:
    """Yield the spinal levels that *words* state, such as "L4-L5"."""
    last: Quote | None = None
    for word in words:
        if not _LEVEL.fullmatch(word.text):
            continue
        level = word.text.upper()
        if last is not None and word.mark in ("-", "/") and word.start - last.end <= 2:  # noqa: PLR2004
            last = Quote(last.start, word.end, f"{last.text}-{level}")
            continue
        if last is not None:
            yield last
        last = Quote(word.start, word.end, level)
    if last is not None:
        yield last


@cache
def changes() -> Mapping[tuple[str, ...], str]:
    """Return the phrases that state a change since the last examination, each with its kind."""
    return {tuple(phrase.split()): kind for kind, body in sections(DATA / "change.txt") for phrase in body}
