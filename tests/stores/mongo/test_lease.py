"""The writer's lease in MongoDB: the server's clock, majority concern, and codes of various servers."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from findingmodel.errors import LeaseHeldError
from findingmodel.stores.lease import Lease, LeaseState
from findingmodel.stores.mongo.lease import acquire
from findingmodel.stores.mongo.server import ServerFacts
from findingmodel.stores.records import WriteBatch
from tests.stores.contract_support import crowd
from tests.stores.databases import mongo_store, own_database
from tests.stores.listening import listened
from tests.stores.samples import LONG_SECONDS, make_id, make_record, make_writer, upserts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tests.servers import Server

pytestmark = pytest.mark.mongo

DAY_NS = 86_400_000_000_000
MINE, OTHER = make_writer("mine"), make_writer("other")


@pytest.fixture
def replicated(replica_server: Server) -> Iterator[str]:
    with own_database(replica_server.uri) as name:
        yield name


def stored_lease(uri: str, database: str, **changes: Any) -> dict[str, Any]:
    """Return the document of the lease after *changes*."""
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        meta = client[database]["index_meta_main"]
        if changes:
            meta.update_one({"_id": "lease"}, {"$set": changes})
        return meta.find_one({"_id": "lease"}) or {}


@pytest.mark.parametrize("off_by_ns", [-DAY_NS, DAY_NS])
async def test_the_clock_of_the_server_decides(
    mongo_server: Server, mongo_database: str, monkeypatch: pytest.MonkeyPatch, off_by_ns: int
) -> None:
    now = time.time_ns
    one, two = (mongo_store(mongo_server.uri, mongo_database) for _ in range(2))
    with monkeypatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: now() + off_by_ns)
        assert await one.leases.acquire(MINE, LONG_SECONDS) is None
    assert await two.leases.acquire(OTHER, LONG_SECONDS) is not None
    stored = stored_lease(mongo_server.uri, mongo_database)
    assert abs(stored["expires_ns"] - now() - LONG_SECONDS * 1_000_000_000) < 60_000_000_000
    await one.close()
    await two.close()


async def test_a_lease_from_the_future_is_void(mongo_server: Server, mongo_database: str) -> None:
    """An older version took it, by the clock of a machine that was wrong."""
    store = mongo_store(mongo_server.uri, mongo_database)
    assert await store.leases.acquire(MINE, 60) is None
    stored_lease(mongo_server.uri, mongo_database, expires_ns=time.time_ns() + DAY_NS)
    status = await store.leases.status()
    assert status is not None
    assert status.state is LeaseState.VOID
    assert await store.leases.acquire(OTHER, 60) is None
    await store.close()


def test_a_server_without_a_clock_has_that_of_this_machine() -> None:
    facts = ServerFacts.of({"ok": 1}, clock=lambda: 17)
    assert 17 <= facts.time_ns() < 17 + DAY_NS
    assert not facts.has_transactions
    assert ServerFacts.of({"msg": "isdbgrid"}).has_transactions
    assert facts._replace(read_at_ns=time.monotonic_ns() - DAY_NS).is_old
    assert not facts.is_old


async def test_a_lease_of_the_first_beta_is_understood(mongo_server: Server, mongo_database: str) -> None:
    store = mongo_store(mongo_server.uri, mongo_database)
    await store.setup()
    lease = {"_id": "lease", "holder": "old", "host": "far", "pid": 7, "expires_ns": time.time_ns() + 10**11}
    with pymongo.MongoClient[dict[str, Any]](mongo_server.uri) as client:
        client[mongo_database]["index_meta_main"].insert_one(lease)
    held = await store.leases.acquire(MINE, 60)
    assert held is not None
    assert str(held) == "process 7 on far"
    await store.close()


@pytest.mark.parametrize("options", [{"w": 1}, {"w": 0}, {"w": 1, "wTimeoutMS": 5000}])
async def test_lease_and_generation_are_written_with_majority_concern(
    secantus: Server, database: str, options: dict[str, int]
) -> None:
    async with listened(secantus.url("", **options), database) as (store, commands):
        await store.setup()
        for call in (
            store.leases.acquire(MINE, 60),
            store.leases.renew(MINE, 60),
            store.advance(MINE),
            store.leases.release(MINE),
        ):
            await commands.of(call)
            writes = [event for event in commands.sent if event.command_name not in ("hello", "find")]
            assert [event.command["writeConcern"]["w"] for event in writes] == ["majority"] * len(writes)
            assert writes


class Refusing:
    """A collection that refuses a duplicate key with *code*, as FerretDB does, while a lease is held."""

    def __init__(self, code: int, held: Mapping[str, Any] | None) -> None:
        self._error = OperationFailure("E11000 duplicate key", code)
        self._held = held

    async def find_one_and_update(self, *_: Any, **__: Any) -> None:
        raise self._error

    async def find_one(self, _: Any) -> Mapping[str, Any] | None:
        return self._held


@pytest.mark.parametrize("code", [1, 11_000, 11_001])
async def test_the_holder_is_told_whatever_the_code_of_a_duplicate_key_is(code: int) -> None:
    now_ns = time.time_ns()
    held = {**OTHER._asdict(), "expires_ns": now_ns + 10**9, "lasts_ns": 10**9}
    answer = await acquire(Refusing(code, held), Lease.starting(MINE, now_ns, 60), now_ns)
    assert answer is not None
    assert answer.writer == OTHER


@pytest.mark.parametrize(("code", "held"), [(13, None), (189, {**OTHER._asdict(), "expires_ns": 2**62})])
async def test_any_other_refusal_is_raised(code: int, held: Mapping[str, Any] | None) -> None:
    with pytest.raises(OperationFailure) as raised:
        await acquire(Refusing(code, held), Lease.starting(MINE, 1, 60), 1)
    assert raised.value.code == code


async def test_where_there_are_transactions_a_batch_and_its_check_are_one(
    replica_server: Server, replicated: str
) -> None:
    async with listened(replica_server.uri, replicated) as (store, commands):
        await store.setup()
        assert await store.leases.acquire(MINE, LONG_SECONDS) is None
        sent = await commands.of(store.write(WriteBatch(upserts=crowd()), MINE))
        assert sent == ["commitTransaction", "update", "update"]
        assert len({str(event.command.get("txnNumber")) for event in commands.sent}) == 1
        assert await commands.of(store.advance(MINE)) == ["commitTransaction", "findAndModify", "update"]
        assert (await store.counts()).models == 36


async def test_elsewhere_the_check_is_the_command_before(
    secantus: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with listened(secantus.uri, database) as (store, commands):
        await store.setup()
        assert await store.leases.acquire(MINE, 0) is None
        assert await commands.of(store.write(WriteBatch(upserts=crowd()), MINE)) == ["update", "update"]
        assert "index_meta" in commands.sent[0].command["update"]
        assert await store.leases.renew(MINE, LONG_SECONDS)
        assert await commands.of(store.write(WriteBatch(upserts=crowd()), MINE)) == ["update"]
        for clock in ("monotonic", "time"):  # a machine that slept, or a process that was paused
            with monkeypatch.context() as patch:
                now = getattr(time, clock)
                patch.setattr(time, clock, lambda: now() + LONG_SECONDS)  # noqa: B023
                assert len(await commands.of(store.advance(MINE))) == 2


async def test_a_lease_that_is_taken_during_a_write_is_taken_before_or_after_it(
    replica_server: Server, replicated: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the check and the commit, the server lets nobody take the lease."""
    one, two = (mongo_store(replica_server.uri, replicated) for _ in range(2))
    await one.write(upserts(*crowd()))
    assert await one.leases.acquire(MINE, 0) is None
    apply, taking = one._apply, []

    async def take_and_apply(writing: Any, batch: WriteBatch) -> None:
        if not taking:  # the server may make it wait for the end of the transaction
            taking.append(asyncio.create_task(two.leases.acquire(OTHER, LONG_SECONDS)))
            await asyncio.sleep(0.1)
        await apply(writing, batch)

    with monkeypatch.context() as patch:
        patch.setattr(one, "_apply", take_and_apply)
        outcome = (
            await asyncio.gather(one.write(upserts(make_record(1, "late")), MINE), return_exceptions=True)
        )[0]
    assert await taking[0] is None
    name = (await one.get([make_id(1)]))[make_id(1)]["name"]
    assert (name == "late") is (outcome is None)
    assert outcome is None or isinstance(outcome, LeaseHeldError)
    with pytest.raises(LeaseHeldError):
        await one.write(upserts(make_record(1, "later")), MINE)
    await one.close()
    await two.close()


@pytest.mark.parametrize("code", [20, 9, 263])
async def test_a_server_whose_transactions_do_not_work_is_written_without_them(
    replica_server: Server, replicated: str, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It says that it is a replica set, and refuses a transaction."""

    async def refuse(*_: Any) -> None:
        raise OperationFailure("Transaction numbers are only allowed on a replica set member", code)

    store = mongo_store(replica_server.uri, replicated)
    await store.setup()
    assert await store.leases.acquire(MINE, LONG_SECONDS) is None
    monkeypatch.setattr("findingmodel.stores.mongo.lease._in_transaction", refuse)
    await store.write(WriteBatch(upserts=crowd()), MINE)
    assert (await store.counts()).models == 36
    with pytest.raises(LeaseHeldError):
        await store.write(upserts(make_record(99)), OTHER)
    await store.close()
