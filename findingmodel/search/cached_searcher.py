"""CachedSearcher: a search that keeps its answers, in memory and, for short-lived processes, in a file."""

from __future__ import annotations

import json
import weakref
from typing import TYPE_CHECKING, Any, TypeVar

from findingmodel.runtime.timing import untimed
from findingmodel.search.cache import Codec, Freshness, cached
from findingmodel.search.facets import count_tags
from findingmodel.search.hits import HitRow, Match
from findingmodel.search.searcher import Searcher
from findingmodel.search.suggest import suggest

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from findingmodel.runtime.timing import Timer
    from findingmodel.search.cache import QueryCache
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow
    from findingmodel.text.query import Query

T = TypeVar("T")


class _Answer:
    """Hits in the cache, and what `CachedSearcher.search_as` made of them."""

    __slots__ = ("made", "rows")

    def __init__(self, rows: tuple[HitRow, ...]) -> None:
        self.rows = rows
        self.made: Any = None


class CachedSearcher(Searcher):
    """A Searcher that keeps its answers, each with the generation of the index that it holds for.

    Args:
        store: the index; it must be open.
        branch: the branch of this index; *cache* may be shared by several indexes.
        cache: where answers are kept.
        freshness: reads the generation of the index; if None, the store is asked each time.
        timer: measures each step of a search that is not in the cache.
    """

    def __init__(
        self,
        store: Store,
        *,
        branch: str,
        cache: QueryCache,
        freshness: Freshness | None = None,
        timer: Timer = untimed,
    ) -> None:
        super().__init__(store, timer=timer)
        self._name = f"{store.label} {branch}"
        self._cache = cache
        self._freshness = freshness or Freshness(store.generation, max_age_seconds=0)

        searcher = weakref.proxy(self)  # no cycle, which only a garbage collection would free

        @cached(cache, tag=self._name)
        async def all_tags(name: str, generation: int) -> dict[str, int]:
            return await count_tags(store)

        @cached(cache, tag=self._name)
        async def suggestions(
            name: str, generation: int, text: str, limit: int
        ) -> list[tuple[EntryRow, str]]:
            return await suggest(store, await searcher.vocabulary(generation), text, limit=limit)

        self._all_tags, self._suggestions = all_tags, suggestions

    async def generation(self) -> int:
        """Return the generation of the index, which may be as old as *freshness* allows."""
        return await self._freshness.generation()

    def forget(self) -> None:
        """Drop all answers of this index, and read its generation at the next search."""
        self._cache.invalidate(self._name)
        self._freshness.forget()

    async def search(
        self, query: Query, *, limit: int = 10, offset: int = 0, generation: int | None = None
    ) -> list[HitRow]:
        """Return what `Searcher.search` does, or did for an equal query while the index was the same."""
        return list((await self._answer(query, limit, offset, generation)).rows)

    async def search_as(
        self, make: Callable[[Sequence[HitRow]], T], query: Query, *, limit: int, offset: int
    ) -> T:
        """Return what *make* makes of the hits, and keep that too; *make* is the same function each time."""
        answer = await self._answer(query, limit, offset, None)
        if answer.made is None:
            answer.made = make(answer.rows)
        made: T = answer.made
        return made

    async def all_tags(self) -> dict[str, int]:
        """Return what `findingmodel.search.facets.count_tags` does, or did while the index was the same."""
        return dict(await self._all_tags(self._name, await self.generation()))

    async def suggest(self, text: str, *, limit: int = 10) -> list[tuple[EntryRow, str]]:
        """Return what `findingmodel.search.suggest.suggest` does, or did while the index was the same."""
        return list(await self._suggestions(self._name, await self.generation(), text, limit))

    async def _answer(self, query: Query, limit: int, offset: int, generation: int | None) -> _Answer:
        current = await self.generation() if generation is None else generation
        search = super().search

        async def compute() -> _Answer:
            return _Answer(tuple(await search(query, limit=limit, offset=offset, generation=current)))

        key = (self._name, current, query, limit, offset)
        return await self._cache.get(key, compute, tag=self._name, codec=_ANSWER)


def _encode(hits: tuple[HitRow, ...]) -> str:
    return json.dumps(hits, ensure_ascii=False)


def _decode(text: str) -> tuple[HitRow, ...]:
    hits = []
    for entry, score, matched, negated in json.loads(text):
        matches = tuple(Match(stage, field, tuple(terms), part) for stage, field, terms, part in matched)
        hits.append(HitRow(entry, score, matches, negated))
    return tuple(hits)


HITS: Codec[tuple[HitRow, ...]] = Codec(_encode, _decode)  # for the second tier of a cache
_ANSWER: Codec[_Answer] = Codec(lambda answer: _encode(answer.rows), lambda text: _Answer(_decode(text)))
