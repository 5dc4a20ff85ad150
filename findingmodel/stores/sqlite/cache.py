"""Two caches: what was read from a SQLite file, in memory, and answers of searches, in a SQLite file."""

from __future__ import annotations

import sqlite3
import time
from pathlib import Path
from typing import TYPE_CHECKING

from findingmodel.errors import StoreUnavailableError

if TYPE_CHECKING:
    from collections.abc import Callable

    from findingmodel.stores.records import Candidate, EntryRow

_MOST_READS = 4_096  # of each kind


class ReadCache:
    """What one connection, which never writes, has read of the current state of the file.

    Attributes:
        size: number of entries; None until it is counted.
        candidates: by row number; about 1 kB each.
        entries: by id; about 3 kB each. They are shared, and must not be changed.
    """

    def __init__(self) -> None:
        self._version: int | None = None
        self._clear()

    def _clear(self) -> None:
        self.size: int | None = None
        self.candidates: dict[int, Candidate] = {}
        self.entries: dict[str, EntryRow] = {}

    def renew(self, version: int) -> None:
        """Clear the cache if *version* is not that of the cached state."""
        if version != self._version:
            self._version = version
            self._clear()

    def shrink(self) -> None:
        """Clear what has grown too large."""
        if len(self.candidates) > _MOST_READS:
            self.candidates = {}
        if len(self.entries) > _MOST_READS:
            self.entries = {}


_TABLE = """
CREATE TABLE IF NOT EXISTS answers (
    key BLOB PRIMARY KEY, tag TEXT NOT NULL, expires REAL NOT NULL, value TEXT NOT NULL
) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS answers_by_expiry ON answers (expires);
"""
_BUSY_SECONDS = 1.0
_MOST_ANSWERS = 10_000


class SQLiteTier:
    """A `findingmodel.search.cache.CacheTier` in the file *path*.

    Args:
        path: the file; created on the first `put`, readable by its owner only.
        clock: wall time in seconds since the epoch, the same in all processes.
        most: maximum of answers; those that expire first are removed first.

    Raises:
        StoreUnavailableError: the file cannot be used.
    """

    def __init__(
        self, path: str | Path, *, clock: Callable[[], float] = time.time, most: int = _MOST_ANSWERS
    ) -> None:
        self._path = Path(path)
        self._clock = clock
        self._most = most
        self._connection: sqlite3.Connection | None = None

    def get(self, key: str) -> str | None:
        """Return the text stored under *key*, or None if there is none or it has expired."""
        if self._connection is None and not self._path.exists():
            return None
        row = self._run(
            "SELECT value FROM answers WHERE key = ? AND expires > ?", (_digest(key), self._clock())
        )
        return str(row[0]) if row else None

    def put(self, key: str, tag: str, text: str, *, ttl_seconds: float) -> None:
        """Store *text* under *key*, and remove what has expired."""
        now = self._clock()
        self._run("DELETE FROM answers WHERE expires <= ?", (now,))
        self._run(
            "INSERT OR REPLACE INTO answers VALUES (?, ?, ?, ?)", (_digest(key), tag, now + ttl_seconds, text)
        )
        self._run(
            "DELETE FROM answers WHERE key IN "
            "(SELECT key FROM answers ORDER BY expires DESC LIMIT -1 OFFSET ?)",
            (self._most,),
        )

    def drop(self, tag: str | None = None) -> None:
        """Remove what has this *tag*, or everything."""
        if self._connection is None and not self._path.exists():
            return
        self._run("DELETE FROM answers WHERE ?1 IS NULL OR tag = ?1", (tag,))

    def close(self) -> None:
        """Close the file. Idempotent."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _run(self, statement: str, parameters: tuple[object, ...]) -> tuple[object, ...] | None:
        try:
            row: tuple[object, ...] | None = self._open().execute(statement, parameters).fetchone()
        except (sqlite3.Error, OSError) as error:
            raise StoreUnavailableError(
                f"cannot use the cache file {self._path}: {error}; delete it"
            ) from error
        return row

    def _open(self) -> sqlite3.Connection:
        if self._connection is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._path.touch(mode=0o600)
            connection = sqlite3.connect(self._path, timeout=_BUSY_SECONDS, isolation_level=None)
            try:
                connection.execute("PRAGMA journal_mode = WAL")
                connection.executescript(_TABLE)
            except BaseException:
                connection.close()
                raise
            self._connection = connection
        return self._connection


def _digest(key: str) -> bytes:
    from hashlib import blake2b  # a command that only reads an index starts 2 ms earlier without it

    return blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
