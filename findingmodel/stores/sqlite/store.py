"""SQLiteStore: the index in one local file, or in memory, with nothing to set up."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from findingmodel.runtime.run_without_loop import Offload, inline
from findingmodel.stores.lease import Lease, LeaseStatus, holds, is_free, lease_lost
from findingmodel.stores.sqlite.branch import Branch
from findingmodel.stores.sqlite.database import Database
from findingmodel.stores.sqlite.terms import SQLiteTerms

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator
    from pathlib import Path

    from findingmodel.stores.lease import Writer
    from findingmodel.stores.records import (
        ContributorKind,
        Counts,
        Credit,
        EntryRow,
        FileState,
        Owner,
        PageMark,
        Record,
        WriteBatch,
    )

# ruff: noqa: D102  # protocol.py describes the methods of a store

_ROWS_PER_TRANSACTION = 500
_POLL_SECONDS = 0.5
_FEW = 100  # entries, read in less time than it takes to hand the read to a thread


class SQLiteStore:
    """The index in a SQLite file.

    A file that does not exist reads as an empty index; `setup` creates it, readable by its owner only.
    Readers never wait for a writer, except in memory, where they wait for the end of a transaction.

    Args:
        path: the file, or ":memory:".
        branch: the branch of the file.
        offload: runs calls that may take longer than a point read; `asyncio.to_thread` in an event loop.
    """

    def __init__(self, path: str | Path, *, branch: str = "main", offload: Offload = inline) -> None:
        self.database = Database(str(path), branch, offload)
        self.terms = SQLiteTerms(self.database)
        self.leases = SQLiteLeases(self.database)
        self._branch = branch

    def __repr__(self) -> str:
        return f"SQLiteStore({self.label!r}, branch={self._branch!r})"

    @property
    def label(self) -> str:
        return self.database.label

    async def open(self) -> None:
        """Check that the file can be used, if it exists."""
        await self.database.read(Branch.generation)

    async def setup(self, *, recheck: bool = False) -> None:
        await self.database.setup()

    async def close(self) -> None:
        await self.database.close()

    async def generation(self) -> int:
        return await self.database.read_now(Branch.generation)

    async def generations(self) -> AsyncGenerator[int, None]:
        """Yield the generation, and each later one: the file is looked at twice a second."""
        import asyncio  # here, because a command that only reads needs no event loop

        known: int | None = None
        while True:
            generation = await self.generation()
            if generation != known:
                known = generation
                yield generation
            await asyncio.sleep(_POLL_SECONDS)

    async def counts(self) -> Counts:
        return await self.database.read_now(Branch.counts)

    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]:
        read = self.database.read_now if len(ids) <= _FEW else self.database.read
        return await read(Branch.get, ids)

    async def lookup(self, keys: Collection[str]) -> list[EntryRow]:
        return await self.database.read_now(Branch.lookup, keys)

    async def models(self, ids: Collection[str]) -> dict[str, bytes]:
        return await self.database.read(Branch.models, ids)

    async def page(
        self, *, sort: str, descending: bool, offset: int, limit: int, after: PageMark | None = None
    ) -> list[EntryRow]:
        return await self.database.read(Branch.page, sort, descending, offset, limit, after)

    async def contributors(self, kind: ContributorKind, keys: Collection[str] | None = None) -> list[Credit]:
        return await self.database.read_now(Branch.contributors, kind, keys)

    async def manifest(self) -> list[FileState]:
        return await self.database.read(Branch.manifest)

    async def owners(self, identity: Collection[str]) -> list[Owner]:
        return await self.database.read(Branch.owners, identity)

    async def credits(self, keys: Collection[str]) -> list[Credit]:
        return await self.database.read(Branch.credits, keys)

    def refuses(self, record: Record) -> str | None:
        """Return None: SQLite stores any record that could be read."""
        return None

    async def write(self, batch: WriteBatch, writer: Writer | None = None) -> None:
        """Apply *batch* in transactions of some hundred rows."""
        for step in _steps(batch):
            await self.database.change(_write, step, writer)

    async def advance(self, writer: Writer | None = None) -> int:
        return await self.database.change(_advance, writer)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Make what this task writes within the block visible together, at its end, or never.

        Other tasks that write in this store wait for the end, and so do other processes, for a limited time.
        A write that fails within the block, and is caught there, is undone alone.

        Raises:
            TransactionError: transactions would nest, or SQLite rolled this one back.
        """
        async with self.database.transaction():
            yield


class SQLiteLeases:
    """The writer's lease of a branch in a SQLite file."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def acquire(self, writer: Writer, seconds: float) -> Lease | None:
        return await self._database.change(_acquire, writer, seconds)

    async def renew(self, writer: Writer, seconds: float) -> bool:
        return await self._database.change(_renew, writer, seconds)

    async def release(self, writer: Writer) -> None:
        await self._database.change(_release, writer)

    async def status(self) -> LeaseStatus | None:
        lease = await self._database.read_now(Branch.lease)
        return None if lease is None else LeaseStatus.at(lease, time.time_ns())

    async def revoke(self, lease: Lease) -> bool:
        return await self._database.change(_revoke, lease)

    async def needs_recovery(self) -> bool:
        status = await self.status()
        return status is not None and status.state.is_free


def _write(branch: Branch, batch: WriteBatch, writer: Writer | None) -> None:
    _check_lease(branch, writer)
    branch.write(batch)


def _advance(branch: Branch, writer: Writer | None) -> int:
    _check_lease(branch, writer)
    return branch.advance()


def _check_lease(branch: Branch, writer: Writer | None) -> None:
    """Raise LeaseHeldError if *writer* has lost its lease."""
    if writer is not None and not holds(held := branch.lease(), writer):
        raise lease_lost(held)


def _acquire(branch: Branch, writer: Writer, seconds: float) -> Lease | None:
    held, now_ns = branch.lease(), time.time_ns()
    if held is not None and not is_free(held, writer, now_ns=now_ns):
        return held
    branch.set_lease(Lease.starting(writer, now_ns, seconds))
    return None


def _renew(branch: Branch, writer: Writer, seconds: float) -> bool:
    is_held = holds(branch.lease(), writer)
    if is_held:
        branch.set_lease(Lease.starting(writer, time.time_ns(), seconds))
    return is_held


def _release(branch: Branch, writer: Writer) -> None:
    if holds(branch.lease(), writer):
        branch.set_lease(None)


def _revoke(branch: Branch, lease: Lease) -> bool:
    if branch.lease() != lease:
        return False
    branch.set_lease(lease.revoked())
    return True


def _steps(batch: WriteBatch) -> Iterator[WriteBatch]:
    """Cut *batch* into transactions, in an order in which no model is ever missing."""
    size = _ROWS_PER_TRANSACTION
    for start in range(0, len(batch.upserts), size):
        yield batch._replace(
            upserts=batch.upserts[start : start + size], touches=(), removals=(), credits=(), withdrawn=()
        )
    rest = batch._replace(upserts=())
    if any(rest):
        yield rest
