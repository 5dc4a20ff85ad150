"""MongoStore with closed clients, several event loops and servers that are down, and its messages."""

from __future__ import annotations

import asyncio
import gc
import time
import traceback
from random import Random
from typing import TYPE_CHECKING, Any, Literal

import pymongo
import pytest
from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import AsyncMongoClient, errors

from findingmodel import Index
from findingmodel.errors import (
    ConfigError,
    NotWrittenError,
    StoreClosedError,
    StoreError,
    StoreUnavailableError,
)
from findingmodel.stores.mongo import commands as mongo_commands
from findingmodel.stores.mongo import documents as mongo_documents
from findingmodel.stores.mongo.errors import not_written, translated
from findingmodel.stores.mongo.pool import PoolSettings, connection_pool, maybe_await
from findingmodel.stores.mongo.store import MongoStore
from findingmodel.stores.records import TermQuery, WriteBatch
from tests.servers import ServerOptions, ServerProcess, running
from tests.stores.contract_support import crowd, ids_of
from tests.stores.databases import mongo_store, opening
from tests.stores.samples import LONG_SECONDS, make_id, make_record, make_writer, person, upserts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Server

pytestmark = pytest.mark.mongo

Driver = Literal["motor", "pymongo"]
SECRET = "s3cret-p@ss/word"
ESCAPED = "s3cret-p%40ss%2Fword"
INCOMPRESSIBLE = Random(17).randbytes(17_000_000)
QUICK = PoolSettings(server_selection_timeout_ms=300, connect_timeout_ms=300)


async def test_stores_of_one_uri_share_a_client(secantus: Server, database: str) -> None:
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        one, two, three = await open_store(), await open_store(), await open_store(branch="other")
        await asyncio.gather(one.counts(), two.counts(), three.counts())
        assert connection_pool.open_clients() == 1
        await one.close()
        await one.close()
        await two.close()
        assert connection_pool.open_clients() == 1
        assert (await three.counts()).models == 0
    assert connection_pool.open_clients() == 0


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
def test_a_store_may_be_used_from_one_event_loop_after_another(
    secantus: Server, database: str, driver: Driver
) -> None:
    store = mongo_store(secantus.uri, database, driver=driver)
    asyncio.run(store.write(upserts(make_record(1))))
    assert connection_pool.open_clients() == 0
    assert asyncio.run(store.counts()).models == 1
    asyncio.run(store.close())
    with pytest.raises(StoreClosedError):
        asyncio.run(store.counts())
    gc.collect()  # anything left open warns here


@pytest.mark.parametrize("client_class", [AsyncIOMotorClient, AsyncMongoClient])
async def test_a_client_that_is_passed_is_used_and_stays_open(
    secantus: Server, database: str, client_class: Any
) -> None:
    client = client_class(secantus.uri)
    async with opening(lambda branch: mongo_store("", database, branch, client=client)) as open_store:
        store = await open_store()
        await store.write(upserts(make_record(1)))
        assert await ids_of(store, TermQuery((("finding",),))) == [make_id(1)]
        assert connection_pool.open_clients() == 0
    assert await client[database]["index_entries_main"].count_documents({}) == 1
    await maybe_await(client.close())


async def test_a_blocking_client_is_refused() -> None:
    with (
        pymongo.MongoClient[dict[str, Any]](connect=False) as client,
        pytest.raises(ConfigError, match="blocking"),
    ):
        mongo_store("", "findings", client=client)


async def test_a_replica_set_accepts_an_update(replica_server: Server) -> None:
    name = f"test_{time.time_ns()}"
    lease = make_writer("mine")
    async with opening(lambda branch: mongo_store(replica_server.uri, name, branch)) as open_store:
        store = await open_store()
        assert await store.leases.acquire(lease, LONG_SECONDS) is None
        await store.write(WriteBatch(upserts=crowd(), credits=[person("ann")]))
        await store.write(WriteBatch(upserts=crowd(), removals=[make_id(3)]))
        assert await store.advance() > 0
        assert (await store.counts()).models == 36 - 1


def everything_shown(error: BaseException) -> str:
    return "".join(traceback.format_exception(error)) + repr(error) + str(error)


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_server_that_is_down_is_reported_in_time_and_without_the_password(
    unused_tcp_port: int, driver: Driver
) -> None:
    uri = f"mongodb://ann:{ESCAPED}@127.0.0.1:{unused_tcp_port}/?appname=x"
    store = MongoStore(uri, database="findings", pool=QUICK._replace(driver=driver))
    with pytest.raises(StoreUnavailableError) as raised:
        await asyncio.wait_for(store.counts(), timeout=10)
    await store.close()
    message = str(raised.value)
    assert message.startswith(
        f"cannot count the documents of mongodb://ann:***@127.0.0.1:{unused_tcp_port}/findings: "
    )
    assert "no server answered in time" in message
    assert f"127.0.0.1:{unused_tcp_port}: [Errno" in message
    assert "\n" not in message
    assert len(message) < 300
    shown = everything_shown(raised.value) + repr(store)
    assert SECRET not in shown
    assert ESCAPED not in shown


