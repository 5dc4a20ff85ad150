"""Stores: where an index lives. `open_store` chooses the store by its URL and imports no other."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from findingmodel.errors import ConfigError
from findingmodel.runtime.run_without_loop import Offload, inline

if TYPE_CHECKING:
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

__all__ = ["branch_sizes", "branches_of", "database_in", "is_missing", "open_store", "sqlite_path"]

_DEFAULT_BRANCH = "main"
_SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")


def open_store(
    url: str,
    *,
    branch: str = _DEFAULT_BRANCH,
    settings: Settings | None = None,
    offload: Offload = inline,
    database: str | None = None,
    client: Any = None,
) -> Store:
    """Return the store that *url* names; nothing is opened or created yet.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite://`` (in memory), a path that
            ends in .db, .sqlite or .sqlite3, or ``mongodb://HOST/DATABASE`` (``mongodb+srv://`` too).
        branch: the branch of the database.
        settings: pool sizes and timeouts; the defaults if None.
        offload: runs slow calls of the embedded store.
        database: for MongoDB, the database; takes precedence over the URL.
        client: for MongoDB, a Motor client or pymongo's AsyncMongoClient to use instead of the pool's; it
            stays open.

    Raises:
        ConfigError: the URL names no store, or the name of the branch or database is not valid.

    >>> open_store("sqlite://").label
    'sqlite:///:memory:'
    """
    if branch != _DEFAULT_BRANCH:
        _check_branch(branch)
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme in ("mongodb", "mongodb+srv"):
        return _mongo_store(url, branch, settings, database, client)
    if database is not None or client is not None:
        raise ConfigError(
            "a database name and a client are for MongoDB only: use a URL such as mongodb://HOST"
        )
    if scheme == "sqlite" or (not scheme and url.endswith(_SQLITE_SUFFIXES)):
        from findingmodel.stores.sqlite.store import SQLiteStore

        return SQLiteStore(sqlite_path(url), branch=branch, offload=offload)
    raise ConfigError(
        f"no store handles {scheme + '://...' if scheme else repr(url)}: "
        "use sqlite:///FILE.db or mongodb://HOST/DATABASE"
    )


def _check_branch(branch: str) -> None:
    from findingmodel.settings import BRANCH  # here, because a search in one file can do without settings

    if not BRANCH.fullmatch(branch):
        raise ConfigError(
            f"branch {branch!r}: a name has letters, digits, '.', '_' and '-', starts with a letter or "
            "digit, and is at most 63 long"
        )


def _mongo_store(
    url: str, branch: str, settings: Settings | None, database: str | None, client: Any
) -> Store:
    from findingmodel.settings import MONGODB_NAME
    from findingmodel.settings import Settings as AllSettings
    from findingmodel.stores.mongo.pool import PoolSettings
    from findingmodel.stores.mongo.retry import RetryPolicy
    from findingmodel.stores.mongo.store import MongoStore

    settings = settings or AllSettings.load()
    name = database or database_in(url) or settings.mongodb_db
    if not MONGODB_NAME.fullmatch(name):
        raise ConfigError(f"{name!r} is not a valid database name: see the setting mongodb_db")
    return MongoStore(
        url,
        database=name,
        branch=branch,
        pool=PoolSettings.of(settings),
        retry=RetryPolicy.of(settings),
        client=client,
    )


def database_in(url: str) -> str:
    """Return the database that a MongoDB URL names, or "" if it names none.

    >>> database_in("mongodb://me:secret@db.example/findings?tls=true"), database_in("mongodb://db.example")
    ('findings', '')
    """
    try:
        name = unquote(urlsplit(url).path.lstrip("/"))
    except ValueError:  # misplaced brackets
        name = "@"
    if "@" in name or "/" in name:  # part of a password, which must not appear in messages
        from findingmodel.settings import masked

        raise ConfigError(
            f"cannot use {masked(url)}: percent-encode user and password, and name one database"
        )
    return name


def sqlite_path(url: str) -> str:
    """Return the file that a SQLite URL names: three slashes start a relative path, four an absolute one.

    >>> sqlite_path("sqlite:///a%20b.db"), sqlite_path("sqlite:////srv/a.db"), sqlite_path("c.db")
    ('a b.db', '/srv/a.db', 'c.db')
    """
    if "://" not in url:
        return url
    rest = unquote(url.partition("://")[2])
    path = rest[1:] if rest.startswith("/") else rest
    return path or ":memory:"


async def branches_of(settings: Settings) -> list[str]:
    """Return the names of all branches in the database of *settings*, sorted.

    Raises:
        ConfigError: the URL of the database is not valid.
        StoreError: the database cannot be reached, or is another program's.
    """
    if not settings.is_server:
        from findingmodel.stores.sqlite.connection import branches_in_file

        return branches_in_file(sqlite_path(settings.db))
    from findingmodel.stores.mongo.pool import PoolSettings
    from findingmodel.stores.mongo.setup import branches_in_database

    name = database_in(settings.db) or settings.mongodb_db
    return await branches_in_database(settings.db, name, PoolSettings.of(settings))


async def branch_sizes(settings: Settings) -> dict[str, int]:
    """Return the number of models in each branch of the database of *settings*, by name, sorted.

    Raises:
        ConfigError, StoreError: as `branches_of`.
    """
    sizes = {}
    for branch in await branches_of(settings):
        store = open_store(settings.db, branch=branch, settings=settings)
        try:
            sizes[branch] = (await store.counts()).models
        finally:
            await store.close()
    return sizes


def is_missing(settings: Settings) -> bool:
    """Return whether the file of the index that *settings* name does not exist."""
    return not settings.is_server and not os.path.exists(sqlite_path(settings.db))  # noqa: PTH110
