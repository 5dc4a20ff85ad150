"""The meaning of words as vectors: words and labels that mean the same lie close together.

The table ``data/meaning.bin`` is made by ``scripts/train_meaning.py``; ``docs/meaning.md`` says of what. It
is mapped into memory, not read, and its words are found by bisection, so a search that needs ten words reads
ten.

A label is the sum of its words' vectors. Instead of adding them up, `Affinity` keeps the product of each word
with the query: labels share few words, and nothing has to be stored with an index. The length of a label is
that of words at right angles, the root of the sum of squares, which needs no products.
"""

from __future__ import annotations

import json
import mmap
import zlib
from functools import cache, lru_cache
from math import hypot
from operator import mul
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

PATH = Path(__file__).with_name("data") / "meaning.bin"
FORMAT = 1
ALIGNMENT = 64
"""Bytes; each section of the file begins at a multiple."""
RUN_LENGTHS = (3, 4, 5)
"""Of the runs of letters that stand for a word that is not in the table."""
PERCENT = 255
"""A similarity of 1 in the file."""


class Sense(NamedTuple):
    """The vector of a word: *numbers* times *scale*, and its *length*."""

    numbers: Sequence[float]
    scale: float
    length: float


class MeaningTable:
    """The vectors of words, read from a file.

    The file begins with a line of JSON: ``dimensions``, ``words`` (their number), ``buckets``,
    ``neighbours``, and ``letters``, the scale of the buckets. Sections follow, each aligned, little-endian:
    where each word begins in the next section (uint32), the sorted words (UTF-8), scales and lengths of
    their vectors (float32), vectors (int8), vectors of the buckets (int8), numbers of the nearest words
    (uint16), and how near these are (uint8, `PERCENT` is 1).

    Raises:
        ValueError: the file has another format.
    """

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        header = json.loads(self._bytes.readline())
        if header["format"] != FORMAT:
            raise ValueError(f"{path}: format {header['format']}, not {FORMAT}")
        self._size: int = header["dimensions"]
        self._count: int = header["words"]
        self._buckets: int = header["buckets"]
        self._width: int = header["neighbours"]
        self._letters_scale: float = header["letters"]
        self._at = self._bytes.tell()
        self._starts = self._section(4 * (self._count + 1)).cast("I")
        self._words = self._section(self._starts[self._count])
        self._scales = self._section(4 * self._count).cast("f")
        self._lengths = self._section(4 * self._count).cast("f")
        self._vectors = self._section(self._size * self._count).cast("b")
        self._letters = self._section(self._size * self._buckets).cast("b")
        self._nearest = self._section(2 * self._width * self._count).cast("H")
        self._nearness = self._section(self._width * self._count)
        self.sense = lru_cache(maxsize=4_096)(self._sense)
        self.neighbours = lru_cache(maxsize=1_024)(self._neighbours)

    def _section(self, size: int) -> memoryview:
        start = -(-self._at // ALIGNMENT) * ALIGNMENT
        self._at = start + size
        return memoryview(self._bytes)[start : self._at]

    def __contains__(self, word: str) -> bool:
        return self._number(word) is not None

    def _sense(self, word: str) -> Sense:
        """Return the vector of *word*, a stem; of a word that is not in the table by its letters."""
        number = self._number(word)
        if number is None:
            return self._spelled(word)
        start = number * self._size
        numbers = tuple(self._vectors[start : start + self._size])
        return Sense(numbers, self._scales[number], self._lengths[number])

    def _spelled(self, word: str) -> Sense:
        runs = letter_runs(word)
        starts = [zlib.crc32(run.encode()) % self._buckets * self._size for run in runs]
        rows = [self._letters[start : start + self._size] for start in starts]
        numbers = tuple(map(sum, zip(*rows, strict=True))) if rows else (0,) * self._size
        scale = self._letters_scale / (len(rows) or 1) ** 0.5
        return Sense(numbers, scale, scale * hypot(*numbers))

    def _neighbours(self, word: str) -> tuple[tuple[str, float], ...]:
        """Return the words nearest to *word*, with their similarity from 0 to 1, the nearest first."""
        number = self._number(word)
        if number is None:
            return ()
        row = range(number * self._width, (number + 1) * self._width)
        return tuple(
            (self._word(self._nearest[place]), self._nearness[place] / PERCENT)
            for place in row
            if self._nearness[place]
        )

    def _number(self, word: str) -> int | None:
        """Return the row of *word*, by bisection."""
        wanted = word.encode()
        low, high = 0, self._count
        while low < high:
            middle = (low + high) // 2
            if self._encoded(middle) < wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < self._count and self._encoded(low) == wanted else None

    def _encoded(self, number: int) -> bytes:
        return bytes(self._words[self._starts[number] : self._starts[number + 1]])

    def _word(self, number: int) -> str:
        return self._encoded(number).decode()


@cache
def meaning_table() -> MeaningTable:
    """Return the table of this package."""
    return MeaningTable(PATH)


def letter_runs(word: str) -> list[str]:
    """Return all runs of three to five letters of *word*, whose ends are marked.

    >>> letter_runs("cyst")[:3]
    ['<cy', 'cys', 'yst']
    """
    marked = f"<{word}>"
    return [marked[at : at + size] for size in RUN_LENGTHS for at in range(len(marked) - size + 1)]


class Affinity:
    """How near labels are to a query, from about 0, unrelated, to about 1, the same.

    Args:
        tokens: the stems of the query.
        table: the meaning of words.

    >>> near = Affinity(["lung", "clot"])
    >>> near.to(["pulmonari", "embol"]) > 0.5 > near.to(["renal", "cyst"])
    True
    """

    def __init__(self, tokens: Iterable[str], table: MeaningTable | None = None) -> None:
        self._table = table or meaning_table()
        senses = list(map(self._table.sense, tokens))
        length = hypot(*[sense.length for sense in senses]) or 1.0
        rows = [[sense.scale / length * number for number in sense.numbers] for sense in senses]
        self._query = list(map(sum, zip(*rows, strict=True)))
        self._products: dict[str, float] = {}

    def products(self, tokens: Iterable[str]) -> Callable[[str], float]:
        """Return a function from each of *tokens* to its product with the query.

        The sum over the words of a label, divided by its `length_of`, is how near the label is.
        """
        products = self._products
        for token in tokens:
            if token not in products:
                sense = self._table.sense(token)
                products[token] = sum(map(mul, self._query, sense.numbers)) * sense.scale
        return products.__getitem__

    def to(self, tokens: Sequence[str]) -> float:
        """Return how near a label of these stems is."""
        return sum(map(self.products(tokens), tokens)) / (length_of(tokens, self._table) or 1.0)


def length_of(tokens: Iterable[str], table: MeaningTable | None = None) -> float:
    """Return the length of a label of these stems."""
    sense = (table or meaning_table()).sense
    return hypot(*[sense(token).length for token in tokens])
