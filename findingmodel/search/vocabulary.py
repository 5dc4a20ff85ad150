"""Vocabulary: in how many entries tokens occur, and the written words, for prefixes and typos."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from functools import lru_cache
from math import log1p
from typing import TYPE_CHECKING

from findingmodel.search.flight import Flight
from findingmodel.search.typos import Speller
from findingmodel.text.normalize import tokenize
from findingmodel.text.stem import american

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import LexiconRow

__all__ = ["Vocabulary", "WordList"]

_SHORTEST_WORD = 2
_OFTEN, _SMALL = 20, 5_000  # after so many questions of so few entries the next one is for all tokens
_MOST_COUNTED = 100_000  # tokens whose counts are kept; a batch of millions of queries may ask for more


class WordList:
    """The words of names and synonyms, in American spelling.

    Args:
        counts: how often each folded word stands in names and synonyms.

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
    """What one generation of one index knows of words; filled as it is asked.

    Written words are read once, when one is unknown (`Store.words`); where a store has no list of them or
    cannot count cheaply, all names are (`Store.lexicon`).

    Attributes:
        entries: how many entries the index has; 0 before the first question.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._counts: dict[str, int] = {}
        self._words: WordList | None = None
        self._complete = False
        self._questions = 0
        self._flight = Flight()
        self.entries = 0

    async def count(self, tokens: Collection[str]) -> Mapping[str, int]:
        """Return in how many entries *tokens* occur, 0 for words of no entry; others may be in it too."""
        if not self._complete:
            missing = [token for token in tokens if token not in self._counts]
            if len(self._counts) > _MOST_COUNTED:
                self._counts, missing = {}, list(tokens)
            if missing:
                await self._ask(missing)
        return self._counts

    async def _ask(self, tokens: Sequence[str]) -> None:
        self._questions += 1
        wanted = None if self._questions == _OFTEN and self.entries <= _SMALL else tokens
        found = await self._store.frequencies(wanted)
        if found is None:
            await self._flight.share("counts", self._read_counts)
        elif wanted is None:
            self._counts, self._complete = Counter(found.counts), True
        else:
            self.entries = found.entries
            self._counts.update({token: found.counts.get(token, 0) for token in tokens})

    async def words(self) -> WordList:
        """Return the words of all names and synonyms."""
        if self._words is None:
            self._words = await self._flight.share("words", self._read_words)
        return self._words

    def weight(self, count: int) -> float:
        """Return how telling a word is that *count* entries have: 1 for none, near 0 for all."""
        entries = max(self.entries, count)
        return log1p((entries - count + 0.5) / (count + 0.5)) / log1p((entries + 0.5) / 0.5)

    async def _read_words(self) -> WordList:
        words = await self._store.words()
        if words is None:
            words = Counter()
            async for rows in self._store.lexicon():
                words.update(_words_of(rows))
        return WordList(_respelled(words))

    async def _read_counts(self) -> None:
        """Count what the store cannot, and note the words on the way, for reading is what takes time."""
        tokens: Counter[str] = Counter()
        words: Counter[str] = Counter()
        entries = 0
        async for rows in self._store.lexicon():
            entries += len(rows)
            words.update(_words_of(rows))
            for row in rows:
                tokens.update(set(" ".join(row.terms).split()))
        self._counts, self.entries = tokens, entries  # a Counter has 0 for what it lacks
        self._complete = True
        self._words = WordList(_respelled(words))


def _words_of(rows: Sequence[LexiconRow]) -> list[str]:
    return tokenize("\n".join([name for row in rows for name in (row.name, *row.synonyms)]))


def _respelled(words: Mapping[str, int]) -> dict[str, int]:
    """Return the counts of words worth completing or correcting to, by American spelling."""
    respelled: dict[str, int] = {}
    for word, count in words.items():
        if len(word) >= _SHORTEST_WORD and not word.isdigit():
            spelled = american(word)
            respelled[spelled] = respelled.get(spelled, 0) + count
    return respelled
