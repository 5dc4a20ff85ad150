"""remembered: answers of earlier searches, kept in memory and, for short-lived processes, in a file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from findingmodel.search.cache import Codec
from findingmodel.search.hits import HitRow, MatchRow

if TYPE_CHECKING:
    from findingmodel.search.cache import QueryCache
    from findingmodel.search.engine import Searcher
    from findingmodel.text.query import Query

__all__ = ["HITS", "remembered"]


async def remembered(
    cache: QueryCache, searcher: Searcher, query: Query, *, index: str, limit: int = 10, offset: int = 0
) -> tuple[HitRow, ...]:
    """Return the hits of *query* as `Searcher.search` does; those of an equal search, if *cache* has them.

    Args:
        cache: where answers are kept.
        searcher: the index.
        query: as parsed.
        index: what names the index among all that share *cache*: its database and branch.
        limit: most hits.
        offset: hits to pass over.
    """
    generation = await searcher.generation()

    async def search() -> tuple[HitRow, ...]:
        return tuple(await searcher.search(query, limit=limit, offset=offset, generation=generation))

    key = (index, generation, query, limit, offset)
    return await cache.get(key, search, tag=index, codec=HITS)


def _encode(hits: tuple[HitRow, ...]) -> str:
    return json.dumps(hits, ensure_ascii=False)


def _decode(text: str) -> tuple[HitRow, ...]:
    return tuple(
        HitRow(
            entry,
            score,
            tuple(MatchRow(stage, field, tuple(terms), part) for stage, field, terms, part in matched),
            negated,
        )
        for entry, score, matched, negated in json.loads(text)
    )


HITS: Codec[tuple[HitRow, ...]] = Codec(_encode, _decode)
"""How hits are written for the second tier of a cache."""
