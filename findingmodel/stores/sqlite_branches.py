"""Which branches a SQLite file has."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from findingmodel.errors import StoreUnavailableError
from findingmodel.stores.sqlite_schema import verify

__all__ = ["branches_in_file"]

_PREFIX = "meta_"


def branches_in_file(path: str) -> list[str]:
    """Return the names of all branches in the file *path*, sorted; none where there is no such file.

    Raises:
        StoreSchemaError: the file is another program's, or a newer version's.
        StoreUnavailableError: it cannot be read.
    """
    file = Path(path)
    if not file.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{file.absolute().as_uri()}?mode=ro", uri=True)) as connection:
            verify(connection)
            rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    except sqlite3.Error as error:
        raise StoreUnavailableError(f"cannot list the branches of {path}: {error}") from error
    return sorted(name.removeprefix(_PREFIX) for (name,) in rows if name.startswith(_PREFIX))