def test_an_unknown_user_is_reported(tmp_path: Path) -> None:
    async def ask(uri: str) -> int:
        store = mongo_store(uri, "findings")
        try:
            return (await store.counts()).models
        finally:
            await store.close()

    with running("secantus", ServerOptions(storage=tmp_path, user=("ann", SECRET))) as server:
        assert asyncio.run(ask(server.uri)) == 0
        wrong = server.uri.replace("s3cret", "wrong")
        assert wrong != server.uri
        with pytest.raises(StoreError, match="did not accept the user name and password") as raised:
            asyncio.run(ask(wrong))
    assert "p@ss/word" not in everything_shown(raised.value)
    assert "p%40ss%2Fword" not in everything_shown(raised.value)


async def test_a_store_outlives_its_server(tmp_path: Path) -> None:
    process = ServerProcess("secantus", tmp_path, ServerOptions(storage=tmp_path / "data"))
    uri = process.start().uri
    store = MongoStore(uri, database="findings", pool=QUICK)
    try:
        await store.write(upserts(make_record(1)))
        process.stop()
        with pytest.raises(StoreUnavailableError):
            await store.write(upserts(make_record(2)))
        process.start()
        await store.write(upserts(make_record(3)))
        assert set(await store.get([make_id(1), make_id(3)])) == {make_id(1), make_id(3)}
    finally:
        await store.close()
        process.stop()


async def test_a_model_that_is_too_large_is_named(secantus: Server, database: str) -> None:
    large = make_record(7)._replace(model=INCOMPRESSIBLE)
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        store = await open_store()
        with pytest.raises(StoreError, match=f"cannot write to .*{make_id(7)}.*large") as raised:
            await store.write(upserts(make_record(1), large))
        assert len(str(raised.value)) < 500
        await store.write(upserts(make_record(7)))
        assert set(await store.get([make_id(1), make_id(7)])) >= {make_id(7)}


async def test_a_model_that_is_not_written_does_not_stop_others(
    secantus: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_commands, "CHUNK", 10)
    large = make_record(7)._replace(model=INCOMPRESSIBLE)
    others = [make_record(number) for number in range(100, 130)]
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        store = await open_store()
        batch = WriteBatch(upserts=[make_record(1), large, *others], credits=[person("ann")])
        with pytest.raises(NotWrittenError) as raised:
            await store.write(batch)
        assert (await store.counts())[:2] == (31, 1)
        assert store.refuses(large) == raised.value.reasons[make_id(7)]
    assert raised.value.reasons.keys() == {make_id(7)}


async def test_documents_that_the_server_does_not_write_are_reported_by_id(
    secantus: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_documents, "_MOST_BYTES", 2**40)  # let the server decide what is too large
    monkeypatch.setattr(mongo_commands, "CHUNK", 10)
    records = [make_record(number) for number in range(30)]
    for number in (3, 23):
        records[number] = records[number]._replace(model=INCOMPRESSIBLE)
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        store = await open_store()
        with pytest.raises(NotWrittenError, match=f"{make_id(3)}, {make_id(23)} was not written") as raised:
            await store.write(WriteBatch(upserts=records))
        assert (await store.counts()).models == 28
    assert raised.value.reasons.keys() == {make_id(3), make_id(23)}
    assert "x" * 99 not in everything_shown(raised.value)
    assert len(everything_shown(raised.value)) < 10_000


def bulk_error(*codes: int) -> errors.BulkWriteError:
    failures = [
        {"index": n, "code": code, "errmsg": f"code {code}", "op": {"q": {"_id": f"id{n}"}}}
        for n, code in enumerate(codes)
    ]
    return errors.BulkWriteError({"writeErrors": failures})


def test_a_server_that_steps_down_during_a_bulk_does_not_blame_the_documents() -> None:
    assert not_written(bulk_error(17420, 121)) == {"id0": "code 17420", "id1": "code 121"}
    with pytest.raises(errors.AutoReconnect):
        not_written(bulk_error(17420, 10107))
    late = errors.BulkWriteError({"writeConcernErrors": [{"errmsg": "late"}]})
    with pytest.raises(errors.BulkWriteError) as raised:
        not_written(late)
    assert raised.value is late


async def test_nothing_is_removed_if_something_could_not_be_written(secantus: Server, database: str) -> None:
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        store = await open_store()
        await store.write(upserts(make_record(1)))
        large = make_record(2)._replace(model=INCOMPRESSIBLE)
        with pytest.raises(StoreError):
            await store.write(WriteBatch(upserts=[large], removals=[make_id(1)]))
        assert list(await store.get([make_id(1)])) == [make_id(1)]


