"""SQLiteStore: the index in one local file, or in memory, with nothing to set up."""

from __future__ import annotations

import os
import random
import sqlite3
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from findingmodel.drive import Offload, inline
from findingmodel.errors import StoreClosedError, StoreError, StoreSchemaError, StoreUnavailableError
from findingmodel.stores.leases import is_free
from findingmodel.stores.sqlite_core import Branch
from findingmodel.stores.sqlite_schema import branch_exists, count_terms, create, verify

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Sequence

    from findingmodel.stores.records import (
        Candidate,
        ContributorKind,
        Counts,
        Credit,
        EntryRow,
        FileState,
        Frequencies,
        Lease,
        LexiconRow,
        Owner,
        TermQuery,
        WriteBatch,
    )

__all__ = ["SQLiteStore"]

T = TypeVar("T")

_MEMORY = ":memory:"
_ROWS_PER_TRANSACTION = 500
_BUSY_TIMEOUT_SECONDS = 30.0
_BUSY_RETRIES = 5
_LEXICON_CHUNK = 2_000


class SQLiteStore:
    """The index in the SQLite file *path* (":memory:" for none).

    A file that does not exist reads as an empty index; `setup` creates it, for its owner's eyes only. Readers
    have connections of their own, so that they never wait for a writer.

    Args:
        path: the file.
        branch: which of the file's indexes.
        offload: where calls that may take longer than a point read run; `asyncio.to_thread` in an event loop.
    """

    def __init__(self, path: str | Path, *, branch: str = "main", offload: Offload = inline) -> None:
        self._path = str(path)
        self._branch = branch
        self._offload = offload
        self._writer: sqlite3.Connection | None = None
        self._writing = threading.RLock()
        self._readers: list[sqlite3.Connection] = []
        self._closed = False

    def __repr__(self) -> str:
        return f"SQLiteStore({self.label!r}, branch={self._branch!r})"

    @property
    def label(self) -> str:
        """The database's URL."""
        return f"sqlite:///{self._path}"

    # life

    async def open(self) -> None:
        """Check that the file, where it exists, can be used."""
        await self._offload(self._read, Branch.generation)

    async def setup(self) -> None:
        """Create the file and its tables where they are missing."""
        await self._offload(self._setup)

    async def close(self) -> None:
        """Close every connection."""
        await self._offload(self._close)

    # what is there

    async def generation(self) -> int:
        """Return the number of finished updates."""
        return self._read(Branch.generation)

    async def counts(self) -> Counts:
        """Return how much is stored."""
        return self._read(Branch.counts)

    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]:
        """Return entries by id."""
        return self._read(Branch.get, ids)

    async def lookup(self, keys: Collection[str]) -> list[EntryRow]:
        """Return the entries that have any of these folded keys."""
        return self._read(Branch.lookup, keys)

    async def models(self, ids: Collection[str]) -> dict[str, bytes]:
        """Return the JSON texts of models by id."""
        return await self._offload(self._read, Branch.models, ids)

    async def page(self, *, sort: str, descending: bool, offset: int, limit: int) -> list[EntryRow]:
        """Return one page of the sorted entries."""
        return await self._offload(self._read, Branch.page, sort, descending, offset, limit)

    async def contributors(self, kind: ContributorKind, keys: Collection[str] | None = None) -> list[Credit]:
        """Return people or organizations, by key."""
        return self._read(Branch.contributors, kind, keys)

    # search

    async def candidates(self, query: TermQuery, *, limit: int) -> list[Candidate]:
        """Return the best entries for *query* by bm25."""
        return await self._offload(self._read, Branch.candidates, query, limit)

    async def frequencies(self, tokens: Collection[str]) -> Frequencies | None:
        """Return in how many entries these tokens occur."""
        return self._read(Branch.frequencies, tokens)

    async def lexicon(self) -> AsyncIterator[Sequence[LexiconRow]]:
        """Yield every entry's names and terms, in chunks."""
        after, rows = await self._offload(self._read, Branch.lexicon, 0, _LEXICON_CHUNK)
        while rows:
            yield rows
            after, rows = await self._offload(self._read, Branch.lexicon, after, _LEXICON_CHUNK)

    # update

    async def manifest(self) -> list[FileState]:
        """Return what files the index was made from."""
        return await self._offload(self._read, Branch.manifest)

    async def owners(self, identity: Collection[str]) -> list[Owner]:
        """Return who holds these identity keys."""
        return await self._offload(self._read, Branch.owners, identity)

    async def credits(self, keys: Collection[str]) -> list[Credit]:
        """Return these contributors as each stored model states them."""
        return await self._offload(self._read, Branch.credits, keys)

    async def write(self, batch: WriteBatch) -> None:
        """Apply *batch* in transactions of some hundred rows."""
        for step in _steps(batch):
            await self._offload(self._write, Branch.write, step)

    async def advance(self) -> int:
        """Count one finished update."""
        return await self._offload(self._write, Branch.advance)

    async def acquire(self, lease: Lease) -> Lease | None:
        """Take or renew the lease."""
        return await self._offload(self._write, _acquire, lease)

    async def release(self, lease: Lease) -> None:
        """Give the lease back, if it is still held."""
        await self._offload(self._write, _release, lease)

    # connections

    def _setup(self) -> None:
        with self._translated("create"), self._writing:
            self._write_connection()

    def _close(self) -> None:
        self._closed = True
        with self._writing:
            while self._readers:
                self._readers.pop().close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _read(self, function: Callable[..., T], *args: Any) -> T:
        with self._translated("read"), self._reader() as connection:
            return function(Branch(connection, self._branch), *args)

    def _write(self, function: Callable[..., T], *args: Any) -> T:
        with self._translated("write to"), self._writing:
            connection = self._write_connection()
            _begin(connection)
            try:
                result = function(Branch(connection, self._branch), *args)
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise
            return result

    @contextmanager
    def _reader(self) -> Iterator[sqlite3.Connection]:
        """Lend a connection to a reader; one thread has it at a time."""
        if self._path == _MEMORY:
            with self._writing:
                yield self._write_connection()
            return
        connection = self._readers.pop() if self._readers else self._read_connection()
        if connection is None:
            yield from self._nothing()
            return
        try:
            yield connection
        finally:
            if self._closed:
                connection.close()
            else:
                self._readers.append(connection)

    def _nothing(self) -> Iterator[sqlite3.Connection]:
        """Lend an empty index: what a database that does not exist yet reads as."""
        connection = _connect(_MEMORY)
        try:
            create(connection, self._branch)
            count_terms(connection, self._branch)
            yield connection
        finally:
            connection.close()

    def _read_connection(self) -> sqlite3.Connection | None:
        """Return a new connection that cannot write, or None where nothing was set up yet."""
        if not Path(self._path).exists():
            return None
        connection = _connect(_uri(self._path, "rw" if os.access(self._path, os.W_OK) else "ro"))
        try:
            verify(connection)
            if branch_exists(connection, self._branch):
                count_terms(connection, self._branch)
                connection.execute("PRAGMA query_only = 1")
                return connection
        except BaseException:
            connection.close()
            raise
        connection.close()
        return None

    def _write_connection(self) -> sqlite3.Connection:
        """Return the one connection that writes, to tables that exist; the caller holds the lock."""
        if self._writer is None:
            self._writer = _connect_for_writing(self._path, self._branch)
        return self._writer

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Turn what sqlite3 raises into our errors; causes: https://www.sqlite.org/rescode.html."""
        if self._closed:
            raise StoreClosedError(f"cannot {doing} {self.label}: it was closed")
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(f"cannot {doing} {self.label}: {error}") from error
        except sqlite3.DatabaseError as error:
            wrong_file = "not a database" in str(error)
            kind = StoreSchemaError if wrong_file else StoreError
            raise kind(f"cannot {doing} {self.label}: {error}") from error
        except OSError as error:
            raise StoreUnavailableError(f"cannot {doing} {self.label}: {error.strerror}") from error
        except StoreSchemaError as error:
            raise StoreSchemaError(f"cannot {doing} {self.label}: {error}") from None


