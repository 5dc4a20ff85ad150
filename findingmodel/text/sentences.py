"""Split a report into sentences, each of which is searched as a query."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_WRAPPED = re.compile(r"(?<![.!?;:\n])\r?\n[ \t]*(?=[a-z])")
_ITEM = re.compile(r"^(?:[-•*>]+|\(?\d{1,2}[.)](?!\d))\s*")
_STOP = re.compile(r"(?<=[.!?;])\s+")
_ABBREVIATED = re.compile(
    r"\b(?:approx|ca|cf|dr|eg|e\.g|fig|ie|i\.e|incl|max|min|mr|mrs|ms|resp|st|vs|[a-z])\.$", re.IGNORECASE
)
_WORD = re.compile(r"[^\W\d_]{2}")


def sentences(text: str) -> list[str]:
    r"""Return the sentences of *text*, without headings, bullets and item numbers.

    A sentence ends at a full stop or semicolon, except after an abbreviation, and at the end of a line,
    unless the next line begins in lower case.

    >>> sentences("IMPRESSION:\n1. No PE. 2.5 cm mass vs. cyst\nin the liver; stable\n- Hiatal hernia.")
    ['No PE.', '2.5 cm mass vs. cyst in the liver;', 'stable', 'Hiatal hernia.']
    """
    lines = _WRAPPED.sub(" ", text).splitlines()
    split = [sentence for line in lines for sentence in _of_line(_ITEM.sub("", line.strip()))]
    return [sentence for sentence in split if _WORD.search(sentence) and not sentence.endswith(":")]


def _of_line(line: str) -> Iterator[str]:
    open_sentence = ""
    for part in _STOP.split(line):
        open_sentence = f"{open_sentence} {part}".strip()
        if not _ABBREVIATED.search(open_sentence):
            yield open_sentence
            open_sentence = ""
    if open_sentence:
        yield open_sentence
