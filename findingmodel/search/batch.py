"""Batch search: many queries against one index; one bad query is its own outcome and stops no other."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence

    from findingmodel.search.engine import Searcher
    from findingmodel.search.hits import HitRow
    from findingmodel.text.query import Query

__all__ = ["BatchRow", "search_batch", "stream_batch"]

_CHUNK = 500


class BatchRow(NamedTuple):
    """What became of one query of a batch.

    Attributes:
        query: as given.
        hits: best first; empty if nothing answers it.
        error: why it is no query; None if it is one.
    """

    query: str
    hits: tuple[HitRow, ...] = ()
    error: QueryError | None = None


async def search_batch(
    searcher: Searcher,
    queries: Iterable[str],
    *,
    limit: int = 10,
    tags: Sequence[str] = (),
    concurrency: int = 1,
) -> dict[str, BatchRow]:
    """Return what became of each distinct query, in the order of their first mention."""
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
    """Yield what became of each query, in their order, as soon as its chunk is done.

    Equal queries are searched once a chunk, and all of a chunk against one state of the index.

    Args:
        searcher: the index.
        queries: any number; they are read as they are needed.
        limit: hits for each query.
        tags: required of every hit.
        concurrency: queries under way at once; more than 1 needs an event loop, and pays where a server
            answers.
    """
    iterator = iter(queries)
    while chunk := list(islice(iterator, _CHUNK)):
        parsed = {text: _parsed(text, tags) for text in chunk}
        wanted = list(dict.fromkeys(query for query in parsed.values() if not isinstance(query, QueryError)))
        answers = dict(zip(wanted, await _answers(searcher, wanted, limit, concurrency), strict=True))
        for text in chunk:
            query = parsed[text]
            yield (
                BatchRow(text, error=query)
                if isinstance(query, QueryError)
                else BatchRow(text, answers[query])
            )


def _parsed(text: str, tags: Sequence[str]) -> Query | QueryError:
    try:
        return parse_query(text, tags=tags)
    except QueryError as error:
        return error


async def _answers(
    searcher: Searcher, queries: Sequence[Query], limit: int, concurrency: int
) -> list[tuple[HitRow, ...]]:
    """Return the hits of each of *queries*, all against one generation of the index."""
    generation = await searcher.generation()

    async def answer(query: Query) -> tuple[HitRow, ...]:
        return tuple(await searcher.search(query, limit=limit, generation=generation))

    if concurrency == 1 or len(queries) < 2:
        return [await answer(query) for query in queries]
    return await _concurrently(answer, queries, concurrency)


async def _concurrently(
    answer: Callable[[Query], Awaitable[tuple[HitRow, ...]]], queries: Sequence[Query], concurrency: int
) -> list[tuple[HitRow, ...]]:
    import asyncio

    answers: list[tuple[HitRow, ...]] = [()] * len(queries)
    remaining = iter(enumerate(queries))

    async def work() -> None:
        for number, query in remaining:
            answers[number] = await answer(query)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(min(concurrency, len(queries))):
                group.create_task(work())
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from None  # the store failed: it fails for all of them
    return answers
