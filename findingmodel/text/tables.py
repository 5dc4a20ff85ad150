"""What words tell, from the lists in ``data``: read once, when they are first needed."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from findingmodel.text.lines import lines, sections
from findingmodel.text.normalize import fold
from findingmodel.text.stem import stem

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["importance", "negation", "tells", "written_out"]

_DATA = Path(__file__).with_name("data")


@cache
def importance() -> Mapping[str, float]:
    """Return by word and by stem how much a word tells, where that is less than 1.

    >>> importance()["left"] < importance()["lesion"] < 1
    True
    """
    weights: dict[str, float] = {}
    for title, body in sections(_DATA / "importance.txt"):
        weight = float(title.split()[-1])
        words = fold(" ".join(body)).split()
        weights.update(dict.fromkeys([*words, *map(stem, words)], weight))
    return MappingProxyType(weights)


def tells(word: str) -> bool:
    """Return whether a word or stem tells anything about a finding, as small words do not."""
    return importance().get(word, 1.0) > 0


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
