"""writer_lease: one writer at a time, who is told apart from a dead one, and gives the lease back."""

from __future__ import annotations

import asyncio
import os
import socket
import time
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.errors import LeaseHeldError, StoreUnavailableError
from findingmodel.update.lease import Wait, WriterLease, writer_lease
from tests.stores.contract_support import pid_of_a_dead_process
from tests.stores.samples import make_lease
from tests.update.virtual import run_in_virtual_time

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import Lease

SECOND_NS = 1_000_000_000
HOUR_NS = 3_600 * SECOND_NS


class Clock:
    """A wall clock that is moved by hand."""

    def __init__(self) -> None:
        self.now_ns = time.time_ns()

    def __call__(self) -> int:
        return self.now_ns

    def forward(self, seconds: float) -> None:
        self.now_ns += int(seconds * SECOND_NS)


class Recording:
    """A store that notes who asks for the lease and who gives it back, and may be out of reach."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.asked: list[Lease] = []
        self.released: list[Lease] = []
        self.is_away = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def acquire(self, lease: Lease) -> Lease | None:
        self.asked.append(lease)
        if self.is_away:
            raise StoreUnavailableError("no server answered in time")
        return await self._store.acquire(lease)

    async def release(self, lease: Lease) -> None:
        self.released.append(lease)
        if self.is_away:
            raise StoreUnavailableError("no server answered in time")
        await self._store.release(lease)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(time, "time_ns", clock)
    return clock


@pytest.fixture
def passing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the wall clock pass as that of the event loop does."""
    start = time.time_ns()
    now = lambda: start + int(asyncio.get_running_loop().time() * SECOND_NS)  # noqa: E731
    monkeypatch.setattr(time, "time_ns", now)


@pytest.fixture
def recording(memory: Store) -> Recording:
    return Recording(memory)


async def is_free(store: Store) -> bool:
    """Whether a stranger gets the lease; it is given back at once."""
    stranger = make_lease("stranger", expires_ns=time.time_ns() + HOUR_NS)
    if await store.acquire(stranger) is not None:
        return False
    await store.release(stranger)
    return True


async def test_the_lease_is_held_for_the_block_and_given_back(memory: Store) -> None:
    async with writer_lease(memory, lease_seconds=60) as lease:
        assert isinstance(lease, WriterLease)
        assert not await is_free(memory)
    assert await is_free(memory)


async def test_the_second_is_told_who_is_writing(memory: Store) -> None:
    async with writer_lease(memory, lease_seconds=60):
        with pytest.raises(LeaseHeldError) as raised:
            await writer_lease(memory, lease_seconds=60).__aenter__()
    assert f"process {os.getpid()} on {socket.gethostname()}" in str(raised.value)
    assert memory.label in str(raised.value)


async def test_of_many_writers_of_one_process_one_writes(memory: Store) -> None:
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


