"""MongoStore on a network that fails: errors are clear and come in time, and nothing is lost."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.errors import StoreError, StoreUnavailableError
from findingmodel.stores.mongo.pool import PoolSettings
from findingmodel.stores.mongo.retry import RetryPolicy
from findingmodel.stores.mongo.store import MongoStore
from findingmodel.stores.records import WriteBatch
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import write_model
from tests.proxy import Mode, Proxy, command
from tests.servers import ServerOptions, ServerProcess, need, running
from tests.stores.contract_support import crowd, labels_of
from tests.stores.samples import LONG_SECONDS, make_id, make_record, make_writer, upserts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from pathlib import Path

    from tests.servers import Server

pytestmark = pytest.mark.mongo

QUICK = PoolSettings(
    min_pool_size=0,
    wait_queue_timeout_ms=300,
    server_selection_timeout_ms=600,
    connect_timeout_ms=600,
    socket_timeout_ms=600,
)
ONCE = RetryPolicy(attempts=1, seconds=0, breaker_failures=1_000)
SOME = RetryPolicy(attempts=2, seconds=1, breaker_failures=1_000)
MUCH = RetryPolicy(attempts=20, seconds=20, breaker_failures=1_000)
MOST_SECONDS = 8.0
"""In which everything must have ended: the last attempt begins within a second, and takes two timeouts."""

MODELS = 60
OPTIONS = UpdateOptions(batch_size=20, concurrency=1)

FAILING = {
    Mode.RESET: "the connection failed|no server answered in time",
    Mode.BLACK_HOLE: "did not answer in time|no server answered in time|the connection failed",
    Mode.HALF_OPEN: "did not answer in time|no server answered in time|the connection failed",
    Mode.REFUSE: "no server answered in time .*(Errno|refused)|the connection failed",
}


@pytest.fixture
def proxy(secantus: Server) -> Iterator[Proxy]:
    with Proxy(secantus.uri) as proxy:
        yield proxy


@pytest.fixture
async def open_store(proxy: Proxy, database: str) -> AsyncIterator[Callable[..., MongoStore]]:
    async with contextlib.AsyncExitStack() as opened:

        def make(retry: RetryPolicy = SOME, pool: PoolSettings = QUICK, **parts: Any) -> MongoStore:
            store = MongoStore(proxy.uri, database=database, pool=pool, retry=retry, **parts)
            opened.push_async_callback(store.close)
            return store

        yield make


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    for number in range(MODELS):
        write_model(tmp_path / "defs", f"{number:02}.fm.json", number + 1)
    return tmp_path / "defs"


async def failure_of(call: Any) -> StoreError:
    """Return the error of *call*, which must not take long."""
    begun = time.monotonic()
    with pytest.raises(StoreError) as raised:
        await asyncio.wait_for(call, timeout=4 * MOST_SECONDS)
    assert time.monotonic() - begun < MOST_SECONDS
    assert "\n" not in str(raised.value)
    assert len(str(raised.value)) < 400
    return raised.value


async def outcome_of(call: Any) -> Any:
    return (await asyncio.gather(call, return_exceptions=True))[0]


# one mode after the other


@pytest.mark.parametrize("mode", FAILING)
async def test_every_failure_is_reported_in_time_and_the_store_recovers(
    proxy: Proxy, open_store: Callable[..., MongoStore], mode: Mode
) -> None:
    store = open_store()
    await store.write(upserts(make_record(1)))
    proxy.mode = mode
    read, write = await asyncio.gather(
        failure_of(store.get([make_id(1)])), failure_of(store.write(upserts(make_record(2))))
    )
    proxy.mode = Mode.PASS
    for error, doing in ((read, "read entries of"), (write, "write to")):
        assert type(error) is StoreUnavailableError
        assert str(error).startswith(f"cannot {doing} mongodb://127.0.0.1:{proxy.port}/test_")
    assert pytest.RaisesExc(StoreError, match=FAILING[mode]).matches(read)
    assert pytest.RaisesExc(StoreError, match=FAILING[mode]).matches(write)
    await store.write(upserts(make_record(3)))
    assert {make_id(1), make_id(3)} <= (await store.get([make_id(n) for n in range(4)])).keys()


class Healer(logging.Handler):
    """Repairs the network as soon as a failed attempt is logged."""

    def __init__(self, proxy: Proxy) -> None:
        super().__init__()
        self._proxy = proxy
        self.messages: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())
        self._proxy.mode = Mode.PASS


@pytest.mark.parametrize("mode", FAILING)
async def test_a_temporary_failure_is_logged_and_has_no_other_effect(
    proxy: Proxy, open_store: Callable[..., MongoStore], mode: Mode
) -> None:
    healer, logger = Healer(proxy), logging.getLogger("findingmodel.stores.mongo.retry")
    store = open_store(MUCH)
    await store.write(WriteBatch(upserts=crowd()))
    proxy.mode = mode
    logger.addHandler(healer)
    level = logger.level
    logger.setLevel(logging.INFO)
    try:
        assert (await store.get([make_id(2)])).keys() == {make_id(2)}
    finally:
        logger.removeHandler(healer)
        logger.setLevel(level)
    assert healer.messages[0].startswith("attempt 1 to read entries of mongodb://127.0.0.1:")
    assert "; the next follows in " in healer.messages[0]


async def test_a_write_whose_reply_is_lost_is_repeated(
    proxy: Proxy, open_store: Callable[..., MongoStore]
) -> None:
    store = open_store(MUCH)
    await store.write(WriteBatch(upserts=crowd()))
    lost = proxy.lose_reply(command("update"))
    await store.write(WriteBatch(upserts=[make_record(1, "again")], removals=[make_id(2)]))
    assert lost.is_set()
    lost = proxy.lose_reply(command("delete"))
    await store.write(WriteBatch(removals=[make_id(3)]))
    assert lost.is_set()
    assert len(await labels_of(store)) == 34
    assert (await store.get([make_id(1)]))[make_id(1)]["name"] == "again"


async def test_a_lease_is_taken_although_the_reply_is_lost(
    proxy: Proxy, open_store: Callable[..., MongoStore]
) -> None:
    store, lease = open_store(MUCH), make_writer("mine")
    await store.setup()
    lost = proxy.lose_reply(command("findAndModify"))
    assert await store.leases.acquire(lease, LONG_SECONDS) is None
    assert lost.is_set()
    lost = proxy.lose_reply(command("delete"))
    await store.leases.release(lease)
    assert lost.is_set()
    assert await store.leases.acquire(make_writer("other"), LONG_SECONDS) is None


async def test_a_step_of_the_generation_whose_reply_is_lost_counts_once_or_twice(
    proxy: Proxy, open_store: Callable[..., MongoStore]
) -> None:
    store = open_store(MUCH)
    await store.setup()
    before = await store.advance()
    lost = proxy.lose_reply(command("findAndModify"))
    after = await store.advance()
    assert lost.is_set()
    assert (after - before) % 1_000 in (1, 2)
    assert await store.generation() == after


async def test_labels_that_cannot_be_read_completely_raise(
    proxy: Proxy, open_store: Callable[..., MongoStore]
) -> None:
    store = open_store(MUCH)
    await store.write(WriteBatch(upserts=crowd()))
    lost = proxy.lose_reply(command("find"))
    assert len(await labels_of(store)) == 36
    assert lost.is_set()


async def test_a_slow_reply_is_not_a_failure(proxy: Proxy, open_store: Callable[..., MongoStore]) -> None:
    store = open_store(ONCE)
    proxy.mode = Mode.DELAY
    await store.write(upserts(make_record(1)))
    assert list(await store.get([make_id(1)])) == [make_id(1)]
    proxy.delay_seconds = 60
    error = await failure_of(store.get([make_id(1)]))
    assert type(error) is StoreUnavailableError
    assert "did not answer in time" in str(error)


async def test_a_full_pool_is_reported_in_time_and_does_not_open_the_breaker(
    proxy: Proxy, open_store: Callable[..., MongoStore]
) -> None:
    retry = RetryPolicy(attempts=3, seconds=5, breaker_failures=1)
    store = open_store(retry, QUICK._replace(max_pool_size=1, socket_timeout_ms=10_000))
    await store.write(upserts(make_record(1)))
    sent = proxy.trap(command("find"), Mode.BLACK_HOLE)
    first = asyncio.create_task(store.get([make_id(1)]))
    assert await asyncio.to_thread(sent.wait, 10)
    error = await failure_of(store.get([make_id(1)]))
    proxy.mode = Mode.PASS
    assert list(await first) == [make_id(1)]
    assert type(error) is StoreUnavailableError
    assert ": no connection of the pool became free in time; raise mongodb_max_pool_size" in str(error)
    assert list(await store.get([make_id(1)])) == [make_id(1)]


async def test_an_open_breaker_fails_at_once_and_recovers_by_one_attempt(
    proxy: Proxy, open_store: Callable[..., MongoStore]
) -> None:
    store = open_store(RetryPolicy(attempts=1, seconds=0, breaker_failures=2, breaker_seconds=0.5))
    assert (await store.counts()).models == 0
    proxy.mode = Mode.REFUSE
    for _ in range(2):
        await failure_of(store.counts())
    begun = time.monotonic()
    answers = await asyncio.gather(*(store.counts() for _ in range(20)), return_exceptions=True)
    assert time.monotonic() - begun < QUICK.server_selection_timeout_ms / 1_000
    assert {type(answer) for answer in answers} == {StoreUnavailableError}
    assert str(answers[0]).startswith(f"cannot count the documents of mongodb://127.0.0.1:{proxy.port}/test_")
    assert "the server was not asked, because 2 attempts in a row failed (" in str(answers[0])
    proxy.mode = Mode.PASS
    async with asyncio.timeout(10):
        while isinstance(await outcome_of(store.counts()), StoreUnavailableError):  # noqa: ASYNC110
            await asyncio.sleep(0.05)  # until its time has come; there is no event to wait for
    assert (await store.counts()).models == 0


# updates


async def update_cut_off(store: MongoStore, proxy: Proxy, defs: Path, mode: Mode) -> None:
    """Interrupt an update by *mode* in its second batch, and complete it by the next update."""
    await store.setup()
    cut = proxy.trap(b"OIFM_TEST_000030", mode)
    error = await failure_of(update(store, defs, OPTIONS))
    assert cut.is_set()
    assert type(error) is StoreUnavailableError
    assert str(error).startswith(f"cannot write to mongodb://127.0.0.1:{proxy.port}/test_")
    proxy.mode = Mode.PASS
    report = await update(store, defs, OPTIONS)
    assert report.ok
    assert report.added + report.unchanged == MODELS
    await check(store, defs)


async def check(store: MongoStore, defs: Path) -> None:
    """Check that the index holds exactly what is in *defs*, and works."""
    assert sorted(state.path for state in await store.manifest()) == sorted(p.name for p in defs.iterdir())
    assert len(await labels_of(store)) == MODELS
    assert (await store.counts()).organizations == 1
    assert await store.generation() >= 1
    assert (await update(store, defs, OPTIONS)).unchanged == MODELS


@pytest.mark.parametrize("mode", FAILING)
async def test_an_interrupted_update_is_completed_by_the_next(
    proxy: Proxy, open_store: Callable[..., MongoStore], defs: Path, mode: Mode
) -> None:
    await update_cut_off(open_store(), proxy, defs, mode)


async def test_an_update_is_completed_on_a_server_of_another_make(defs: Path) -> None:
    with running("nx") as server, Proxy(server.uri) as proxy:
        store = MongoStore(proxy.uri, database="test_nx", pool=QUICK, retry=SOME)
        await update_cut_off(store, proxy, defs, Mode.RESET)
        await store.close()


async def test_an_update_outlasts_connections_that_break(
    proxy: Proxy, open_store: Callable[..., MongoStore], defs: Path
) -> None:
    store = open_store(MUCH)
    broken = [proxy.lose_reply(command(name)) for name in ("find", "createIndexes", "findAndModify")]
    broken += [proxy.lose_reply(b"OIFM_TEST_000030"), proxy.lose_reply(b"OIFM_TEST_000055")]
    report = await update(store, defs, OPTIONS)
    assert all(event.is_set() for event in broken)
    assert (report.added, report.failed) == (MODELS, ())
    await check(store, defs)


@pytest.fixture
def mortal(tmp_path: Path) -> Iterator[ServerProcess]:
    """A server that can be killed and restarted with its data."""
    need("secantus")
    home = tmp_path / "server"
    home.mkdir()
    process = ServerProcess("secantus", home, ServerOptions(storage=home / "data"))
    try:
        yield process
    finally:
        process.kill()


async def test_a_server_that_is_killed_loses_no_update(mortal: ServerProcess, defs: Path) -> None:
    with Proxy(mortal.start().uri) as proxy:
        store = MongoStore(proxy.uri, database="findings", pool=QUICK, retry=SOME)
        assert (await update(store, defs, OPTIONS)).added == MODELS
        for path in sorted(defs.iterdir())[:40]:
            write_model(defs, path.name, int(path.stem.split(".")[0]) + 1, description="Changed since then.")
        killed = proxy.trap(b"OIFM_TEST_000030", mortal.kill)
        error = await failure_of(update(store, defs, OPTIONS))
        assert type(error) is StoreUnavailableError
        assert killed.is_set()
        await asyncio.to_thread(mortal.restart)
        ids = [make_id(number) for number in range(1, MODELS + 1)]
        assert len(await store.get(ids)) == MODELS  # each model has its old version or the new one
        report = await update(store, defs, OPTIONS)
        assert (report.added, report.removed, report.failed) == (0, 0, ())
        entries = (await store.get(ids)).values()
        assert sum(entry["description"] == "Changed since then." for entry in entries) == 40
        await check(store, defs)
        await store.close()


async def test_an_update_outlasts_a_failover(mortal: ServerProcess, defs: Path) -> None:
    with Proxy(mortal.start().uri) as proxy, ThreadPoolExecutor(1) as elsewhere:
        store = MongoStore(proxy.uri, database="findings", pool=QUICK, retry=MUCH)

        def fail_over() -> None:
            mortal.kill()
            elsewhere.submit(mortal.restart)

        over = proxy.trap(b"OIFM_TEST_000030", fail_over)
        report = await update(store, defs, OPTIONS)
        assert over.is_set()
        assert (report.added, report.failed) == (MODELS, ())
        report = await update(store, defs, OPTIONS)  # which repairs what a crash has lost
        assert report.ok
        await check(store, defs)
        await store.close()
