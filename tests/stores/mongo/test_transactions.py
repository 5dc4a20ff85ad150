"""Transactions of MongoStore: the contract on a replica set, and the message on other servers."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Literal

import pytest

from findingmodel.errors import StoreUnavailableError, TransactionError
from findingmodel.stores.mongo.pool import PoolSettings
from findingmodel.stores.mongo.retry import RetryPolicy
from findingmodel.stores.mongo.store import MongoStore
from tests.proxy import Proxy, command
from tests.servers import ServerOptions, ServerProcess, need
from tests.stores.contract_support import OpenStore, contents, crowd
from tests.stores.contract_transaction import TransactionRules
from tests.stores.databases import mongo_store, opening, own_database
from tests.stores.samples import make_id, make_record, upserts

if TYPE_CHECKING:
    import threading
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.servers import Server

pytestmark = pytest.mark.mongo

QUICK = PoolSettings(
    min_pool_size=0, server_selection_timeout_ms=600, connect_timeout_ms=600, socket_timeout_ms=2_000
)
RETRY = RetryPolicy(attempts=10, seconds=10)


@pytest.fixture
def replicated(replica_server: Server) -> Iterator[str]:
    """The name of a new database on a replica set."""
    with own_database(replica_server.uri) as name:
        yield name


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
class TestTransactions(TransactionRules):
    """On a replica set of one, with each driver."""

    @pytest.fixture
    async def open_store(
        self, replica_server: Server, replicated: str, driver: Literal["motor", "pymongo"]
    ) -> AsyncIterator[OpenStore]:
        def make(branch: str) -> MongoStore:
            return mongo_store(replica_server.uri, replicated, branch, driver)

        async with opening(make) as open_store:
            yield open_store


async def test_a_standalone_server_has_no_transactions(secantus: Server, database: str) -> None:
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        store = await open_store()
        transaction = store.transaction()
        with pytest.raises(TransactionError, match="replica sets and sharded clusters only") as raised:
            await transaction.__aenter__()
        assert str(raised.value).startswith(f"cannot begin a transaction in {store.label}: the server stands")
        await store.write(upserts(make_record(1)))
        assert (await store.counts()).models == 1


@pytest.fixture
async def proxied(replica_server: Server, replicated: str) -> AsyncIterator[tuple[Proxy, MongoStore]]:
    """A store that reaches the replica set through a proxy."""
    with Proxy(replica_server.uri) as proxy:
        store = MongoStore(proxy.uri, database=replicated, pool=QUICK, retry=RETRY)
        await store.write(upserts(*crowd()))
        yield proxy, store
        await store.close()


async def test_a_transaction_on_a_broken_connection_leaves_nothing(
    proxied: tuple[Proxy, MongoStore],
) -> None:
    proxy, store = proxied
    before = await contents(store)

    async def write() -> None:
        async with store.transaction():
            await store.write(upserts(make_record(1, "new")))
            lost.append(proxy.lose_reply(command("update")))
            await store.write(upserts(make_record(2, "new")))

    lost: list[threading.Event] = []
    with pytest.raises(StoreUnavailableError, match="cannot write to"):
        await asyncio.wait_for(write(), timeout=10)
    assert lost[0].is_set()
    assert await contents(store) == before
    await store.write(upserts(make_record(1, "newer")))


async def test_a_transaction_whose_server_dies_leaves_nothing(tmp_path: Path) -> None:
    need("secantus-replica")
    process = ServerProcess("secantus-replica", tmp_path, ServerOptions(storage=tmp_path / "data"))
    with Proxy(process.start().uri) as proxy:
        store = MongoStore(proxy.uri, database="findings", pool=QUICK, retry=RETRY)
        await store.write(upserts(make_record(1, "old")))

        async def write() -> None:
            async with store.transaction():
                await store.write(upserts(make_record(1, "new")))
                await asyncio.to_thread(process.kill)
                await store.write(upserts(make_record(2, "new")))

        try:
            with pytest.raises(StoreUnavailableError, match="cannot write to"):
                await asyncio.wait_for(write(), timeout=10)
            await asyncio.to_thread(process.restart)
            names = {entry["name"] for entry in (await store.get([make_id(1), make_id(2)])).values()}
            assert "new" not in names
        finally:
            await store.close()
            process.kill()


async def test_a_commit_that_is_not_answered_is_repeated(proxied: tuple[Proxy, MongoStore]) -> None:
    proxy, store = proxied
    async with store.transaction():
        await store.write(upserts(make_record(1, "new"), make_record(100)))
        lost = proxy.lose_reply(b"commitTransaction")
    assert lost.is_set()
    assert (await store.get([make_id(1)]))[make_id(1)]["name"] == "new"
    assert (await store.counts()).models == 37


async def test_a_write_conflict_asks_to_try_again(replica_server: Server, replicated: str) -> None:
    async with opening(lambda branch: mongo_store(replica_server.uri, replicated, branch)) as open_store:
        one, two = await open_store(), await open_store()
        await one.write(upserts(*crowd()))
        written: list[Any] = []

        async def meet() -> None:
            async with one.transaction():
                await one.write(upserts(make_record(1, "one")))
                async with two.transaction():
                    await two.write(upserts(make_record(2, "two")))
                    written.append(await one.get([make_id(1)]))
                    await two.write(upserts(make_record(1, "two")))

        with pytest.raises(TransactionError, match="rolled back and nothing of it was written, try again"):
            await asyncio.wait_for(meet(), timeout=20)
        assert written[0][make_id(1)]["name"] == "one"
        names = {entry["name"] for entry in (await one.get([make_id(1), make_id(2)])).values()}
        assert not names & {"one", "two"}
