"""Which branches a database has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.stores import database_in, sqlite_path

if TYPE_CHECKING:
    from findingmodel.config import Settings

__all__ = ["branches_of"]


def branches_of(settings: Settings) -> list[str]:
    """Return the names of all branches in the database that *settings* name, sorted.

    A MongoDB server is asked in an event loop of this call.

    Raises:
        ConfigError: there can be no such database.
        StoreError: it cannot be reached, or is none of ours.
    """
    if not settings.db.lower().startswith("mongodb"):
        from findingmodel.stores.sqlite_branches import branches_in_file

        return branches_in_file(sqlite_path(settings.db))
    import asyncio

    from findingmodel.stores.mongo_branches import branches_in_database
    from findingmodel.stores.pool import PoolSettings

    name = database_in(settings.db) or settings.mongodb_db
    return asyncio.run(branches_in_database(settings.db, name, PoolSettings.of(settings)))
