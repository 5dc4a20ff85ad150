"""BulkWriter: chunks that a server refuses or is too slow for. The server is scripted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from pymongo import ReplaceOne, errors

from findingmodel.stores.mongo.commands import CHUNK, BulkWriter, DocumentWrite, one_at_a_time

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

TOO_LONG = errors.OperationFailure("the name is longer than an index key may be", 17280)


class Scripted:
    """A collection that writes what *check* does not raise an error for, and records each command."""

    def __init__(self, check: Callable[[Sequence[str]], None]) -> None:
        self._check = check
        self.sizes: list[int] = []
        self.written: list[str] = []

    async def bulk_write(self, operations: Sequence[Any], *, ordered: bool) -> None:
        assert not ordered
        self.sizes.append(len(operations))
        ids = [operation._filter["_id"] for operation in operations]
        self._check(ids)
        self.written += ids


def writes(count: int) -> list[DocumentWrite]:
    return [DocumentWrite(f"id{n}", ReplaceOne({"_id": f"id{n}"}, {}, upsert=True)) for n in range(count)]


def refusing(*bad: str, error: Exception = TOO_LONG) -> Scripted:
    def check(ids: Sequence[str]) -> None:
        if not set(bad).isdisjoint(ids):
            raise error

    return Scripted(check)


@pytest.mark.parametrize(
    "error",
    [
        TOO_LONG,
        errors.DocumentTooLarge("BSON document too large"),
        OverflowError("MongoDB can only handle up to 8-byte ints"),
        UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed"),
    ],
    ids=lambda error: type(error).__name__,
)
async def test_a_refused_chunk_is_split_until_the_document_is_found(error: Exception) -> None:
    collection = refusing("id7", "id1203", error=error)
    reasons = await BulkWriter().send(collection, writes(1_500))
    assert reasons.keys() == {"id7", "id1203"}
    assert str(error).partition(",")[0] in reasons["id7"]
    assert sorted(collection.written) == sorted({f"id{n}" for n in range(1_500)} - {"id7", "id1203"})
    assert len(collection.sizes) < 50


async def test_a_server_that_refuses_everything_is_not_asked_for_each_document() -> None:
    collection = refusing(*(f"id{n}" for n in range(5_000)))
    with pytest.raises(errors.OperationFailure) as raised:
        await BulkWriter().send(collection, writes(5_000))
    assert raised.value is TOO_LONG
    assert len(collection.sizes) < 50


@pytest.mark.parametrize(
    "error",
    [
        errors.OperationFailure("not authorized", 13),
        errors.OperationFailure("no space", 14031),
        errors.OperationFailure("slow down", 16500),
        errors.OperationFailure("stepping down", 189),
        errors.OperationFailure("conflict", 112),
        errors.AutoReconnect("closed"),
        KeyError("ours"),
    ],
    ids=str,
)
async def test_an_error_that_is_not_about_documents_is_raised_at_once(error: Exception) -> None:
    collection = refusing("id7", error=error)
    with pytest.raises(type(error)):
        await BulkWriter().send(collection, writes(100))
    assert collection.sizes == [100]


@pytest.mark.parametrize("error", [errors.NetworkTimeout("late"), errors.ExecutionTimeout("late", 50)])
async def test_chunks_shrink_when_they_take_too_long(error: Exception) -> None:
    def check(ids: Sequence[str]) -> None:
        if len(ids) > 100:
            raise error

    collection, bulk = Scripted(check), BulkWriter()
    assert await bulk.send(collection, writes(2_000)) == {}
    assert collection.written == [f"id{n}" for n in range(2_000)]
    assert collection.sizes[:3] == [CHUNK, 250, 62]
    collection.sizes.clear()
    await bulk.send(collection, writes(200))
    assert max(collection.sizes) <= 100


async def test_a_server_that_never_answers_is_given_up_after_a_few_attempts() -> None:
    def check(_: Sequence[str]) -> None:
        raise errors.NetworkTimeout("late")

    collection = Scripted(check)
    with pytest.raises(errors.NetworkTimeout):
        await BulkWriter().send(collection, writes(2_000))
    assert collection.sizes == [1_000, 250, 62, 15, 10]


async def test_a_refusal_ends_a_transaction() -> None:
    collection = refusing("id7")
    with one_at_a_time(), pytest.raises(errors.OperationFailure):
        await BulkWriter().send(collection, writes(100))
    assert collection.sizes == [100]
