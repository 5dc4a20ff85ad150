"""Few and bounded commands: long lists go in chunks, independent commands at the same time."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pymongo.errors import BulkWriteError, ConnectionFailure

from findingmodel.stores.mongo.errors import not_written
from findingmodel.stores.mongo.pool import settled

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Iterator

__all__ = ["BATCH", "CHUNK", "delete", "each_among", "find_among", "in_turn", "together", "upsert"]

T = TypeVar("T")

BATCH = 1_000_000
"""Documents a reply may hold, which is to say: as many as fit in the 16 MB that MongoDB allows it."""

CHUNK = 1_000
"""Keys of one ``$in``, and operations of one bulk write."""

_CONCURRENT_CHUNKS = 4

_is_in_turn: ContextVar[bool] = ContextVar("findingmodel_in_turn", default=False)


async def find_among(
    collection: Any, field: str, keys: Collection[str], projection: dict[str, int] | None
) -> list[dict[str, Any]]:
    """Return the documents with any of *keys* in *field*, each once: one command a thousand keys."""
    gate = asyncio.Semaphore(_CONCURRENT_CHUNKS)

    async def find(chunk: list[str]) -> list[dict[str, Any]]:
        async with gate:
            cursor = collection.find({field: {"$in": chunk}}, projection, batch_size=BATCH)
            found: list[dict[str, Any]] = await cursor.to_list(None)
            return found

    parts = await together(*(find(chunk) for chunk in _chunks(dict.fromkeys(keys))))
    return list({document["_id"]: document for part in parts for document in part}.values())


async def each_among(
    collection: Any, field: str, keys: Collection[str], projection: dict[str, int]
) -> AsyncIterator[dict[str, Any]]:
    """Yield the documents with any of *keys* in *field*, one reply at a time in memory."""
    for chunk in _chunks(dict.fromkeys(keys)):
        cursor = collection.find({field: {"$in": chunk}}, projection, batch_size=BATCH)
        try:
            async for document in cursor:
                yield document
        finally:
            await settled(cursor.close())


async def upsert(collection: Any, operations: Iterable[Any]) -> dict[str, str]:
    """Send *operations* (replacements and updates), in no order: one command a thousand.

    Returns:
        Why the server did not write some documents, by their ids; it wrote all the others.
    """
    reasons: dict[str, str] = {}
    for chunk in _chunks(operations):
        try:
            await collection.bulk_write(chunk, ordered=False)
        except BulkWriteError as error:
            reasons |= not_written(error)
    return reasons


async def delete(collection: Any, ids: Collection[str]) -> None:
    """Delete by id: one command a thousand."""
    for chunk in _chunks(ids):
        await collection.delete_many({"_id": {"$in": chunk}})


@contextmanager
def in_turn() -> Iterator[None]:
    """Let `together` run one command after the other within the block."""
    token = _is_in_turn.set(True)
    try:
        yield
    finally:
        _is_in_turn.reset(token)


async def together(*commands: Coroutine[Any, Any, T]) -> list[T]:
    """Return the results of all *commands*; or raise the most telling error, when all have come to an end."""
    if _is_in_turn.get():
        return await _one_by_one(commands)
    results = await asyncio.gather(*commands, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures:
        # A refused login closes the connections of the other commands: what they say is a consequence.
        raise min(failures, key=lambda failure: isinstance(failure, ConnectionFailure))
    return [result for result in results if not isinstance(result, BaseException)]


async def _one_by_one(commands: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
    waiting = list(commands)
    try:
        return [await waiting.pop(0) for _ in range(len(waiting))]
    finally:
        for command in waiting:
            command.close()


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
