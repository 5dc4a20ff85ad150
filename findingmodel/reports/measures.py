"""Measurements, sides and levels in a sentence."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING

from findingmodel.reports.document import DATA
from findingmodel.reports.values import Measurement, Quote
from findingmodel.text.cues import CueTable
from findingmodel.text.tables import lines, sections

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from findingmodel.reports.document import Word

_NUMBER = r"\d+(?:[.,]\d+)?"
_LEVEL = re.compile(r"[ctls]\d{1,2}", re.IGNORECASE)
_CHANGED = ("increased", "decreased")
_LEAD = 24  # characters before a measurement
_MEASURED = ("measuring", "measures", "measured", "to", "of", "is", "at", "approximately", "about", "up")
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
    [((1.8, 1.2), 'cm'), ((45.0,), "[hnsf'U]"), ((3.0, 4.0), 'mm')]
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
        if last is not None and word.mark in ("-", "/") and word.start - last.end <= 2:
            last = Quote(last.start, word.end, f"{last.text}-{level}")
            continue
        if last is not None:
            yield last
        last = Quote(word.start, word.end, level)
    if last is not None:
        yield last


def side_of(words: Sequence[Word]) -> str:
    """Return the side that *words* state, or ""; "right and left" is "bilateral"."""
    stated = list(dict.fromkeys(side for side, _ in sides(words)))
    if {"left", "right"} <= set(stated):
        return "bilateral"
    return stated[0] if stated else ""


def change_of(words: Sequence[Word]) -> str:
    """Return the change since the last examination that *words* state, or ""; the last one counts.

    >>> from findingmodel.reports.document import words_of
    >>> text = "the nodule has increased in size"
    >>> change_of(tuple(words_of(text, 0, len(text))))
    'increased'
    """
    cues = _change_phrases().cues([word.text for word in words])
    if words and words[-1].mark == "," and words[-1].text in _CHANGED:
        return words[-1].text
    return cues[-1].kind if cues else ""


@cache
def _change_phrases() -> CueTable:
    return CueTable(dict(sections(DATA / "change.txt")))


def owner_of(size: Measurement, spans: Sequence[tuple[int, int]], text: str) -> int | None:
    """Return which of the mentions at *spans* a measurement belongs to, or None if there are none.

    That is the mention around it, the next one if nothing separates them, or else the last one before it.
    """
    before = [number for number, (start, _) in enumerate(spans) if start < size.start]
    after = [number for number, (start, _) in enumerate(spans) if start >= size.end]
    if before and (spans[before[-1]][1] >= size.end or _is_of_last(text[: size.start])):
        return before[-1]
    if after:
        between = text[size.end : spans[after[0]][0]]
        if not before or not any(mark in between for mark in (",", ";", " with ")):
            return after[0]
    return before[-1] if before else None


def _is_of_last(text: str) -> bool:
    """Return whether *text* ends with a word such as "measuring"."""
    words = text[-_LEAD:].lower().split()
    return bool(words) and words[-1].strip(",(") in _MEASURED
