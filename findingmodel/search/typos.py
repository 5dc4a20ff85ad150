"""Speller: the words that a mistyped word may stand for.

Few words are left to be compared letter by letter, so this needs no library: importing one would take longer
than the comparisons of a command.
"""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["Speller", "edits", "tolerance"]

_LONG_ENOUGH = (4, 8, 13)  # letters for one, two and three edits
_SHORT = 7  # letters: a word as short keeps its first one


class Speller:
    """Finds the words of a list that differ from a given one by few edits.

    An edit changes at most two letters of the set of letters that a word has, so comparing these sets, as
    bits, leaves few words to compare letter by letter.

    >>> Speller(["liver", "livedo", "kidney"]).similar("livr")
    [('liver', 1)]
    """

    def __init__(self, words: Iterable[str]) -> None:
        by_length: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        for word in words:
            by_length[len(word)].append((_letters(word), word))
        self._by_length = dict(by_length)

    def similar(self, word: str) -> list[tuple[str, int]]:
        """Return the words nearest to *word*, and their edits; none beyond its `tolerance`."""
        most = tolerance(word)
        found = sorted((distance, other) for other, distance in self._near(word, most)) if most else []
        return [(other, distance) for distance, other in found if distance == found[0][0]]

    def _near(self, word: str, most: int) -> Iterator[tuple[str, int]]:
        letters = _letters(word)
        for length in range(len(word) - most, len(word) + most + 1):
            for other_letters, other in self._by_length.get(length, ()):
                if (letters ^ other_letters).bit_count() <= 2 * most:
                    distance = edits(word, other, most)
                    if distance <= most and (other[0] == word[0] or length > _SHORT):
                        yield other, distance


def tolerance(word: str) -> int:
    """Return how many edits may be a typo of *word*; none where it is short or has a digit."""
    if not word.isalpha():
        return 0
    return sum(len(word) >= length for length in _LONG_ENOUGH)


def edits(one: str, other: str, most: int) -> int:
    """Return the optimal string alignment distance: insertions, deletions, substitutions, swaps of neighbors.

    Distances greater than *most* are reported as ``most + 1``. See
    https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance#Optimal_string_alignment_distance

    >>> edits("pnuemonia", "pneumonia", 2), edits("liver", "kidney", 2)
    (1, 3)
    """
    before_last: list[int] = []
    last = list(range(len(other) + 1))
    for row, letter in enumerate(one, 1):
        current = [row]
        for column, other_letter in enumerate(other, 1):
            cost = min(last[column] + 1, current[-1] + 1, last[column - 1] + (letter != other_letter))
            swapped = row > 1 and column > 1 and letter == other[column - 2] and one[row - 2] == other_letter
            current.append(min(cost, before_last[column - 2] + 1) if swapped else cost)
        if min(current) > most:
            return most + 1
        before_last, last = last, current
    return min(last[-1], most + 1)


def _letters(word: str) -> int:
    """Return the set of letters of *word* as bits; some letters share one, for a small integer."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits
