"""SQLiteStore: the index in one local file, or in memory, with nothing to set up."""

from __future__ import annotations

import sqlite3
import threading
import time
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from findingmodel.errors import (
    StoreClosedError,
    StoreError,
    StoreSchemaError,
    StoreUnavailableError,
    TransactionError,
)
from findingmodel.runtime.run_without_loop import Offload, inline
from findingmodel.stores.lease import is_free, is_orphaned
from findingmodel.stores.sqlite.branch import Branch
from findingmodel.stores.sqlite.cache import ReadCache
from findingmodel.stores.sqlite.connection import (
    MEMORY,
    OccupiedError,
    SQLiteTransaction,
    connect_empty,
    connect_for_reading,
    connect_for_writing,
    file_id,
    whole,
)
from findingmodel.stores.transactions import current, joined, refuse_nested

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterator, Mapping, Sequence
    from pathlib import Path

    from findingmodel.stores.records import (
        Candidate,
        ContributorKind,
        Counts,
        Credit,
        EntryRow,
        FileState,
        Frequencies,
        LabelRow,
        Lease,
        Owner,
        Predecessor,
        Record,
        TermQuery,
        WriteBatch,
    )
    from findingmodel.stores.sqlite.connection import FileId

__all__ = ["SQLiteStore"]

T = TypeVar("T")

_ROWS_PER_TRANSACTION = 500
_FEW = 100  # entries are read in less time than a thread takes to be asked
_LEXICON_CHUNK = 2_000
_SMALL = 5_000
"""Of so many entries finding some takes no longer than ranking them, and less than sending for them."""


class _Reader(NamedTuple):
    """A connection that reads, and the file that it has open, which may have been removed or replaced."""

    branch: Branch
    file: FileId | None