def _acquire(branch: Branch, lease: Lease) -> Lease | None:
    held = branch.lease()
    if held is not None and not is_free(held, lease, now_ns=time.time_ns()):
        return held
    branch.set_lease(lease)
    return None


def _release(branch: Branch, lease: Lease) -> None:
    held = branch.lease()
    if held is not None and held.holder == lease.holder:
        branch.set_lease(None)


def _steps(batch: WriteBatch) -> Iterator[WriteBatch]:
    """Cut *batch* into transactions, in the order in which nothing is ever missing."""
    size = _ROWS_PER_TRANSACTION
    for start in range(0, len(batch.upserts), size):
        yield batch._replace(
            upserts=batch.upserts[start : start + size], touches=(), removals=(), credits=(), withdrawn=()
        )
    rest = batch._replace(upserts=())
    if any(rest):
        yield rest


def _begin(connection: sqlite3.Connection) -> None:
    """Start a transaction that writes; SQLite's own waiting is unfair, so try again at a random moment."""
    for attempt in range(_BUSY_RETRIES):
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt + 1 == _BUSY_RETRIES:
                raise
            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311  # jitter, not a secret
        else:
            return


def _connect(target: str) -> sqlite3.Connection:
    return sqlite3.connect(
        target,
        timeout=_BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        uri=target.startswith("file:"),
    )


def _connect_for_writing(path: str, branch: str) -> sqlite3.Connection:
    if path != _MEMORY:
        _create_private_file(Path(path))
    connection = _connect(path if path == _MEMORY else _uri(path, "rw"))
    try:
        verify(connection)  # before anything is changed: it may be another program's
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        create(connection, branch)
        count_terms(connection, branch)
    except BaseException:
        connection.close()
        raise
    return connection


def _uri(path: str, mode: str) -> str:
    return f"{Path(path).absolute().as_uri()}?mode={mode}"


def _create_private_file(path: Path) -> None:
    """Make *path*, readable by its owner only, where it is missing."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
