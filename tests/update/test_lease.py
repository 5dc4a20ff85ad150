"""The writer's lease: one writer at a time; leases of dead writers are taken over."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.errors import LeaseHeldError, StoreUnavailableError
from findingmodel.stores.lease import LeaseState, new_writer, this_process
from findingmodel.update import lease as lease_module
from findingmodel.update.lease import WriterLease, writer_lease
from tests.stores.samples import LONG_SECONDS, make_writer
from tests.update.virtual import run_in_virtual_time

if TYPE_CHECKING:
    from findingmodel.stores.lease import Lease, Writer
    from findingmodel.stores.protocol import Store

SECOND_NS = 1_000_000_000


class Clock:
    """The wall clock and the monotonic clock, which tests advance."""

    def __init__(self) -> None:
        self.now_ns = time.time_ns()
        self.seconds = time.monotonic()

    def __call__(self) -> int:
        return self.now_ns

    def monotonic(self) -> float:
        return self.seconds

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock alone forward, or back."""
        self.now_ns += int(seconds * SECOND_NS)

    def forward(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND_NS)
        self.seconds += seconds


class Recording:
    """A store that records who acquires and who releases its lease, and may be out of reach."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[Writer] = []
        self.released: list[Writer] = []
        self.is_away = False
        self.leases = self

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def needs_recovery(self) -> bool:
        return await self._store.leases.needs_recovery()

    async def status(self) -> Any:
        return await self._store.leases.status()

    async def acquire(self, writer: Writer, seconds: float) -> Lease | None:
        self._ask(writer, self.asked)
        return await self._store.leases.acquire(writer, seconds)

    async def renew(self, writer: Writer, seconds: float) -> bool:
        self._ask(writer, self.asked)
        return await self._store.leases.renew(writer, seconds)

    async def release(self, writer: Writer) -> None:
        self._ask(writer, self.released)
        await self._store.leases.release(writer)

    def _ask(self, writer: Writer, log: list[Writer]) -> None:
        log.append(writer)
        if self.is_away:
            raise StoreUnavailableError("no server answered in time")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time_ns", clock)
    monkeypatch.setattr(lease_module, "monotonic", clock.monotonic)
    return clock


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the clocks follow the clock of the event loop."""
    start = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: start + int(asyncio.get_running_loop().time() * SECOND_NS))
    monkeypatch.setattr(lease_module, "monotonic", lambda: asyncio.get_running_loop().time())


@pytest.fixture
def recording(memory: Store) -> Recording:
    return Recording(memory)


async def is_free(store: Store) -> bool:
    """Return whether another holder can take the lease; it is released at once."""
    stranger = make_writer("stranger")
    if await store.leases.acquire(stranger, LONG_SECONDS) is not None:
        return False
    await store.leases.release(stranger)
    return True


async def test_the_lease_is_held_for_the_block_and_released(memory: Store) -> None:
    async with writer_lease(memory, lease_seconds=60) as lease:
        assert isinstance(lease, WriterLease)
        assert not await is_free(memory)
    assert await is_free(memory)


async def test_the_second_writer_fails_and_names_the_holder(memory: Store) -> None:
    async with writer_lease(memory, lease_seconds=60):
        with pytest.raises(LeaseHeldError) as raised:
            await writer_lease(memory, lease_seconds=60).__aenter__()
    assert f"process {os.getpid()} on {socket.gethostname()}" in str(raised.value)
    assert memory.label in str(raised.value)


async def test_only_one_of_many_writers_in_one_process_writes(memory: Store) -> None:
    others_are_told = asyncio.Event()

    async def write() -> None:
        async with writer_lease(memory, lease_seconds=60):
            await others_are_told.wait()

    context = [asyncio.create_task(write()) for _ in range(10)]
    for done in islice(asyncio.as_completed(context), 9):
        with pytest.raises(LeaseHeldError):
            await done
    others_are_told.set()
    results = await asyncio.gather(*context, return_exceptions=True)
    assert results.count(None) == 1


async def test_an_error_in_the_block_releases_the_lease_and_is_raised(
    memory: Store, recording: Recording
) -> None:
    async def write(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60):
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        await write(recording)
    assert len(recording.released) == 1
    assert await is_free(memory)

    async def write_and_lose(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60):
            recording.is_away = True
            raise KeyError("inside")

    with pytest.raises(KeyError, match="inside"):
        await write_and_lose(recording)


async def test_cancellation_releases_the_lease(memory: Store) -> None:
    has_it = asyncio.Event()

    async def write() -> None:
        async with writer_lease(memory, lease_seconds=60):
            has_it.set()
            await asyncio.Event().wait()

    context = asyncio.create_task(write())
    await has_it.wait()
    context.cancel()
    with pytest.raises(asyncio.CancelledError):
        await context
    assert await is_free(memory)


async def test_an_unavailable_database_is_not_asked_to_release(recording: Recording) -> None:
    async def write(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60):
            recording.is_away = True
            raise StoreUnavailableError("it went away")

    with pytest.raises(StoreUnavailableError, match="it went away"):
        await write(recording)
    assert len(recording.asked) == 1
    assert recording.released == []


async def test_a_lease_that_could_not_be_released_does_not_block_the_next_update_of_this_process(
    recording: Recording, memory: Store
) -> None:
    async def write(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60):
            recording.is_away = True
            raise StoreUnavailableError("it went away")

    with pytest.raises(StoreUnavailableError):
        await write(recording)
    assert not await is_free(memory)
    async with writer_lease(memory, lease_seconds=60):
        assert not await is_free(memory)
    assert await is_free(memory)