class SQLiteStore:
    """The index in the SQLite file *path* (":memory:" for none).

    A file that does not exist reads as an empty index; `setup` creates it, for its owner's eyes only. Readers
    have connections of their own, so that they never wait for a writer; in memory there is but one, and they
    wait for the end of a transaction.

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
        self._writer_file: FileId | None = None
        self._writing = threading.RLock()
        self._readers: list[_Reader] = []
        self._turn: SQLiteTransaction | None = None
        self._is_small = False  # as far as is known
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
        await self._fetch(Branch.generation)

    async def setup(self, *, anew: bool = False) -> None:
        """Create the file and its tables where they are missing."""
        if current(self) is None:
            await self._patiently(self._setup)

    async def put_aside(self, *, dry_run: bool) -> Predecessor | None:
        """Return None: findingmodel 0.3 and 0.4 kept no index in a file of this kind."""
        return None

    async def close(self) -> None:
        """Close every connection."""
        await self._offload(self._close)

    # what is there

    async def generation(self) -> int:
        """Return the number of the last finished update."""
        return await self._ask(Branch.generation)

    async def counts(self) -> Counts:
        """Return how much is stored."""
        return await self._ask(Branch.counts)

    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]:
        """Return entries by id."""
        return await (self._ask if len(ids) <= _FEW else self._fetch)(Branch.get, ids)

    async def lookup(self, keys: Collection[str]) -> list[EntryRow]:
        """Return the entries that have any of these folded keys."""
        return await self._ask(Branch.lookup, keys)

    async def models(self, ids: Collection[str]) -> dict[str, bytes]:
        """Return the JSON texts of models by id."""
        return await self._fetch(Branch.models, ids)

    async def page(self, *, sort: str, descending: bool, offset: int, limit: int) -> list[EntryRow]:
        """Return one page of the sorted entries."""
        return await self._fetch(Branch.page, sort, descending, offset, limit)

    async def contributors(self, kind: ContributorKind, keys: Collection[str] | None = None) -> list[Credit]:
        """Return people or organizations, by key."""
        return await self._ask(Branch.contributors, kind, keys)

    # search

    async def candidates(self, query: TermQuery, *, limit: int | None) -> list[Candidate]:
        """Return the best entries for *query* by bm25; all of them without a *limit*, in any order."""
        read = self._ask if self._is_small else self._fetch
        return await read(Branch.candidates, query, limit)

    async def frequencies(self, tokens: Collection[str] | None) -> Frequencies | None:
        """Return in how many entries these tokens occur, or all if it is None."""
        read = self._fetch if tokens is None else self._ask
        found = await read(Branch.frequencies, tokens)
        self._is_small = found.entries <= _SMALL
        return found

    async def words(self) -> Mapping[str, int] | None:
        """Return the words of all names and synonyms, folded, with how often each stands there."""
        return await self._fetch(Branch.words)

    async def iter_labels(self) -> AsyncIterator[Sequence[LabelRow]]:
        """Yield every entry's names and terms, in chunks."""
        after, rows = await self._fetch(Branch.iter_labels, 0, _LEXICON_CHUNK)
        while rows:
            yield rows
            after, rows = await self._fetch(Branch.iter_labels, after, _LEXICON_CHUNK)

    # update

    async def manifest(self) -> list[FileState]:
        """Return what files the index was made from."""
        return await self._fetch(Branch.manifest)

    async def owners(self, identity: Collection[str]) -> list[Owner]:
        """Return who holds these identity keys."""
        return await self._fetch(Branch.owners, identity)

    async def credits(self, keys: Collection[str]) -> list[Credit]:
        """Return these contributors as each stored model states them."""
        return await self._fetch(Branch.credits, keys)

    def refuses(self, record: Record) -> str | None:
        """Return None: a file takes whatever could be read."""
        return None

    async def write(self, batch: WriteBatch) -> None:
        """Apply *batch* in transactions of some hundred rows."""
        for step in _steps(batch):
            await self._change(Branch.write, step)

    async def advance(self) -> int:
        """Count one finished update."""
        return await self._change(Branch.advance)

    async def needs_recovery(self) -> bool:
        """Return whether an update died before it was done, and left its lease."""
        return is_orphaned(await self._ask(Branch.lease))

    async def acquire(self, lease: Lease) -> Lease | None:
        """Take or renew the lease."""
        return await self._change(_acquire, lease)

    async def release(self, lease: Lease) -> None:
        """Give the lease back, if it is still held."""
        await self._change(_release, lease)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Let what this task writes within the block be seen together, at its end, or never.

        Other tasks that write in this store wait for the end; so does, for a while, everybody else who writes
        in the file. What fails within the block, and is caught there, is undone alone.

        Raises:
            TransactionError: transactions would nest, or SQLite gave this one up.
        """
        refuse_nested(self, self.label)
        turn = SQLiteTransaction()
        try:
            await self._patiently(self._begin, turn)
            with joined(self, turn):
                yield
            await self._offload(self._commit, turn)
        finally:
            await self._offload(self._end, turn)

    # how it is asked

    async def _ask(self, function: Callable[..., T], *args: Any) -> T:
        """Read what takes no time."""
        try:
            return self._read(function, *args)
        except OccupiedError:
            return await self._patiently(self._read, function, *args)

    async def _fetch(self, function: Callable[..., T], *args: Any) -> T:
        """Read what may take longer."""
        return await self._patiently(self._read, function, *args)

    async def _change(self, function: Callable[..., T], *args: Any) -> T:
        return await self._patiently(self._write, function, *args)

    async def _patiently(self, function: Callable[..., T], *args: Any) -> T:
        """Return ``function(*args)``, offloaded, when no other task's transaction is in its way."""
        while True:
            try:
                return await self._offload(function, *args)
            except OccupiedError as occupied:
                await _over(occupied.turn)

    # connections

    def _setup(self) -> None:
        with self._translated("create"), self._writing:
            self._refuse_occupied()
            self._write_connection()

    def _close(self) -> None:
        self._closed = True
        with self._writing:
            while self._readers:
                self._readers.pop().branch.connection.close()
            if self._writer is not None:
                self._writer.close()
                self._writer = None

    def _read(self, function: Callable[..., T], *args: Any) -> T:
        with self._translated("read"):
            turn: SQLiteTransaction | None = current(self)
            if turn is not None:
                with turn.step() as connection:
                    return function(Branch(connection, self._branch), *args)
            if self._path == MEMORY:
                with self._writing:
                    self._refuse_occupied()
                    return function(Branch(self._write_connection(), self._branch), *args)
            return self._read_file(function, *args)

    def _read_file(self, function: Callable[..., T], *args: Any) -> T:
        """Read through a connection that one thread has at a time."""
        reader = self._reader()
        if reader is None:
            with connect_empty(self._branch) as empty:
                return function(Branch(empty, self._branch), *args)
        try:
            return function(reader.branch, *args)
        finally:
            if self._closed:
                reader.branch.connection.close()
            else:
                self._readers.append(reader)

    def _reader(self) -> _Reader | None:
        """Return a connection to the file that is there now; None if there is none, or no index in it."""
        file = file_id(self._path)
        while (reader := self._idle_reader()) is not None:
            if reader.file == file:
                return reader
            reader.branch.connection.close()
        connection = connect_for_reading(self._path, self._branch)
        return None if connection is None else _Reader(Branch(connection, self._branch, ReadCache()), file)

    def _idle_reader(self) -> _Reader | None:
        try:
            return self._readers.pop()
        except IndexError:  # or another thread has taken the last
            return None

    def _write(self, function: Callable[..., T], *args: Any) -> T:
        with self._translated("write to"):
            turn: SQLiteTransaction | None = current(self)
            if turn is not None:
                with turn.step() as connection:
                    return function(Branch(connection, self._branch), *args)
            with self._writing:
                self._refuse_occupied()
                with whole(self._write_connection()) as connection:
                    return function(Branch(connection, self._branch), *args)

    def _begin(self, turn: SQLiteTransaction) -> None:
        with self._translated("begin a transaction in"), self._writing:
            self._refuse_occupied()
            if turn.over.done():
                return  # nobody waits for it any more
            self._turn = turn
            is_borrowed = self._path == MEMORY
            connection = (
                self._write_connection() if is_borrowed else connect_for_writing(self._path, self._branch)
            )
            turn.begin(connection, is_borrowed=is_borrowed)

    def _commit(self, turn: SQLiteTransaction) -> None:
        with self._translated("commit the transaction in"):
            turn.commit()

    def _end(self, turn: SQLiteTransaction) -> None:
        with self._writing:
            if self._turn is turn:
                self._turn = None
            turn.end()

    def _refuse_occupied(self) -> None:
        """Raise OccupiedError if a transaction, of another task than this one, is open."""
        if self._turn is not None:
            raise OccupiedError(self._turn)

    def _write_connection(self) -> sqlite3.Connection:
        """Return the one connection that writes, to tables that exist; the caller holds the lock."""
        if self._writer is not None and self._path != MEMORY and file_id(self._path) != self._writer_file:
            self._writer.close()  # which leaves alone what is in the file's place: SQLite looks, too
            self._writer = None
        if self._writer is None:
            self._writer = connect_for_writing(self._path, self._branch)
            self._writer_file = file_id(self._path)
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
        except (
            UnicodeEncodeError,
            OverflowError,
        ) as error:  # from a caller: what was checked has no such thing
            raise StoreError(f"cannot {doing} {self.label}: {error}") from error
        except (StoreSchemaError, TransactionError) as error:
            raise type(error)(f"cannot {doing} {self.label}: {error}") from None


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


async def _over(turn: SQLiteTransaction) -> None:
    """Wait until *turn* is over, in whatever event loop it was begun."""
    import asyncio  # here, because who never waits does without

    await asyncio.shield(asyncio.wrap_future(turn.over))
