"""Where an index lives. `open_store` picks the store by its URL and imports only that one."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from findingmodel.drive import Offload, inline
from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from findingmodel.config import Settings
    from findingmodel.stores.protocol import Store

__all__ = ["open_store"]

_BRANCH = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,62}")
_SQLITE_SUFFIXES = (".db", ".sqlite", ".sqlite3")


def open_store(url: str, *, branch: str = "main", settings: Settings | None = None, offload: Offload = inline) -> Store:
    """Return the store that *url* names; nothing is opened or created yet.

    Args:
        url: ``sqlite:///relative.db``, ``sqlite:////absolute.db``, ``sqlite://`` (in memory), a path that ends in
            .db, .sqlite or .sqlite3, or ``mongodb://HOST/DATABASE`` (``mongodb+srv://`` too).
        branch: which of the database's indexes.
        settings: pool sizes and timeouts; the defaults where None.
        offload: where slow calls of the embedded store run.

    Raises:
        ConfigError: no store is known for the URL, or the branch's name cannot be used.

    >>> open_store("sqlite://").label
    'sqlite:///:memory:'
    """
    if not _BRANCH.fullmatch(branch):
        raise ConfigError(
            f"branch {branch!r}: a name has letters, digits, '.', '_' and '-', starts with a letter or digit, "
            "and is at most 63 long"
        )
    scheme = url.partition("://")[0].lower() if "://" in url else ""
    if scheme in ("mongodb", "mongodb+srv"):
        return _mongo_store(url, branch, settings)
    if scheme == "sqlite" or (not scheme and url.endswith(_SQLITE_SUFFIXES)):
        from findingmodel.stores.sqlite import SQLiteStore

        return SQLiteStore(_sqlite_path(url), branch=branch, offload=offload)
    raise ConfigError(
        f"no store is known for {scheme + '://...' if scheme else repr(url)}: use sqlite:///FILE.db or mongodb://HOST/DATABASE"
    )


def _mongo_store(url: str, branch: str, settings: Settings | None) -> Store:
    from findingmodel.config import Settings as AllSettings
    from findingmodel.stores.mongo import MongoStore

    settings = settings or AllSettings.load()
    path = urlsplit(url).path.lstrip("/")
    return MongoStore(url, database=unquote(path) or settings.mongodb_db, branch=branch, pool=settings.pool())


def _sqlite_path(url: str) -> str:
    """Return the file that a SQLite URL names: three slashes start a relative path, four an absolute one.

    >>> _sqlite_path("sqlite:///a%20b.db"), _sqlite_path("sqlite:////srv/a.db"), _sqlite_path("c.db")
    ('a b.db', '/srv/a.db', 'c.db')
    """
    if "://" not in url:
        return url
    rest = unquote(url.partition("://")[2])
    path = rest[1:] if rest.startswith("/") else rest
    return path or ":memory:"