async def test_an_error_inside_gives_the_lease_back_and_is_the_one_that_is_raised(
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


async def test_cancellation_gives_the_lease_back(memory: Store) -> None:
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


async def test_a_database_that_went_away_is_not_asked_again(recording: Recording) -> None:
    async def write(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60):
            recording.is_away = True
            raise StoreUnavailableError("it went away")

    with pytest.raises(StoreUnavailableError, match="it went away"):
        await write(recording)
    assert len(recording.asked) == 1
    assert recording.released == []


async def test_a_lease_that_this_process_could_not_give_back_does_not_stop_its_next_update(
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


async def test_it_is_renewed_only_when_a_third_of_its_time_has_passed(
    recording: Recording, clock: Clock
) -> None:
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
        assert recording.asked[1].holder == recording.asked[0].holder
        assert recording.asked[1].expires_ns - recording.asked[0].expires_ns == 20 * SECOND_NS


async def test_a_lease_that_ran_out_and_that_nobody_took_is_held_again(memory: Store, clock: Clock) -> None:
    async with writer_lease(memory, lease_seconds=60) as lease:
        clock.forward(61)
        await lease.renew()
        assert not await is_free(memory)


async def test_a_lease_that_ran_out_and_was_taken_is_lost(memory: Store, clock: Clock) -> None:
    async def write() -> None:
        async with writer_lease(memory, lease_seconds=60) as lease:
            clock.forward(61)
            stranger = make_lease("stranger", expires_ns=clock() + HOUR_NS)
            assert await memory.acquire(stranger) is None
            await lease.renew()

    with pytest.raises(LeaseHeldError, match="process 1 on elsewhere"):
        await write()
    assert await memory.acquire(make_lease("third", expires_ns=clock() + HOUR_NS)) is not None


async def test_the_lease_of_a_dead_process_of_this_host_is_taken_over_at_once(memory: Store) -> None:
    dead = make_lease(
        "dead", expires_ns=time.time_ns() + HOUR_NS, host=socket.gethostname(), pid=pid_of_a_dead_process()
    )
    assert await memory.acquire(dead) is None
    async with writer_lease(memory, lease_seconds=60):
        assert not await is_free(memory)


async def test_the_lease_of_a_living_process_of_this_host_is_not(memory: Store) -> None:
    parent = make_lease(
        "parent", expires_ns=time.time_ns() + HOUR_NS, host=socket.gethostname(), pid=os.getppid()
    )
    assert await memory.acquire(parent) is None
    with pytest.raises(LeaseHeldError, match=f"process {os.getppid()} on"):
        await writer_lease(memory, lease_seconds=60).__aenter__()


async def test_a_process_that_cannot_be_seen_from_here_is_not_taken_for_dead(
    memory: Store, clock: Clock
) -> None:
    """Two containers with one host name: each has its own process numbers."""
    hidden = make_lease(
        "4026532000.0123456789abcdef",
        expires_ns=clock() + HOUR_NS,
        host=socket.gethostname(),
        pid=pid_of_a_dead_process(),
    )
    assert await memory.acquire(hidden) is None
    with pytest.raises(LeaseHeldError, match=f"process {hidden.pid} on"):
        await writer_lease(memory, lease_seconds=60).__aenter__()
    clock.forward(3_601)
    async with writer_lease(memory, lease_seconds=60):
        pass


async def test_one_that_waits_says_for_whom_and_comes_next(memory: Store) -> None:
    told: list[Lease] = []
    is_told = asyncio.Event()

    def tell(held: Lease) -> None:
        told.append(held)
        is_told.set()

    async def write_next() -> None:
        async with writer_lease(memory, lease_seconds=60, wait=Wait(60, tell)):
            assert not await is_free(memory)

    async with writer_lease(memory, lease_seconds=60):
        next_one = asyncio.create_task(write_next())
        await is_told.wait()
    await next_one
    assert [(held.host, held.pid) for held in told] == [(socket.gethostname(), os.getpid())]
    assert await is_free(memory)


async def test_one_that_waited_long_enough_is_told_who_is_still_writing(memory: Store) -> None:
    told: list[Lease] = []
    async with writer_lease(memory, lease_seconds=60):
        with pytest.raises(LeaseHeldError, match=f"another update is running, process {os.getpid()} on"):
            await writer_lease(memory, lease_seconds=60, wait=Wait(0.5, told.append)).__aenter__()
    assert len(told) == 1


@pytest.mark.usefixtures("passing")
def test_while_nothing_is_written_it_is_renewed_all_the_same(recording: Recording) -> None:
    async def write_nothing(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60) as lease, lease.kept():
            await asyncio.sleep(70)
        assert len(recording.asked) == 4
        await asyncio.sleep(70)

    run_in_virtual_time(write_nothing(recording))
    assert [asked.holder for asked in recording.asked] == [recording.asked[0].holder] * 4


@pytest.mark.usefixtures("passing")
def test_a_renewal_that_fails_is_tried_again_and_ends_nothing(recording: Recording) -> None:
    async def write_nothing(store: Any) -> None:
        async with writer_lease(store, lease_seconds=60) as lease, lease.kept():
            recording.is_away = True
            await asyncio.sleep(50)
            recording.is_away = False
            await asyncio.sleep(20)

    run_in_virtual_time(write_nothing(recording))
    assert len(recording.asked) == 4
    assert len(recording.released) == 1


async def test_a_holder_on_another_host_is_believed_to_live_until_the_lease_runs_out(
    memory: Store, clock: Clock
) -> None:
    assert await memory.acquire(make_lease("far", expires_ns=clock() + HOUR_NS, host="far")) is None
    with pytest.raises(LeaseHeldError, match="on far"):
        await writer_lease(memory, lease_seconds=60).__aenter__()
    clock.forward(3_601)
    async with writer_lease(memory, lease_seconds=60):
        assert not await is_free(memory)
