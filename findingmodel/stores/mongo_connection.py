"""How a store reaches its collections, in whatever event loop it is used."""

from __future__ import annotations

import asyncio
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pymongo import MongoClient, ReadPreference, WriteConcern

from findingmodel.config import masked
from findingmodel.errors import ConfigError, StoreClosedError
from findingmodel.stores.pool import share

if TYPE_CHECKING:
    from findingmodel.stores.pool import PoolSettings, Share

__all__ = ["Collections", "Connection", "Reached"]


class Collections(NamedTuple):
    """The collections of one branch."""

    entries: Any
    people: Any
    organizations: Any
    meta: Any

    @classmethod
    def of(cls, database: Any, branch: str) -> Collections:
        """Return the collections of *branch*, with the read preference of *database*."""
        names = (
            f"index_entries_{branch}",
            f"people_{branch}",
            f"organizations_{branch}",
            f"index_meta_{branch}",
        )
        return cls(*(database[name] for name in names))


class Reached(NamedTuple):
    """A branch as one event loop reaches it.

    Attributes:
        loop: the event loop. share: the share of the pool's client; None where the user gave a client.
        database: for commands; the primary answers. reading: as the URI's read preference has it. writing:
        the primary's, for all that an update writes, and for what it must read to know what to write.
    """

    loop: asyncio.AbstractEventLoop
    share: Share | None
    database: Any
    reading: Collections
    writing: Collections


class Connection:
    """One branch of one database; a client is taken when it is first needed, and anew in another event loop.

    Args:
        uri: as for `MongoStore`, like all the others.
        database: its name.
        branch: its name.
        pool: driver, pool sizes and timeouts.
        client: to be used instead of one from the pool, or None.
    """

    def __init__(self, uri: str, database: str, branch: str, pool: PoolSettings, client: Any) -> None:
        if isinstance(client, MongoClient):
            raise ConfigError(
                "the client is a blocking MongoClient: give an AsyncIOMotorClient or an AsyncMongoClient"
            )
        self._uri = uri
        self._database = database
        self._branch = branch
        self._pool = pool
        self._client = client
        self._reached: Reached | None = None
        self._is_closed = False

    @property
    def label(self) -> str:
        """The database's URI, without password and options."""
        server = re.match(r"[^:/?#]*://[^/?#]*", masked(self._uri))
        return f"{server[0] if server else 'mongodb://'}/{self._database}"

    def reach(self) -> Reached:
        """Return the branch as the running event loop reaches it; nothing is sent.

        Raises:
            StoreClosedError: after `close`.
            ConfigError: the driver does not accept the URI.
        """
        if self._is_closed:
            raise StoreClosedError(f"cannot use {self.label}: it was closed")
        loop = asyncio.get_running_loop()
        if self._reached is None or self._reached.loop is not loop:
            self._reached = self._reach_from(loop)
        return self._reached

    async def close(self) -> None:
        """Give the client back; twice is fine."""
        self._is_closed = True
        reached, self._reached = self._reached, None
        if reached is not None and reached.share is not None:
            await reached.share.close()

    def _reach_from(self, loop: asyncio.AbstractEventLoop) -> Reached:
        shared = share(self._uri, self._pool) if self._client is None else None
        client = self._client if shared is None else shared.client
        # With w=0 in the URI nobody would learn of a failed write.
        concern = client.write_concern if client.write_concern.acknowledged else WriteConcern(w=1)
        writing = client.get_database(
            self._database, read_preference=ReadPreference.PRIMARY, write_concern=concern
        )
        reading = client.get_database(self._database)
        return Reached(
            loop=loop,
            share=shared,
            database=writing,
            reading=Collections.of(reading, self._branch),
            writing=Collections.of(writing, self._branch),
        )
