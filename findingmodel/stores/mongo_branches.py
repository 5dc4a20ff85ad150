"""Which branches a MongoDB database has."""

from __future__ import annotations

from findingmodel.config import server_of
from findingmodel.stores.mongo_errors import translated
from findingmodel.stores.pool import PoolSettings, connect, settled

__all__ = ["branches_in_database"]

_PREFIX = "index_meta_"


async def branches_in_database(uri: str, database: str, pool: PoolSettings) -> list[str]:
    """Return the names of all branches, sorted, by one command of a client of its own.

    Args:
        uri: of the server. database: the name of the database. pool: the driver and its timeouts.

    Raises:
        ConfigError: the driver does not accept the URI.
        StoreError: the server cannot be reached, or refused.
    """
    client = connect(uri, pool)
    try:
        with translated("list the branches of", f"{server_of(uri)}/{database}"):
            names = await client[database].list_collection_names()
    finally:
        await settled(client.close())
    return sorted(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX))
