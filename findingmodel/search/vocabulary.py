"""Vocabulary: how many entries of an index have each token, and the written words, for prefixes and typos.

`edits` is our own because a first search must be fast: importing ``rapidfuzz`` takes 6 ms, `Speller` 2 ms.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from functools import lru_cache
from math import log1p
from typing import TYPE_CHECKING

from findingmodel.runtime.single_flight import SingleFlight
from findingmodel.text.normalize import tokenize
from findingmodel.text.stem import american

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import LabelRow

_LONG_ENOUGH = (4, 8, 13)  # letters for one, two and three edits
_SHORT = 7  # letters: the first letter of a word as short is not mistyped


class Speller:
    """Finds the words of a list that are a few edits away from a given word.

    An edit changes the set of letters of a word by at most two, so comparing these sets, as bits, leaves few
    words to compare letter by letter.

    >>> Speller(["liver", "livedo", "kidney"]).similar("livr")
    [('liver', 1)]
    """

    def __init__(self, words: Iterable[str]) -> None:
        by_length: defaultdict[int, list[tuple[int, str]]] = defaultdict(list)
        for word in words:
            by_length[len(word)].append((_letters(word), word))
        self._by_length = dict(by_length)

    def similar(self, word: str) -> list[tuple[str, int]]:
        """Return the words nearest to *word* within its `tolerance`, with the number of edits."""
        most = tolerance(word)
        found = sorted((distance, other) for other, distance in self._within(word, most)) if most else []
        return [(other, distance) for distance, other in found if distance == found[0][0]]

    def _within(self, word: str, most: int) -> Iterator[tuple[str, int]]:
        letters = _letters(word)
        for length in range(len(word) - most, len(word) + most + 1):
            for other_letters, other in self._by_length.get(length, ()):
                if (letters ^ other_letters).bit_count() <= 2 * most:
                    distance = edits(word, other, most)
                    if distance <= most and (other[0] == word[0] or length > _SHORT):
                        yield other, distance


def tolerance(word: str) -> int:
    """Return how many edits in *word* may be a typo; 0 if it is short or has a digit."""
    if not word.isalpha():
        return 0
    return sum(len(word) >= length for length in _LONG_ENOUGH)


def edits(one: str, other: str, most: int) -> int:
    """Return how many insertions, deletions, substitutions and swaps of neighbors turn *one* into *other*.

    This is the optimal string alignment distance; if it is greater than *most*, ``most + 1`` is returned. See
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
    """Return the set of letters of *word* as bits; some letters share one, which keeps the integer small."""
    bits = 0
    for letter in word:
        bits |= 1 << (ord(letter) & 31)
    return bits


_SHORTEST_WORD = 2
_OFTEN, _SMALL = 20, 5_000  # the 20th question of an index of at most 5,000 entries asks for all tokens
_MAX_COUNTED = 100_000  # tokens whose counts are kept; a batch of millions of queries may ask for more


class WordList:
    """The words of names and synonyms, in American spelling.

    Args:
        counts: how often each folded word occurs in names and synonyms.

    >>> words = WordList({"pneumonia": 3, "pneumothorax": 5, "liver": 2})
    >>> words.starting("pneum", limit=5), words.similar("livr"), words.similar("pnuemonia")
    (['pneumothorax', 'pneumonia'], (('liver', 1),), (('pneumonia', 1),))
    """

    def __init__(self, counts: Mapping[str, int]) -> None:
        self._counts = counts
        self._sorted = sorted(counts)
        self._speller: Speller | None = None
        self.similar = lru_cache(maxsize=4_096)(self._similar)

    def __len__(self) -> int:
        return len(self._sorted)

    def __contains__(self, word: str) -> bool:
        return word in self._counts

    def starting(self, prefix: str, limit: int) -> list[str]:
        """Return at most *limit* words that start with *prefix*, the most frequent first."""
        first = bisect_left(self._sorted, prefix)
        last = bisect_left(self._sorted, prefix + "\U0010ffff")
        return sorted(self._sorted[first:last], key=lambda word: (-self._counts[word], word))[:limit]

    def _similar(self, word: str) -> tuple[tuple[str, int], ...]:
        """Return the words that *word* may be a typo of, with the number of edits."""
        if self._speller is None:
            self._speller = Speller(self._sorted)
        return tuple(self._speller.similar(word))


class Vocabulary:
    """The words of one generation of one index, read from its `TermIndex` as they are needed.

    Written words are read once, when one is unknown. If the store has no list of them, or cannot count
    cheaply, all names are read.

    Attributes:
        entries: how many entries the index has; 0 before the first question.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: dict[str, int] = {}
        self._words: WordList | None = None
        self._complete = False
        self._questions = 0
        self._flight = SingleFlight()
        self.entries = 0

    async def count(self, tokens: Collection[str]) -> Mapping[str, int]:
        """Return in how many entries *tokens* occur, 0 if in none; the result may have other tokens too."""
        if not self._complete:
            missing = [token for token in tokens if token not in self._counts]
            if len(self._counts) > _MAX_COUNTED:
                self._counts, missing = {}, list(tokens)
            if missing:
                await self._ask(missing)
        return self._counts

    async def _ask(self, tokens: Sequence[str]) -> None:
        self._questions += 1
        asked = None if self._questions == _OFTEN and self.entries <= _SMALL else tokens
        found = await self._store.terms.frequencies(asked)
        if found is None:
            await self._flight.share("counts", self._read_counts)
        elif asked is None:
            self._counts, self._complete = Counter(found.counts), True
        else:
            self.entries = found.entries
            self._counts.update({token: found.counts.get(token, 0) for token in tokens})

    async def words(self) -> WordList:
        """Return the words of all names and synonyms."""
        if self._words is None:
            self._words = await self._flight.share("words", self._read_words)
        return self._words

    def rarity(self, count: int) -> float:
        """Return how rare a word of *count* entries is: 1 for none, near 0 for all."""
        entries = max(self.entries, count)
        return log1p((entries - count + 0.5) / (count + 0.5)) / log1p((entries + 0.5) / 0.5)

    async def _read_words(self) -> WordList:
        words = await self._store.terms.words()
        if words is None:
            words = Counter()
            async for rows in self._store.terms.iter_labels():
                words.update(_words_of(rows))
        return WordList(_respelled(words))

    async def _read_counts(self) -> None:
        """Count what the store cannot, and collect the words as well, because reading takes the time."""
        tokens: Counter[str] = Counter()
        words: Counter[str] = Counter()
        entries = 0
        async for rows in self._store.terms.iter_labels():
            entries += len(rows)
            words.update(_words_of(rows))
            for row in rows:
                tokens.update(set(" ".join(row.terms).split()))
        self._counts, self.entries = tokens, entries  # a Counter returns 0 for a missing token
        self._complete = True
        self._words = WordList(_respelled(words))


def _words_of(rows: Sequence[LabelRow]) -> list[str]:
    return tokenize("\n".join([name for row in rows for name in (row.name, *row.synonyms)]))


def _respelled(words: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of the words to complete or correct to, by American spelling."""
    respelled: dict[str, int] = {}
    for word, count in words.items():
        if len(word) >= _SHORTEST_WORD and not word.isdigit():
            spelled = american(word)
            respelled[spelled] = respelled.get(spelled, 0) + count
    return respelled
