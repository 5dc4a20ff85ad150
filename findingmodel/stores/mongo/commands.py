"""Few and bounded commands: long lists are sent in chunks, independent commands concurrently."""

from __future__ import annotations

import asyncio
from contextlib import contextmanager
from contextvars import ContextVar
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from pymongo.errors import BulkWriteError, ConnectionFailure, ExecutionTimeout, NetworkTimeout

from findingmodel.stores.mongo.errors import brief, is_content_refused, not_written
from findingmodel.stores.mongo.pool import maybe_await

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Coroutine, Iterable, Iterator, Sequence

T = TypeVar("T")

BATCH = 1_000_000
"""Documents in one reply; in effect as many as fit in the 16 MB that MongoDB allows a reply."""

CHUNK = 1_000
"""Keys of one ``$in``, and operations of one bulk write."""

_CONCURRENT_CHUNKS = 4
_LEAST_CHUNK = 10  # a server that takes too long for so few documents is not helped by fewer
_MOST_REFUSALS = (
    10  # of single documents, in a chunk of which none is written: the documents are not to blame
)

_is_sequential: ContextVar[bool] = ContextVar("findingmodel_one_at_a_time", default=False)


async def find_among(
    collection: Any, field: str, keys: Collection[str], projection: dict[str, int] | None
) -> list[dict[str, Any]]:
    """Return the documents with any of *keys* in *field*, each once: one command per thousand keys."""
    gate = asyncio.Semaphore(_CONCURRENT_CHUNKS)

    async def find(chunk: list[str]) -> list[dict[str, Any]]:
        async with gate:
            cursor = collection.find({field: {"$in": chunk}}, projection, batch_size=BATCH)
            found: list[dict[str, Any]] = await cursor.to_list(None)
            return found

    parts = await gather_all(*(find(chunk) for chunk in _chunks(dict.fromkeys(keys))))
    return list({document["_id"]: document for part in parts for document in part}.values())


async def iter_among(
    collection: Any, field: str, keys: Collection[str], projection: dict[str, int]
) -> AsyncIterator[dict[str, Any]]:
    """Yield the documents with any of *keys* in *field*, holding one reply in memory at a time."""
    for chunk in _chunks(dict.fromkeys(keys)):
        cursor = collection.find({field: {"$in": chunk}}, projection, batch_size=BATCH)
        try:
            async for document in cursor:
                yield document
        finally:
            await maybe_await(cursor.close())


class DocumentWrite(NamedTuple):
    """A replacement or update of one document."""

    id: str
    operation: Any


class BulkWriter:
    """Sends writes in bulk, in smaller chunks after a server that took too long for a larger one."""

    def __init__(self) -> None:
        self._size = CHUNK

    async def send(self, collection: Any, writes: Iterable[DocumentWrite]) -> dict[str, str]:
        """Send *writes*, unordered: one command per thousand.

        A chunk that the server refuses as a whole is sent in halves, until the documents are found that it
        refuses; within a transaction, which the first refusal ends, the refusal is raised.

        Returns:
            By id, why the server did not write some of the documents; it wrote all the others.

        Raises:
            PyMongoError: the server refused for a reason that is not about documents, or refused one document
                after the other and wrote none.
        """
        reasons: dict[str, str] = {}
        iterator = iter(writes)
        while chunk := list(islice(iterator, min(self._size, CHUNK))):
            await self._send(collection, chunk, reasons)
        return reasons

    async def _send(self, collection: Any, chunk: Sequence[DocumentWrite], reasons: dict[str, str]) -> None:
        """Send *chunk*, and add to *reasons* why documents of it were not written."""
        waiting, refused, has_written = [chunk], 0, False
        while waiting:
            part = waiting.pop()
            try:
                await collection.bulk_write([write.operation for write in part], ordered=False)
                has_written = True
            except BulkWriteError as error:
                reasons |= not_written(error)
                has_written = True
            except (NetworkTimeout, ExecutionTimeout):
                if _is_sequential.get() or len(part) <= _LEAST_CHUNK:
                    raise
                self._size = max(len(part) // 4, _LEAST_CHUNK)
                waiting += reversed([part[n : n + self._size] for n in range(0, len(part), self._size)])
            except Exception as error:
                is_hopeless = refused >= _MOST_REFUSALS and not has_written
                if _is_sequential.get() or is_hopeless or not is_content_refused(error):
                    raise
                if len(part) == 1:
                    reasons[part[0].id] = brief(error)
                    refused += 1
                else:
                    middle = len(part) // 2
                    waiting += [part[middle:], part[:middle]]


async def delete(collection: Any, ids: Collection[str]) -> None:
    """Delete by id: one command per thousand."""
    for chunk in _chunks(ids):
        await collection.delete_many({"_id": {"$in": chunk}})


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Make `gather_all` run commands one after the other within the block."""
    token = _is_sequential.set(True)
    try:
        yield
    finally:
        _is_sequential.reset(token)


async def gather_all(*commands: Coroutine[Any, Any, T]) -> list[T]:
    """Return the results of all *commands*; once all have ended, raise the most informative error if any."""
    if _is_sequential.get():
        return await _run_in_order(commands)
    results = await asyncio.gather(*commands, return_exceptions=True)
    failures = [result for result in results if isinstance(result, BaseException)]
    if failures:
        # A refused login closes the connections of the other commands, whose errors are only consequences.
        raise min(failures, key=lambda failure: isinstance(failure, ConnectionFailure))
    return [result for result in results if not isinstance(result, BaseException)]


async def _run_in_order(commands: Iterable[Coroutine[Any, Any, T]]) -> list[T]:
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
