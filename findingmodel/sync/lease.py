"""writer_lease: the right to write, held by one update of an index at a time."""

from __future__ import annotations

import os
import socket
import time
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING

from findingmodel.errors import LeaseHeldError, StoreError
from findingmodel.stores.records import Lease

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from findingmodel.stores.protocol import Store

__all__ = ["WriterLease", "writer_lease"]

_NS = 1_000_000_000


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
        if held is not None:
            raise LeaseHeldError(
                f"cannot write to {self._store.label}: another update is running, {held}; "
                "try again when it is done"
            )
        self._renew_ns = now + self._length_ns // 3

    async def release(self) -> None:
        """Give the lease back."""
        await self._store.release(self._lease(0))

    def _lease(self, now_ns: int) -> Lease:
        return Lease(self._holder, self._host, os.getpid(), now_ns + self._length_ns)


@asynccontextmanager
async def writer_lease(store: Store, *, lease_seconds: float) -> AsyncIterator[WriterLease]:
    """Hold the writer's lease of *store*, which is set up.

    Raises:
        LeaseHeldError: another update has it; the message names its process and host.
        StoreError: the store failed.
    """
    lease = WriterLease(store, lease_seconds)
    await lease.renew()
    try:
        yield lease
    except BaseException:
        with suppress(StoreError):  # the error that ended the update is the one to tell; the lease runs out
            await lease.release()
        raise
    await lease.release()
