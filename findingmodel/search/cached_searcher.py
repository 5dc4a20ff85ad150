"""CachedSearcher: a search that remembers, in memory and, for short-lived processes, in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, TypeVar

from findingmodel.runtime.timing import untimed
from findingmodel.search.cache import Codec, Freshness
from findingmodel.search.facets import count_tags
from findingmodel.search.hits import HitRow, Match
from findingmodel.search.searcher import Searcher

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from findingmodel.runtime.timing import Timer
    from findingmodel.search.cache import QueryCache
    from findingmodel.search.facets import TagCount
    from findingmodel.stores.protocol import Store
    from findingmodel.text.query import Query

__all__ = ["CachedSearcher", "HITS"]

T = TypeVar("T")


class _Kept:
    """Hits that are remembered, and what was made of them."""

    __slots__ = ("made", "rows")

    def __init__(self, rows: tuple[HitRow, ...]) -> None:
        self.rows = rows
        self.made: Any = None


class CachedSearcher(Searcher):
    """A Searcher that remembers its answers, each with the generation of the index that it is true of.

    Args:
        store: the index; it must be open.
        branch: which index of its database this is; *cache* may be shared by many.
        cache: where answers are kept.
        freshness: which generation the index has; if None, the store is asked each time.
        timer: measures each step of what is not remembered.
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

    async def generation(self) -> int:
        """Return the generation of the index, as fresh as was asked for."""
        return await self._freshness.generation()

    def forget(self) -> None:
        """Forget what was found in this index, and look at it anew."""
        self._cache.invalidate(self._name)
        self._freshness.forget()

    async def search(
        self, query: Query, *, limit: int = 10, offset: int = 0, generation: int | None = None
    ) -> list[HitRow]:
        """Return what `Searcher.search` does, or did for an equal query while the index was the same."""
        return list((await self._kept(query, limit, offset, generation)).rows)

    async def search_as(
        self, make: Callable[[Sequence[HitRow]], T], query: Query, *, limit: int, offset: int
    ) -> T:
        """Return what *make*, always the same function, makes of the hits; that is remembered as they are."""
        kept = await self._kept(query, limit, offset, None)
        if kept.made is None:
            kept.made = make(kept.rows)
        made: T = kept.made
        return made

    async def _kept(self, query: Query, limit: int, offset: int, generation: int | None) -> _Kept:
        current = await self.generation() if generation is None else generation
        search = super().search

        async def compute() -> _Kept:
            return _Kept(tuple(await search(query, limit=limit, offset=offset, generation=current)))

        key = (self._name, current, query, limit, offset)
        return await self._cache.get(key, compute, tag=self._name, codec=_KEPT)

    async def all_tags(self) -> list[TagCount]:
        """Return what `findingmodel.search.facets.count_tags` does, or did while the index was the same."""
        key = (self._name, await self.generation(), "all tags")
        return list(await self._cache.get(key, lambda: count_tags(self._store), tag=self._name))


def _encode(hits: tuple[HitRow, ...]) -> str:
    return json.dumps(hits, ensure_ascii=False)


def _decode(text: str) -> tuple[HitRow, ...]:
    return tuple(
        HitRow(
            entry,
            score,
            tuple(Match(stage, field, tuple(terms), part) for stage, field, terms, part in matched),
            negated,
        )
        for entry, score, matched, negated in json.loads(text)
    )


HITS: Codec[tuple[HitRow, ...]] = Codec(_encode, _decode)
"""How hits are written for the second tier of a cache."""

_KEPT: Codec[_Kept] = Codec(lambda kept: _encode(kept.rows), lambda text: _Kept(_decode(text)))
