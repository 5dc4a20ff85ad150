"""make_plan: what a query asks of an index: its words with all their readings, and how much each tells."""

from __future__ import annotations

from functools import cached_property
from math import ceil, prod
from typing import TYPE_CHECKING

from findingmodel.search import expansion as readings
from findingmodel.search.candidates import make_requests
from findingmodel.text.stem import analyze

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from findingmodel.search.candidates import Request
    from findingmodel.search.expansion import Reading
    from findingmodel.search.vocabulary import Vocabulary, WordList
    from findingmodel.text.query import Query, Word

__all__ = ["Plan", "make_plan"]

_SYNONYM = 0.85  # readings at least this good are as frequent as the word itself
_UNFINISHED = 3  # letters: a last word so short may go on
_LONGEST_ABBREVIATION = 6


class Plan:
    """A query read against the words of an index.

    Args:
        query: as parsed.
        found: what entries may have instead of its words; only what at least one entry has.
        counts: how many entries have each token of these.
        vocabulary: how many entries there are, and how telling a word is that some of them have.

    Attributes:
        words: the words of the query.
        weights: for each word, how much it tells here: its own weight times its rarity.
        label: the text of the query as a name or synonym would be analysed.
        readings: *found*.
        counts: as given.
        unknown: places of the words that no entry has in any reading.
    """

    def __init__(
        self, query: Query, found: Sequence[Reading], counts: Mapping[str, int], vocabulary: Vocabulary
    ) -> None:
        weigh = vocabulary.weight
        self._entries = max(vocabulary.entries, 1)
        self.query = query
        self.words = query.words
        self.readings = found
        self.label = " ".join(analyze(query.key))
        self.unknown = frozenset(_unread(query.words, found))
        self.counts = counts
        self.weights = [word.weight * weigh(self._frequency(place)) for place, word in enumerate(query.words)]

    @cached_property
    def requests(self) -> tuple[Request, ...]:
        """What a store is asked for, one after the other until something is found."""
        return make_requests(self)

    @cached_property
    def by_token(self) -> dict[str, list[Reading]]:
        """The readings by each of their tokens."""
        found: dict[str, list[Reading]] = {}
        for reading in self.readings:
            for token in reading.tokens:
                found.setdefault(token, []).append(reading)
        return found

    def _frequency(self, place: int) -> int:
        """Return how many entries have the word at *place*, as such or in a reading as good."""
        own = [reading for reading in self.readings if place in reading.places]
        good = [reading for reading in own if reading.quality >= _SYNONYM] or own
        return max([self._expected(reading.tokens) for reading in good], default=0)

    def _expected(self, tokens: Sequence[str]) -> int:
        """Return how many entries would have all of *tokens* if these stood anywhere by chance."""
        share = prod([self.counts[token] / self._entries for token in tokens])
        return ceil(share * self._entries)


async def make_plan(query: Query, vocabulary: Vocabulary, stages: Collection[str] = readings.STAGES) -> Plan:
    """Return the plan for *query*, which is read in the ways that *stages* names.

    The vocabulary is asked for all words at once, and for its list of written words only where a word is
    unknown or unfinished.
    """
    found = await _known(_read(query.words), stages, vocabulary)
    unread = _unread(query.words, found)
    unfinished = _is_unfinished(query)
    if unread or unfinished:
        guesses = _guess(query.words, unread, unfinished, await vocabulary.words())
        found += await _known(guesses, stages, vocabulary)
    counts = await vocabulary.count({token for reading in found for token in reading.tokens})
    return Plan(query, found, counts, vocabulary)


def _read(words: Sequence[Word]) -> list[Reading]:
    """Return what words mean that are written rightly."""
    sources = (
        readings.typed,
        readings.joined,
        readings.abbreviated,
        readings.meant,
        readings.combined,
        readings.decomposed,
    )
    return [reading for source in sources for reading in source(words)]


def _guess(words: Sequence[Word], unread: Sequence[int], unfinished: bool, known: WordList) -> list[Reading]:
    """Return what unknown words may mean: small letters for capitals, unfinished or mistyped words."""
    capitals = [word._replace(capitals=len(word.text) <= _LONGEST_ABBREVIATION) for word in words]
    abbreviations = [*readings.abbreviated(capitals), *readings.meant(capitals)]
    found = [reading for reading in abbreviations if not set(reading.places).isdisjoint(unread)]
    for place in unread:
        completed = list(readings.completed(place, words[place], known))
        found += readings.split(place, words[place], known)
        found += completed or readings.corrected(words, place, known)
    last = len(words) - 1
    if unfinished and last not in unread:
        found += readings.completed(last, words[last], known)
    return found


def _is_unfinished(query: Query) -> bool:
    last = query.words[-1] if len(query.words) > 1 else None
    return last is not None and len(last.text) <= _UNFINISHED and not last.capitals and not query.narrative


async def _known(found: Sequence[Reading], stages: Collection[str], vocabulary: Vocabulary) -> list[Reading]:
    """Return the readings of these *stages* all of whose tokens the index has."""
    wanted = [reading for reading in found if reading.stage in stages]
    counts = await vocabulary.count({token for reading in wanted for token in reading.tokens})
    return [reading for reading in wanted if all(counts[token] for token in reading.tokens)]


def _unread(words: Sequence[Word], found: Sequence[Reading]) -> list[int]:
    read = {place for reading in found for place in reading.places}
    return [place for place in range(len(words)) if place not in read]
