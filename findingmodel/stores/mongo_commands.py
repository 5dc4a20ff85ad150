"""Few and bounded commands: long lists go in chunks, independent commands at the same time."""

from __future__ import annotations

import asyncio
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from pymongo.errors import ConnectionFailure

if TYPE_CHECKING:
    from collections.abc import Awaitable, Collection, Iterable, Iterator

__all__ = ["BATCH", "CHUNK", "delete", "find_among", "together", "upsert"]

T = TypeVar("T")

BATCH = 1_000_000
"""Documents a reply may hold, which is to say: as many as fit in the 16 MB that MongoDB allows it."""

CHUNK = 1_000
"""Keys of one ``$in``, and operations of one bulk write."""

_CONCURRENT_CHUNKS = 4


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


async def upsert(collection: Any, operations: Iterable[Any]) -> None:
    """Send *operations* (replacements and updates), in no order: one command a thousand."""
    for chunk in _chunks(operations):
        await collection.bulk_write(chunk, ordered=False)


async def delete(collection: Any, ids: Collection[str]) -> None:
    """Delete by id: one command a thousand."""
    for chunk in _chunks(ids):
        await collection.delete_many({"_id": {"$in": chunk}})


async def together(*commands: Awaitable[T]) -> list[T]:
    """Return the results of all *commands*; or raise the most telling error, when all have come to an end."""
    results = await asyncio.gather(*commands, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures:
        # A refused login closes the connections of the other commands: what they say is a consequence.
        raise min(failures, key=lambda failure: isinstance(failure, ConnectionFailure))
    return [result for result in results if not isinstance(result, BaseException)]


def _chunks(items: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(items)
    while chunk := list(islice(iterator, CHUNK)):
        yield chunk
