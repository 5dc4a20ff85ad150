"""Search many queries against one index. An invalid query fails alone."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Literal, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.search.cache import QueryCache
from findingmodel.search.hits import status_of
from findingmodel.search.rank import DECIDING
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from findingmodel.search.hits import HitRow
    from findingmodel.search.searcher import Searcher
    from findingmodel.text.query import Query

    Status = Literal["matched", "ambiguous", "unmatched", "failed"]
    Hits = tuple[HitRow, ...]

STATUSES: tuple[Status, ...] = ("matched", "ambiguous", "unmatched", "failed")
"""One clear best hit; several equal or only weak hits; no hit; not a valid query."""

_CHUNK = 100  # queries answered before the next are read
_MAX_CACHED = 5_000  # answers: reports repeat the same phrases
_DAY = 86_400.0  # seconds


class BatchRow(NamedTuple):
    """The answer to one query of a batch.

    Attributes:
        query: the query text.
        hits: the hits, best first.
        error: why the text is not a valid query, or None.
        status: one of `STATUSES`.
    """

    query: str
    hits: Hits = ()
    error: QueryError | None = None
    status: Status = "unmatched"


async def search_batch(
    searcher: Searcher,
    queries: Iterable[str],
    *,
    limit: int = 10,
    tags: Sequence[str] = (),
    concurrency: int = 1,
) -> dict[str, BatchRow]:
    """Return the answer to each distinct query, in the order of their first occurrence."""
    rows = stream_batch(searcher, dict.fromkeys(queries), limit=limit, tags=tags, concurrency=concurrency)
    return {row.query: row async for row in rows}


async def stream_batch(
    searcher: Searcher,
    queries: Iterable[str],
    *,
    limit: int = 10,
    tags: Sequence[str] = (),
    concurrency: int = 1,
) -> AsyncIterator[BatchRow]:
    """Yield the answers to *queries* in order, a chunk at a time.

    Equal queries are searched once while their answer is cached; one chunk is searched against one generation
    of the index.

    Args:
        searcher: the index.
        queries: any number of queries; they are read as the answers are consumed.
        limit: the most hits per query.
        tags: only models that have all of these tags.
        concurrency: queries searched at the same time; more than 1 needs an event loop, and helps only with
            a server.

    Raises:
        QueryError: *limit* is less than 1.
        StoreError: the store failed.
    """
    if limit < 1:
        raise QueryError(f"limit is {limit}: ask for at least one hit")
    kept = QueryCache(capacity=_MAX_CACHED, ttl_seconds=_DAY)
    iterator = iter(queries)
    while chunk := list(islice(iterator, _CHUNK)):
        parsed = {text: _parsed(text, tags) for text in chunk}
        wanted = list(dict.fromkeys(query for query in parsed.values() if not isinstance(query, QueryError)))
        answers = dict(zip(wanted, await _answers(searcher, kept, wanted, limit, concurrency), strict=True))
        for text in chunk:
            query = parsed[text]
            if isinstance(query, QueryError):
                yield BatchRow(text, error=query, status="failed")
            else:
                yield _row(text, answers[query], limit)


def _parsed(text: str, tags: Sequence[str]) -> Query | QueryError:
    try:
        return parse_query(text, tags=tags)
    except QueryError as error:
        return error


def _row(text: str, hits: Hits, limit: int) -> BatchRow:
    return BatchRow(text, hits[:limit], status=status_of(hits))


async def _answers(
    searcher: Searcher, kept: QueryCache, queries: Sequence[Query], limit: int, concurrency: int
) -> list[Hits]:
    """Return the hits of each of *queries*, all against one generation of the index."""
    generation = await searcher.generation()

    async def search(query: Query) -> Hits:
        return tuple(await searcher.search(query, limit=max(limit, DECIDING), generation=generation))

    async def answer(query: Query) -> Hits:
        return await kept.get((generation, query), lambda: search(query))

    if concurrency == 1 or len(queries) < 2:
        return [await answer(query) for query in queries]
    return await _concurrently(answer, queries, concurrency)


async def _concurrently(
    answer: Callable[[Query], Awaitable[Hits]], queries: Sequence[Query], concurrency: int
) -> list[Hits]:
    import asyncio

    answers: list[Hits] = [()] * len(queries)
    remaining = iter(enumerate(queries))

    async def work() -> None:
        for number, query in remaining:
            answers[number] = await answer(query)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(queries))):
                group.create_task(work())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the store failed, and fails for all queries
    return answers
