"""The right to write, held by one update of an index at a time, or by one transaction of several."""

from __future__ import annotations

import os
import socket
import time
from contextlib import asynccontextmanager, contextmanager, suppress
from typing import TYPE_CHECKING

from findingmodel.errors import LeaseHeldError, StoreError, StoreUnavailableError
from findingmodel.stores.records import Lease
from findingmodel.stores.transactions import current, joined

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from findingmodel.stores.protocol import Store

__all__ = ["WriterLease", "transaction", "writer_lease"]

_NS = 1_000_000_000

_alive: set[str] = set()
"""The holders of this process. A lease of it with another holder is nobody's: it could not be given back."""


class WriterLease:
    """A lease that this process holds.

    Args:
        store: where it is held.
        seconds: how long another writer waits if this one dies.
    """

    def __init__(self, store: Store, seconds: float) -> None:
        self._store = store
        self._length_ns = int(seconds * _NS)
        self._holder = os.urandom(8).hex()
        self._host = socket.gethostname()
        self._renew_ns = 0

    async def renew(self) -> None:
        """Hold on to the lease; a command only if a third of its time has passed.

        Raises:
            LeaseHeldError: another update has it.
        """
        now = time.time_ns()
        if now < self._renew_ns:
            return
        held = await self._store.acquire(self._lease(now))
        if held is not None and self._is_nobodys(held):
            _alive.discard(self._holder)
            self._holder = held.holder
            _alive.add(self._holder)
            held = await self._store.acquire(self._lease(now))
        if held is not None:
            raise LeaseHeldError(
                f"cannot write to {self._store.label}: another update is running, {held}; "
                "try again when it is done"
            )
        self._renew_ns = now + self._length_ns // 3

    async def release(self) -> None:
        """Give the lease back."""
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
async def writer_lease(store: Store, *, lease_seconds: float) -> AsyncIterator[WriterLease]:
    """Hold the writer's lease of *store*, which is set up; within `transaction`, the one that it holds.

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
        await lease.renew()
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
        with joined((store, "lease"), lease):
            yield
