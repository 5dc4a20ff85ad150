"""The tables of an index in a SQLite file, its schema version, and the branches that it holds."""

from __future__ import annotations

import sqlite3
from functools import lru_cache

from findingmodel.errors import StoreSchemaError, StoreUnavailableError

SCHEMA_VERSION = 2
_APPLICATION_ID = 0x464D_4958  # "FMIX", so that other programs' files are recognised

_META_PREFIX = "meta_"  # every branch that was set up has a table of this name

# In every statement "$" stands for the branch, so that one file can hold several.
_TABLES = """
CREATE TABLE IF NOT EXISTS "entries$" (
    id INTEGER PRIMARY KEY,
    oifm_id TEXT NOT NULL UNIQUE,
    name_key TEXT NOT NULL,
    names TEXT NOT NULL,     -- JSON: name and synonyms as written
    keys TEXT NOT NULL,      -- JSON: the entry's rows in "keys$", "identity$" and "credits$"
    entry TEXT NOT NULL      -- JSON: the index entry but for the file's path and fingerprint
);
CREATE TABLE IF NOT EXISTS "files$" (
    id INTEGER PRIMARY KEY,
    path TEXT NOT NULL, size INTEGER NOT NULL, mtime_ns INTEGER NOT NULL, sha256 TEXT NOT NULL,
    indexed_ns INTEGER NOT NULL, oifm_id TEXT NOT NULL, contributors TEXT NOT NULL,
    stamp INTEGER NOT NULL DEFAULT 0     -- last, because older indexes got this column later
);
CREATE TABLE IF NOT EXISTS "models$" (id INTEGER PRIMARY KEY, model BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS "keys$" (key TEXT, id INTEGER, PRIMARY KEY (key, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "identity$" (key TEXT, id INTEGER, PRIMARY KEY (key, id)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "credits$" (
    key TEXT, id INTEGER, kind TEXT NOT NULL, fields TEXT NOT NULL, PRIMARY KEY (key, id, kind)
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "contributors$" (
    kind TEXT, key TEXT, fields TEXT NOT NULL, mtime_ns INTEGER NOT NULL, path TEXT NOT NULL,
    PRIMARY KEY (kind, key)
) WITHOUT ROWID;
CREATE VIRTUAL TABLE IF NOT EXISTS "terms$" USING fts5(
    name, synonyms, description, other, facets,
    -- the tokens of our own analysis, split at spaces only
    tokenize="unicode61 remove_diacritics 0 categories 'L* M* N* P* S* Co'"
);
CREATE TABLE IF NOT EXISTS "words$" (     -- how often each word occurs in names and synonyms
    word TEXT PRIMARY KEY, count INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS "meta$" (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
"""


@lru_cache(maxsize=1024)
def for_branch(statement: str, branch: str) -> str:
    """Return *statement* with each ``$`` replaced by the suffix of *branch* (a checked name)."""
    return statement.replace("$", f"_{branch}")


def create(connection: sqlite3.Connection, branch: str) -> None:
    """Create the tables of *branch* where they are missing, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        verify(connection)
        for statement in for_branch(_TABLES, branch).split(";\n"):
            connection.execute(statement)
        _add_stamps(connection, branch)
        connection.execute(f"PRAGMA application_id = {_APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk may have ended it already
            connection.execute("ROLLBACK")
        raise


def _add_stamps(connection: sqlite3.Connection, branch: str) -> None:
    """Add the column *stamp* to an index that was made without it: each file is read once more."""
    columns = connection.execute(for_branch('PRAGMA table_info("files$")', branch)).fetchall()
    if "stamp" not in {name for _, name, *_ in columns}:
        connection.execute(
            for_branch('ALTER TABLE "files$" ADD COLUMN stamp INTEGER NOT NULL DEFAULT 0', branch)
        )


def count_terms(connection: sqlite3.Connection, branch: str) -> None:
    """Create a view, for *connection* only, of how many entries have each token."""
    statement = 'CREATE VIRTUAL TABLE IF NOT EXISTS temp."vocabulary$" USING fts5vocab(main, "terms$", row)'
    connection.execute(for_branch(statement, branch))


def branch_exists(connection: sqlite3.Connection, branch: str) -> bool:
    """Return whether *branch* was ever set up in this file."""
    named = (f"{_META_PREFIX}{branch}",)
    return connection.execute("SELECT 1 FROM sqlite_master WHERE name = ?", named).fetchone() is not None


def verify(connection: sqlite3.Connection) -> None:
    """Check that the file is empty or an index that this version can use.

    Raises:
        StoreSchemaError: it is another program's, or another version's.
        StoreUnavailableError: this build of SQLite has no FTS5.
    """
    application = connection.execute("PRAGMA application_id").fetchone()[0]
    version = connection.execute("PRAGMA user_version").fetchone()[0]
    if application == _APPLICATION_ID:
        if version > SCHEMA_VERSION:
            raise StoreSchemaError(
                f"the index has schema {version}, and this version of findingmodel supports schemas up to "
                f"{SCHEMA_VERSION}: upgrade findingmodel, or index into another file"
            )
        if version < SCHEMA_VERSION:
            raise StoreSchemaError(
                f"the index has schema {version} of an older findingmodel, and this version needs schema "
                f"{SCHEMA_VERSION}: delete the file and run an update, or index into another file"
            )
        return
    if connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]:
        raise StoreSchemaError("the file is another program's SQLite database: index into another file")
    options = {row[0] for row in connection.execute("PRAGMA compile_options")}
    if "ENABLE_FTS5" not in options:
        raise StoreUnavailableError(
            f"SQLite {sqlite3.sqlite_version} was built without FTS5: use another Python build"
        )


def branches(connection: sqlite3.Connection) -> list[str]:
    """Return the names of all branches in this file, sorted."""
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
    return sorted(name.removeprefix(_META_PREFIX) for (name,) in rows if name.startswith(_META_PREFIX))
