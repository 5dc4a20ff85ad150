"""The word lists in ``data``: read once, when they are first needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from findingmodel.text.normalize import fold
from findingmodel.text.stem import stem

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["importance", "lines", "negation", "sections"]

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
