"""The writer's lease: the right to write, held by one update of an index or one transaction at a time."""

from __future__ import annotations

import asyncio
import random
from contextlib import asynccontextmanager, contextmanager, suppress
from time import monotonic
from typing import TYPE_CHECKING

from findingmodel.errors import LeaseHeldError, StoreError, StoreUnavailableError
from findingmodel.stores.lease import lease_lost, new_writer, this_process
from findingmodel.stores.transactions import current, joined

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from findingmodel.stores.lease import Lease
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import WriteBatch

_RETRY_SECONDS = (0.1, 0.5)
"""A waiting writer tries again after a random time between these, so that two do not try in step."""

_live_holders: set[str] = set()
"""The holders of this process. A lease of this process with any other holder is abandoned."""


class WriterLease:
    """A lease that this process holds.

    Args:
        store: the index that it is for.
        seconds: how long other writers wait for this one after it died.

    Attributes:
        needs_recovery: models were written, by this holder or by one that died, while contributors or the
            generation were not yet. A lease that is released like this expires at once, and the next writer
            inherits the flag.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        self.store = store
        self._seconds = seconds
        self._writer = new_writer()
        self._renew_at = 0.0  # by the monotonic clock: the wall clock may be set back
        self.needs_recovery = False

    async def write(self, batch: WriteBatch) -> None:
        """Write *batch* to the store, as the holder of this lease.

        Raises:
            LeaseHeldError: another writer holds it now.
            StoreError: the store failed.
        """
        await self.store.write(batch, self._writer)

    async def advance(self) -> int:
        """Advance the generation of the store, as the holder of this lease; raises as `write`."""
        return await self.store.advance(self._writer)

    async def take(self, wait_seconds: float = 0.0, on_wait: Callable[[Lease], None] | None = None) -> None:
        """Take the lease; if another writer holds it, try again for *wait_seconds*.

        Args:
            wait_seconds: 0 to fail at once.
            on_wait: called once for each other holder, with its lease.

        Raises:
            LeaseHeldError: another writer still holds it.
        """
        deadline = monotonic() + wait_seconds
        reported: str | None = None
        self.needs_recovery = await self.store.leases.needs_recovery()
        while (held := await self._acquire()) is not None:
            self.needs_recovery = True  # its holder may die before it ends
            left = deadline - monotonic()
            if left <= 0:
                raise self._held_error(held)
            if on_wait is not None and reported != held.writer.holder:
                reported = held.writer.holder
                on_wait(held)
            await asyncio.sleep(min(left, random.uniform(*_RETRY_SECONDS)))  # noqa: S311  # not a secret

    async def renew(self) -> None:
        """Extend the lease; sends a command only if a third of its time has passed.

        Raises:
            LeaseHeldError: it was lost to another writer.
        """
        if monotonic() < self._renew_at:
            return
        renew_at = monotonic() + self._seconds / 3
        if not await self.store.leases.renew(self._writer, self._seconds):
            status = await self.store.leases.status()
            reason = lease_lost(status and status.lease)
            raise LeaseHeldError(f"cannot write to {self.store.label}: {reason}")
        self._renew_at = renew_at

    @asynccontextmanager
    async def renewing(self) -> AsyncIterator[None]:
        """Renew the lease in the background within the block, even if nothing is written for long."""
        stop = asyncio.Event()
        task = asyncio.create_task(self._renew_until(stop))
        try:
            yield
        finally:
            stop.set()
            await asyncio.shield(task)

    async def _renew_until(self, stop: asyncio.Event) -> None:
        while not stop.is_set():
            with suppress(TimeoutError):
                await asyncio.wait_for(stop.wait(), self._seconds / 3)
                return
            with suppress(StoreError):  # the next write raises it; until then nothing depends on the lease
                await self.renew()

    async def _acquire(self) -> Lease | None:
        """Take the lease; return the lease of another holder if there is one."""
        renew_at = monotonic() + self._seconds / 3
        held = await self.store.leases.acquire(self._writer, self._seconds)
        if held is not None and _is_abandoned(held):
            self.needs_recovery = True
            _live_holders.discard(self._writer.holder)
            self._writer = self._writer._replace(holder=held.writer.holder)
            _live_holders.add(self._writer.holder)
            held = await self.store.leases.acquire(self._writer, self._seconds)
        if held is None:
            self._renew_at = renew_at
        return held

    def _held_error(self, held: Lease) -> LeaseHeldError:
        return LeaseHeldError(
            f"cannot write to {self.store.label}: another update is running, {held}; "
            "try again when it is done; 'findingmodel index unlock' shows whether it runs"
        )

    async def release(self) -> None:
        """Release the lease; if recovery is needed, let it expire instead."""
        if self.needs_recovery:
            await self.store.leases.renew(self._writer, 0)
        else:
            await self.store.leases.release(self._writer)

    @contextmanager
    def alive(self) -> Iterator[None]:
        """Count as a live holder of this process within the block."""
        _live_holders.add(self._writer.holder)
        try:
            yield
        finally:
            _live_holders.discard(self._writer.holder)


def _is_abandoned(held: Lease) -> bool:
    """Return whether a writer of this process holds *held* that has ended without releasing it."""
    return held.writer.process == this_process() and held.writer.holder not in _live_holders


@asynccontextmanager
async def writer_lease(
    store: Store,
    *,
    lease_seconds: float,
    wait_seconds: float = 0.0,
    on_wait: Callable[[Lease], None] | None = None,
) -> AsyncIterator[WriterLease]:
    """Hold the writer's lease of *store*, which is set up; within `transaction`, share the one it holds.

    Args:
        store: the index.
        lease_seconds: how long other writers wait for this one after it died.
        wait_seconds, on_wait: as `WriterLease.take`.

    Raises:
        LeaseHeldError: another writer holds it; the message names its process and host.
        StoreError: the store failed.
    """
    shared: WriterLease | None = current((store, "lease"))
    if shared is not None:
        yield shared
        return
    lease = WriterLease(store, lease_seconds)
    with lease.alive():
        await lease.take(wait_seconds, on_wait)
        try:
            yield lease
        except StoreUnavailableError:
            raise  # releasing would fail too, after a timeout; the lease expires by itself
        except BaseException:
            with suppress(StoreError):  # the first error is the one to report
                await lease.release()
            raise
        await lease.release()


@asynccontextmanager
async def transaction(store: Store, *, lease_seconds: float) -> AsyncIterator[None]:
    """Make all updates within the block one transaction of *store*, under one lease.

    Raises:
        TransactionError: the store has no transactions, one is open already, or this one was rolled back.
        LeaseHeldError: another writer holds the lease.
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
            lease.needs_recovery = True  # what cleared the flag within the block is rolled back
            raise