async def test_text_that_is_not_unicode_is_a_store_error(secantus: Server, database: str) -> None:
    bad = make_record(1, description="x\ud800")
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        with pytest.raises(StoreError, match="cannot write to"):
            await (await open_store()).write(upserts(bad))


@pytest.mark.parametrize(
    "uri", [f"mongodb://ann:{SECRET}@host:x/db", f"mongodb://ann:{SECRET}@[::1/db", "mongodb://"]
)
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_uri_that_cannot_be_used_is_a_config_error_without_the_password(
    uri: str, driver: Driver
) -> None:
    store = mongo_store(uri, "findings", driver=driver)
    with pytest.raises(ConfigError, match="cannot use mongodb://") as raised:
        await store.open()
    assert "p@ss" not in everything_shown(raised.value)
    assert "s3cret" not in everything_shown(raised.value)


@pytest.mark.parametrize("name", ["a.b", "a%20b", "a%00b", "a$b", "x" * 64, "a%22"])
def test_an_invalid_database_name_is_a_config_error(name: str) -> None:
    with pytest.raises(ConfigError, match="is not a valid database name") as raised:
        Index(f"mongodb://ann:{SECRET[:6]}@host/{name}")
    assert "s3cret" not in everything_shown(raised.value)


async def test_writes_are_acknowledged_whatever_the_uri_says(secantus: Server, database: str) -> None:
    store = mongo_store(secantus.url("", w=0), database)
    try:
        with pytest.raises(StoreError, match=make_id(7)):
            await store.write(upserts(make_record(7)._replace(model=INCOMPRESSIBLE)))
    finally:
        await store.close()


@pytest.mark.parametrize(
    ("raised", "expected", "words"),
    [
        (errors.WaitQueueTimeoutError("pool"), StoreUnavailableError, "no connection of the pool"),
        (
            errors.ServerSelectionTimeoutError("db:1: refused, Timeout: 3s"),
            StoreUnavailableError,
            r"\(db:1: refused\); if it is far away, raise mongodb_server_selection_timeout_ms$",
        ),
        (
            errors.NetworkTimeout("db:1: timed out"),
            StoreUnavailableError,
            "did not answer in time; if it is slow, raise mongodb_socket_timeout_ms$",
        ),
        (errors.AutoReconnect("db:1: closed"), StoreUnavailableError, r"connection failed \(db:1: closed\)$"),
        (errors.NotPrimaryError("not primary"), StoreUnavailableError, "connection failed"),
        (errors.ConnectionFailure("x"), StoreUnavailableError, "connection failed"),
        (errors.ExecutionTimeout("x", 50), StoreUnavailableError, "took too long"),
        (
            errors.ConfigurationError("The DNS query name does not exist"),
            StoreUnavailableError,
            "server cannot be used .*DNS",
        ),
        (errors.OperationFailure("no", 18), StoreError, "did not accept the user name"),
        (
            errors.OperationFailure("not authorized", 13),
            StoreError,
            r"not allowed to do that \(not authorized\)$",
        ),
        (errors.OperationFailure("bad", 2, {"ok": 0}), StoreError, r"server refused \(bad\)$"),
        (errors.DuplicateKeyError("dup", 11000), StoreError, "server refused"),
        (
            errors.BulkWriteError({"writeErrors": [{"errmsg": "no", "op": {"q": {"_id": "A"}}}]}),
            StoreError,
            "A was not written",
        ),
        (
            errors.BulkWriteError({"writeConcernErrors": [{"errmsg": "late"}]}),
            StoreError,
            r"not written \(late\)$",
        ),
        (errors.BulkWriteError({}), StoreError, "not written"),
        (errors.DocumentTooLarge("17 MB"), StoreError, "larger than the 16 MB"),
        (
            errors.InvalidOperation("Cannot use MongoClient after close"),
            StoreClosedError,
            "client was closed",
        ),
        (errors.PyMongoError("x" * 999), StoreError, r"x\.\.\.$"),
        (OverflowError("8-byte ints"), StoreError, "8-byte ints"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, Exception) else "",
)
def test_driver_errors_become_one_sentence(raised: Exception, expected: type[StoreError], words: str) -> None:
    with pytest.raises(expected, match=words) as ours, translated("search", "mongodb://db/findings"):
        raise raised
    assert type(ours.value) is expected
    assert str(ours.value).startswith("cannot search mongodb://db/findings: ")
    assert len(str(ours.value)) < 300
    assert ours.value.__cause__ is raised


def test_an_error_that_is_not_the_drivers_is_left_alone() -> None:
    with pytest.raises(KeyError), translated("search", "mongodb://db/findings"):
        raise KeyError("a mistake of ours")
