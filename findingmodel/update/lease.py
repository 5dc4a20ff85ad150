"""The right to write, held by one update of an index at a time, or by one transaction of several."""

from __future__ import annotations

import asyncio
import os
import random
import socket
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import LeaseHeldError, StoreError, StoreUnavailableError
from findingmodel.stores.lease import new_holder
from findingmodel.stores.records import Lease
from findingmodel.stores.transactions import current, joined

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from findingmodel.stores.protocol import Store

__all__ = ["Wait", "WriterLease", "transaction", "writer_lease"]

_NS = 1_000_000_000

_LOOKS_SECONDS = (0.1, 0.5)
"""One who waits looks again after a random time between these: two that wait must not look in step."""

_alive: set[str] = set()
"""The holders of this process. A lease of it with another holder is nobody's: it could not be given back."""


def _ignore(_: Lease) -> None:
    """Tell nobody."""


class Wait(NamedTuple):
    """What to do if another has the lease.

    Attributes:
        seconds: how long to wait for it; 0 not at all.
        tell: called with whose end is waited for, once for each.
    """

    seconds: float = 0.0
    tell: Callable[[Lease], None] = _ignore


_NOT_AT_ALL = Wait()


class WriterLease:
    """A lease that this process holds.

    Args:
        store: where it is held.
        seconds: how long another writer waits if this one dies.

    Attributes:
        owes: models have been written, by its holder or by one that died, and not yet all that follows from
            them: contributors, and that readers are told. Who gives it back like that leaves it lying there,
            for anybody to take, together with the debt.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._length_ns = int(seconds * _NS)
        self._seconds = seconds
        self._holder = new_holder()
        self._host = socket.gethostname()
        self._renew_ns = 0
        self.needs_recovery = False

    async def take(self, wait: Wait) -> None:
        """Take the lease, which another may have: then wait for it, as *wait* has it.

        Raises:
            LeaseHeldError: another update has it, still.
        """
        until = time.monotonic() + wait.seconds
        told: Lease | None = None
        self.needs_recovery = await self._store.needs_recovery()
        while (held := await self._ask()) is not None:
            self.needs_recovery = True  # it may die meanwhile
            left = until - time.monotonic()
            if left <= 0:
                raise self._held_error(held)
            if told is None or told.holder != held.holder:
                told = held
                wait.tell(held)
            await asyncio.sleep(min(left, random.uniform(*_LOOKS_SECONDS)))  # noqa: S311  # no secret

    async def renew(self) -> None:
        """Hold on to the lease; a command only if a third of its time has passed.

        Raises:
            LeaseHeldError: another update has it.
        """
        if time.time_ns() >= self._renew_ns and (held := await self._ask()) is not None:
            raise self._held_error(held)

    @asynccontextmanager
    async def kept(self) -> AsyncIterator[None]:
        """Renew the lease for the length of the block, however long nothing is written."""
        over = asyncio.Event()
        beating = asyncio.create_task(self._beat(over))
        try:
            yield
        finally:
            over.set()
            await asyncio.shield(beating)

    async def _beat(self, over: asyncio.Event) -> None:
        while not over.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), self._seconds / 3)
                return
            with suppress(StoreError):  # who writes next is told; nobody need be until then
                await self.renew()

    async def _ask(self) -> Lease | None:
        """Take or renew the lease; return who has it, if another does."""
        now = time.time_ns()
        held = await self._store.acquire(self._lease(now))
        if held is not None and self._is_nobodys(held):
            self.needs_recovery = True
            _alive.discard(self._holder)
            self._holder = held.holder
            _alive.add(self._holder)
            held = await self._store.acquire(self._lease(now))
        if held is None:
            self._renew_ns = now + self._length_ns // 3
        return held

    def _held_error(self, held: Lease) -> LeaseHeldError:
        return LeaseHeldError(
            f"cannot write to {self._store.label}: another update is running, {held}; "
            "try again when it is done"
        )

    async def release(self) -> None:
        """Give the lease back, or leave it lying there."""
        if self.needs_recovery:
            await self._store.acquire(self._lease(0)._replace(expires_ns=0))
        else:
            await self._store.release(self._lease(0))

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Be one of this process's holders for the length of the block."""
        _alive.add(self._holder)
        try:
            yield
        finally:
            _alive.discard(self._holder)

    def _is_nobodys(self, held: Lease) -> bool:
        return (held.host, held.pid) == (self._host, os.getpid()) and held.holder not in _alive

    def _lease(self, now_ns: int) -> Lease:
        return Lease(self._holder, self._host, os.getpid(), now_ns + self._length_ns)


@asynccontextmanager
async def writer_lease(
    store: Store, *, lease_seconds: float, wait: Wait = _NOT_AT_ALL
) -> AsyncIterator[WriterLease]:
    """Hold the writer's lease of *store*, which is set up; within `transaction`, the one that it holds.

    Args:
        store: where it is held.
        lease_seconds: how long another writer waits if this one dies.
        wait: what to do if another has it.

    Raises:
        LeaseHeldError: another update has it; the message names its process and host.
        StoreError: the store failed.
    """
    held: WriterLease | None = current((store, "lease"))
    if held is not None:
        yield held
        return
    lease = WriterLease(store, lease_seconds)
    with lease.alive():
        await lease.take(wait)
        try:
            yield lease
        except StoreUnavailableError:
            raise  # to give it back would fail too, and take its time; it runs out
        except BaseException:
            with suppress(StoreError):  # the error that ended the update is the one to tell
                await lease.release()
            raise
        await lease.release()


@asynccontextmanager
async def transaction(store: Store, *, lease_seconds: float) -> AsyncIterator[None]:
    """Let all updates within the block be one transaction of *store*, under one lease.

    Raises:
        TransactionError: the store has no transactions, or one is open, or this one was given up.
        LeaseHeldError: another update has the lease.
        StoreError: the store failed.
    """
    await store.setup()
    async with (
        writer_lease(store, lease_seconds=lease_seconds) as lease,
        store.transaction(),
    ):
        try:
            with joined((store, "lease"), lease):
                yield
        except BaseException:
            lease.needs_recovery = True  # what was paid within is undone
            raise
