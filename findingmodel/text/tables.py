"""The word lists in ``data``: read once, when they are first needed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from findingmodel.text.normalize import fold
from findingmodel.text.stem import stem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["importance", "lines", "negation", "sections", "written_out"]

_DATA = Path(__file__).with_name("data")


def lines(path: Path) -> Iterator[str]:
    """Yield the lines of a table that are neither empty nor a remark."""
    for line in path.read_text(encoding="utf-8").splitlines():
        text = line.partition("#")[0].strip()
        if text:
            yield text


def sections(path: Path) -> Iterator[tuple[str, list[str]]]:
    """Yield each ``[title]`` of a table with the lines below it."""
    title = ""
    body: list[str] = []
    for line in lines(path):
        if line.startswith("[") and line.endswith("]"):
            if title:
                yield title, body
            title, body = line[1:-1].strip(), []
        else:
            body.append(line)
    if title:
        yield title, body


@cache
def importance() -> Mapping[str, float]:
    """Return by word and by stem how much a word tells, where that is less than 1.

    >>> importance()["left"] < importance()["lesion"] < 1
    True
    """
    weights: dict[str, float] = {}
    for title, body in sections(_DATA / "importance.txt"):
        weight = float(title.split()[-1])
        words = [fold(word) for line in body for word in line.split()]
        weights.update(dict.fromkeys([*words, *map(stem, words)], weight))
    return MappingProxyType(weights)


@cache
def negation() -> Mapping[str, tuple[tuple[str, ...], ...]]:
    """Return the cues of each kind, by the titles in the file, as their words, the longest first."""
    return MappingProxyType(
        {
            title: tuple(sorted((tuple(cue.split()) for cue in body), key=len, reverse=True))
            for title, body in sections(_DATA / "negation.txt")
        }
    )


def written_out(text: str) -> str:
    """Return *text* with its shorthand written out.

    >>> written_out("Cyst w/o septa, r/o PE")
    'Cyst without septa, rule out PE'
    """
    pattern, words = _shorthand()
    return pattern.sub(lambda found: words[found[0].lower()], text)


@cache
def _shorthand() -> tuple[re.Pattern[str], Mapping[str, str]]:
    words = dict(line.split(" -> ") for line in lines(_DATA / "shorthand.txt"))
    ends = [re.escape(word) + ("" if word.endswith("/") else r"(?![\w/])") for word in words]
    longest_first = "|".join(sorted(ends, key=len, reverse=True))
    return re.compile(rf"(?<![\w/])(?:{longest_first})", re.IGNORECASE | re.ASCII), words
