"""Database: the connections to one branch of a SQLite file, for any number of tasks and threads."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from findingmodel.errors import (
    LeaseHeldError,
    StoreClosedError,
    StoreError,
    StoreSchemaError,
    StoreUnavailableError,
    TransactionError,
)
from findingmodel.stores.sqlite.branch import Branch
from findingmodel.stores.sqlite.cache import ReadCache
from findingmodel.stores.sqlite.connection import (
    MEMORY,
    OccupiedError,
    SQLiteTransaction,
    atomic,
    connect_empty,
    connect_for_reading,
    connect_for_writing,
    file_id,
    unlocked_state,
)
from findingmodel.stores.transactions import current, joined, refuse_nested

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from findingmodel.runtime.run_without_loop import Offload
    from findingmodel.stores.sqlite.connection import FileId, UnlockedState

T = TypeVar("T")

_READS_DURING_CHANGES = 10


class _Reader(NamedTuple):
    """A connection that only reads, and the file it has open, which may have been replaced since."""

    branch: Branch
    file: FileId | None
    unlocked: UnlockedState | None = None  # set if the file is read without locks


class Database:
    """One branch of a SQLite file, or of a database in memory.

    Each reader has a connection of its own and never waits for a writer. A database in memory has one
    connection only, so readers wait for the end of a transaction.

    Args:
        path: the file, or ":memory:".
        branch: the branch of the file.
        offload: runs calls that may take longer than a point read, such as `asyncio.to_thread`.
    """

    def __init__(self, path: str, branch: str, offload: Offload) -> None:
        self._path = path
        self._branch = branch
        self._offload = offload
        self._writer: sqlite3.Connection | None = None
        self._writer_file: FileId | None = None
        self._writing = threading.RLock()
        self._readers: list[_Reader] = []
        self._transaction: SQLiteTransaction | None = None
        self._closed = False

    @property
    def label(self) -> str:
        """The database's URL."""
        return f"sqlite:///{self._path}"

    async def setup(self) -> None:
        """Create the file and its tables where they are missing."""
        if current(self) is None:
            await self._when_free(self._setup)

    async def read_now(self, function: Callable[..., T], *args: Any) -> T:
        """Return ``function(branch, *args)`` for a read that takes less time than handing it to a thread."""
        try:
            return self._read(function, *args)
        except OccupiedError:
            return await self.read(function, *args)

    async def read(self, function: Callable[..., T], *args: Any) -> T:
        """Return ``function(branch, *args)`` for a read that may take longer."""
        return await self._when_free(self._read, function, *args)

    async def change(self, function: Callable[..., T], *args: Any) -> T:
        """Return ``function(branch, *args)``, which writes, from a transaction of its own."""
        return await self._when_free(self._write, function, *args)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Run what this task does within the block in one transaction.

        Raises:
            TransactionError: transactions would nest, or SQLite rolled this one back.
        """
        refuse_nested(self, self.label)
        transaction = SQLiteTransaction()
        try:
            await self._when_free(self._begin, transaction)
            with joined(self, transaction):
                yield
            await self._offload(self._commit, transaction)
        finally:
            await self._offload(self._end, transaction)

    async def close(self) -> None:
        """Close every connection."""
        await self._offload(self._close)

    async def _when_free(self, function: Callable[..., T], *args: Any) -> T:
        """Return ``function(*args)``, offloaded, once no other task's transaction is in its way."""
        while True:
            try:
                return await self._offload(function, *args)
            except OccupiedError as occupied:
                import asyncio  # here, because callers that never wait need no event loop

                await asyncio.shield(asyncio.wrap_future(occupied.transaction.over))

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
            transaction: SQLiteTransaction | None = current(self)
            if transaction is not None:
                with transaction.step() as connection:
                    return function(Branch(connection, self._branch), *args)
            if self._path == MEMORY:
                with self._writing:
                    self._refuse_occupied()
                    return function(Branch(self._write_connection(), self._branch), *args)
            return self._read_file(function, *args)

    def _read_file(self, function: Callable[..., T], *args: Any) -> T:
        """Read through a connection that one thread has at a time."""
        for _ in range(_READS_DURING_CHANGES):
            reader = self._take_reader()
            if reader is None:
                with connect_empty(self._branch) as empty:
                    return function(Branch(empty, self._branch), *args)
            try:
                result = function(reader.branch, *args)
            except sqlite3.DatabaseError:
                if self._is_current(reader):
                    raise
            else:
                if self._is_current(reader):
                    return result
            finally:
                self._give_back(reader)
        raise sqlite3.OperationalError("it keeps changing while it is read without locks")

    def _take_reader(self) -> _Reader | None:
        """Return a connection to the file now at the path; None if there is no file, or no index in it."""
        file = file_id(self._path)
        while (reader := self._idle_reader()) is not None:
            if reader.file == file and self._is_current(reader):
                return reader
            reader.branch.connection.close()
        unlocked = None if file is None else unlocked_state(self._path)
        connection = connect_for_reading(self._path, self._branch, locks=unlocked is None)
        if connection is None:
            return None
        return _Reader(Branch(connection, self._branch, ReadCache()), file, unlocked)

    def _is_current(self, reader: _Reader) -> bool:
        """Return whether what *reader* reads without locks has not changed meanwhile."""
        return reader.unlocked is None or reader.unlocked == unlocked_state(self._path)

    def _give_back(self, reader: _Reader) -> None:
        if self._closed or not self._is_current(reader):
            reader.branch.connection.close()
        else:
            self._readers.append(reader)

    def _idle_reader(self) -> _Reader | None:
        try:
            return self._readers.pop()
        except IndexError:  # or another thread has taken the last
            return None

    def _write(self, function: Callable[..., T], *args: Any) -> T:
        with self._translated("write to"):
            transaction: SQLiteTransaction | None = current(self)
            if transaction is not None:
                with transaction.step() as connection:
                    return function(Branch(connection, self._branch), *args)
            with self._writing:
                self._refuse_occupied()
                with atomic(self._write_connection()) as connection:
                    return function(Branch(connection, self._branch), *args)

    def _begin(self, transaction: SQLiteTransaction) -> None:
        with self._translated("begin a transaction in"), self._writing:
            self._refuse_occupied()
            if transaction.over.done():
                return  # the task was cancelled while it waited
            self._transaction = transaction
            is_shared = self._path == MEMORY
            connection = (
                self._write_connection() if is_shared else connect_for_writing(self._path, self._branch)
            )
            transaction.begin(connection, is_shared=is_shared)

    def _commit(self, transaction: SQLiteTransaction) -> None:
        with self._translated("commit the transaction in"):
            transaction.commit()

    def _end(self, transaction: SQLiteTransaction) -> None:
        with self._writing:
            if self._transaction is transaction:
                self._transaction = None
            transaction.end()

    def _refuse_occupied(self) -> None:
        """Raise OccupiedError if another task has a transaction open."""
        if self._transaction is not None:
            raise OccupiedError(self._transaction)

    def _write_connection(self) -> sqlite3.Connection:
        """Return the one connection that writes, to tables that exist; the caller holds the lock."""
        if self._writer is not None and self._path != MEMORY and file_id(self._path) != self._writer_file:
            self._writer.close()  # SQLite checks too, and leaves the file that is now at the path alone
            self._writer = None
        if self._writer is None:
            self._writer = connect_for_writing(self._path, self._branch)
            self._writer_file = file_id(self._path)
        return self._writer

    @contextmanager
    def _translated(self, doing: str) -> Iterator[None]:
        """Turn sqlite3's errors into ours; their causes: https://www.sqlite.org/rescode.html."""
        if self._closed:
            raise StoreClosedError(f"cannot {doing} {self.label}: it was closed")
        try:
            yield
        except sqlite3.OperationalError as error:
            raise StoreUnavailableError(f"cannot {doing} {self.label}: {error}") from error
        except sqlite3.DatabaseError as error:
            kind = StoreSchemaError if "not a database" in str(error) else StoreError
            raise kind(f"cannot {doing} {self.label}: {error}") from error
        except OSError as error:
            raise StoreUnavailableError(f"cannot {doing} {self.label}: {error.strerror}") from error
        except (UnicodeEncodeError, OverflowError) as error:  # from a caller; checked files have neither
            raise StoreError(f"cannot {doing} {self.label}: {error}") from error
        except (StoreSchemaError, TransactionError, LeaseHeldError) as error:
            raise type(error)(f"cannot {doing} {self.label}: {error}") from None
