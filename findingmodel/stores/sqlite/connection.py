"""Connections to a SQLite index, and transactions that span several calls."""

from __future__ import annotations

import errno
import os
import sqlite3
import threading
import time
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from findingmodel.errors import StoreUnavailableError, TransactionError
from findingmodel.stores.sqlite.schema import branch_exists, branches, count_terms, create, verify

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future

FileId = tuple[int, int]
UnlockedState = tuple[int, int, int]
MEMORY = ":memory:"
_BUSY_TIMEOUT_SECONDS = 30.0
_BUSY_RETRIES = 5


class SQLiteTransaction:
    """A transaction that spans several calls of one task.

    Attributes:
        over: done when other tasks may write again; any event loop can wait for it.
    """

    def __init__(self) -> None:
        from concurrent.futures import Future as Pending  # here, because only transactions need it

        self.over: Future[None] = Pending()
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None
        self._is_shared = False

    def begin(self, connection: sqlite3.Connection, *, is_shared: bool) -> None:
        """Begin on *connection*, which `end` closes unless it *is_shared* with other tasks."""
        self._connection, self._is_shared = connection, is_shared
        begin(connection)

    @contextmanager
    def step(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection to one thread at a time; what the block writes is undone if it raises.

        Raises:
            TransactionError: SQLite has rolled the transaction back, as it does when the disk is full.
        """
        with self._lock:
            connection = self._connection
            if connection is None or not connection.in_transaction:
                raise TransactionError("the transaction was rolled back, and nothing of it was written")
            connection.execute("SAVEPOINT step")
            try:
                yield connection
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK TO step")
                raise
            finally:
                if connection.in_transaction:
                    connection.execute("RELEASE step")

    def commit(self) -> None:
        """Make what was written visible to others."""
        with self.step() as connection:
            pass
        connection.execute("COMMIT")

    def end(self) -> None:
        """Roll back what was not committed, and let other tasks continue. Idempotent."""
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None:
                if self._is_shared and connection.in_transaction:
                    connection.execute("ROLLBACK")
                if not self._is_shared:
                    connection.close()
            if not self.over.done():
                self.over.set_result(None)


class OccupiedError(Exception):
    """Another task has *transaction* open in this store."""

    def __init__(self, transaction: SQLiteTransaction) -> None:
        self.transaction = transaction
        super().__init__("another task has a transaction")


def begin(connection: sqlite3.Connection) -> None:
    """Start a transaction that writes. SQLite's own waiting is unfair, so retry after a random pause."""
    for attempt in range(_BUSY_RETRIES):
        try:
            connection.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if "locked" not in str(error) or attempt + 1 == _BUSY_RETRIES:
                raise
            import random  # here, because it takes as long to import as a read takes

            time.sleep(random.uniform(0.01, 0.1))  # noqa: S311  # not a secret
        else:
            return


@contextmanager
def atomic(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Make what is written within the block one transaction."""
    begin(connection)
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def connect_empty(branch: str) -> Iterator[sqlite3.Connection]:
    """Yield a connection to an empty index, for reading a database that does not exist yet."""
    connection = _connect(MEMORY)
    try:
        create(connection, branch)
        count_terms(connection, branch)
        yield connection
    finally:
        connection.close()


def file_id(path: str) -> FileId | None:
    """Return device and inode of the file now at *path*; None if there is none."""
    try:
        found = os.stat(path)  # noqa: PTH116  # before every read: pathlib takes as long again
    except OSError:
        return None
    return found.st_dev, found.st_ino


def connect_for_reading(path: str, branch: str, *, locks: bool = True) -> sqlite3.Connection | None:
    """Return a new connection that cannot write; None if the file or the branch does not exist.

    Without *locks*, the caller must see to it that nobody writes meanwhile (`unlocked_state`).
    """
    if not Path(path).exists():
        return None
    connection = _connect(_uri(path, _reading_mode(path, locks=locks)))
    try:
        verify(connection)
        if branch_exists(connection, branch):
            count_terms(connection, branch)
            connection.execute("PRAGMA query_only = 1")
            return connection
    except BaseException:
        connection.close()
        raise
    connection.close()
    return None


def connect_for_writing(path: str, branch: str) -> sqlite3.Connection:
    """Return a new connection to the file *path*, or to memory, after creating the tables of *branch*."""
    if path != MEMORY:
        _create_private_file(Path(path))
    connection = _connect(path if path == MEMORY else _uri(path, "rw"))
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


def _connect(target: str) -> sqlite3.Connection:
    return sqlite3.connect(
        target,
        timeout=_BUSY_TIMEOUT_SECONDS,
        isolation_level=None,
        check_same_thread=False,
        uri=target.startswith("file:"),
    )


def _uri(path: str, mode: str) -> str:
    return f"{Path(path).absolute().as_uri()}?mode={mode}"


def unlocked_state(path: str) -> UnlockedState | None:
    """Return the state of a file that this process can only read without locks; None if it can lock it.

    SQLite keeps its locks in a file beside the index, ``-shm``. A user who may not write the index must not
    create that file, which would shut out the index's owner, and on a read-only file system nobody can. While
    it does not exist, nobody writes, so the file can be read as it is (https://www.sqlite.org/wal.html#readonly).
    As a writer may come at any time, the state has to be the same before and after each read.
    """
    if _may(path, os.W_OK) or not _may(path, os.R_OK):
        return None
    log = Path(f"{path}-wal")
    if Path(f"{path}-shm").exists() or (log.exists() and log.stat().st_size):
        return None
    status = os.stat(path)  # noqa: PTH116  # as above
    return status.st_ino, status.st_size, status.st_mtime_ns


def _reading_mode(path: str, *, locks: bool) -> str:
    if not locks:
        return "ro&immutable=1"
    if _may(path, os.W_OK):
        return "rw"  # SQLite writes beside the file even to read it, for its locks
    if not _may(path, os.R_OK):
        raise PermissionError(errno.EACCES, "you may not read this file", path)
    return "ro"


def _may(path: str, mode: int) -> bool:
    return os.access(path, mode, effective_ids=os.access in os.supports_effective_ids)


def branches_in_file(path: str) -> list[str]:
    """Return the names of all branches in the file *path*, sorted; none if it does not exist.

    Raises:
        StoreSchemaError: the file is another program's, or another version's.
        StoreUnavailableError: it cannot be read.
    """
    if not Path(path).exists():
        return []
    try:
        locks = unlocked_state(path) is None
        with closing(_connect(_uri(path, _reading_mode(path, locks=locks)))) as connection:
            verify(connection)
            return branches(connection)
    except (sqlite3.Error, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise StoreUnavailableError(f"cannot list the branches of {path}: {reason}") from error


def _create_private_file(path: Path) -> None:
    """Create *path*, readable by its owner only, if it does not exist."""
    if path.exists():
        return
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