async def test_a_lease_is_renewed_only_after_a_third_of_its_time(recording: Recording, clock: Clock) -> None:
    store: Any = recording
    async with writer_lease(store, lease_seconds=60) as lease:
        for _ in range(19):
            clock.forward(1)
            await lease.renew()
        assert len(recording.asked) == 1
        clock.forward(1)
        await lease.renew()
        await lease.renew()
        assert len(recording.asked) == 2
        assert recording.asked[1] == recording.asked[0]
        status = await recording.status()
        assert status.seconds_left == 60


async def test_a_wall_clock_that_is_set_back_does_not_stop_renewals(
    recording: Recording, clock: Clock
) -> None:
    store: Any = recording
    async with writer_lease(store, lease_seconds=60) as lease:
        clock.set_wall(-86_400)
        clock.forward(21)
        await lease.renew()
        assert (await recording.status()).seconds_left == 60


async def test_a_lease_from_the_future_is_void(memory: Store, clock: Clock) -> None:
    """It was taken before the clock was set back, or on a machine whose clock is wrong."""
    clock.set_wall(86_400)
    assert await memory.leases.acquire(make_writer("early"), 60) is None
    clock.set_wall(-86_400)
    status = await memory.leases.status()
    assert status is not None
    assert status.state is LeaseState.VOID
    async with writer_lease(memory, lease_seconds=60) as lease:
        assert lease.needs_recovery


async def test_clocks_may_differ_a_little(memory: Store, clock: Clock) -> None:
    clock.set_wall(4)
    assert await memory.leases.acquire(make_writer("early"), 60) is None
    clock.set_wall(-4)
    with pytest.raises(LeaseHeldError):
        await writer_lease(memory, lease_seconds=60).__aenter__()


async def test_an_expired_lease_that_nobody_took_is_renewed(memory: Store, clock: Clock) -> None:
    async with writer_lease(memory, lease_seconds=60) as lease:
        clock.forward(61)
        await lease.renew()
        assert not await is_free(memory)


async def test_an_expired_lease_that_was_taken_is_lost(memory: Store, clock: Clock) -> None:
    async def write() -> None:
        async with writer_lease(memory, lease_seconds=60) as lease:
            clock.forward(61)
            stranger = make_writer("stranger")
            assert await memory.leases.acquire(stranger, LONG_SECONDS) is None
            await lease.renew()

    with pytest.raises(LeaseHeldError, match="lost its lease to process 1 on elsewhere"):
        await write()
    assert await memory.leases.acquire(make_writer("third"), LONG_SECONDS) is not None


async def test_two_containers_with_one_host_name_and_one_pid_are_two_writers(memory: Store) -> None:
    """Each is process 1 of its own PID namespace, and their images may give both the same host name."""
    twin = new_writer()._replace(holder="twin", process="of the twin", system="another system")
    assert await memory.leases.acquire(twin, LONG_SECONDS) is None
    with pytest.raises(LeaseHeldError, match=f"process {os.getpid()} on"):
        await writer_lease(memory, lease_seconds=60).__aenter__()
    await memory.leases.release(twin)
    async with writer_lease(memory, lease_seconds=60):
        assert await memory.leases.acquire(twin, LONG_SECONDS) is not None


def test_a_forked_child_is_another_process() -> None:
    parent = this_process()
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        os.write(writing, this_process().encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert os.read(reading, 99).decode() not in ("", parent)
    assert this_process() == parent
    os.close(reading)
    os.close(writing)


async def test_a_waiting_writer_reports_the_holder_and_writes_next(memory: Store) -> None:
    told: list[Lease] = []
    is_told = asyncio.Event()

    def tell(held: Lease) -> None:
        told.append(held)
        is_told.set()

    async def write_next() -> None:
        async with writer_lease(memory, lease_seconds=60, wait_seconds=60, on_wait=tell):
            assert not await is_free(memory)

    async with writer_lease(memory, lease_seconds=60):
        next_one = asyncio.create_task(write_next())
        await is_told.wait()
    await next_one
    assert [(held.writer.host, held.writer.pid) for held in told] == [(socket.gethostname(), os.getpid())]
    assert await is_free(memory)


async def test_a_writer_that_waited_too_long_fails_and_names_the_holder(memory: Store) -> None:
    told: list[Lease] = []
    async with writer_lease(memory, lease_seconds=60):
        with pytest.raises(LeaseHeldError, match=f"another update is running, process {os.getpid()} on"):
            await writer_lease(memory, lease_seconds=60, wait_seconds=0.5, on_wait=told.append).__aenter__()
    assert len(told) == 1


@pytest.mark.usefixtures("passing")
def test_a_lease_is_renewed_while_nothing_is_written(recording: Recording) -> None:
    async def write_nothing(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60) as lease, lease.renewing():
            await asyncio.sleep(70)
        assert len(recording.asked) == 4
        await asyncio.sleep(70)

    run_in_virtual_time(write_nothing(recording))
    assert recording.asked == [recording.asked[0]] * 4


@pytest.mark.usefixtures("passing")
def test_a_failed_renewal_is_retried_and_raises_nothing(recording: Recording) -> None:
    async def write_nothing(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60) as lease, lease.renewing():
            recording.is_away = True
            await asyncio.sleep(50)
            recording.is_away = False
            await asyncio.sleep(20)

    run_in_virtual_time(write_nothing(recording))
    assert len(recording.asked) == 4
    assert len(recording.released) == 1


async def test_a_holder_on_another_host_counts_as_alive_until_the_lease_expires(
    memory: Store, clock: Clock
) -> None:
    assert await memory.leases.acquire(make_writer("far", host="far"), LONG_SECONDS) is None
    with pytest.raises(LeaseHeldError, match="on far"):
        await writer_lease(memory, lease_seconds=60).__aenter__()
    clock.forward(3_601)
    async with writer_lease(memory, lease_seconds=60):
        assert not await is_free(memory)
