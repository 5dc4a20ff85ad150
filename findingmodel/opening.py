"""Opening: how an Index reaches its database, holds it, and lets go of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from findingmodel.answers import CachedSearcher
from findingmodel.config import Settings
from findingmodel.errors import ConfigError
from findingmodel.search.cache import Freshness, QueryCache
from findingmodel.stores import open_store
from findingmodel.sync.single import Writing

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from types import TracebackType
    from typing import Self

    from findingmodel.search.cache import CacheStatistics
    from findingmodel.stores.protocol import Store

__all__ = ["Opening"]

_GIVEN_CLIENT = "mongodb://(client)"
_SERVER_MAX_AGE_SECONDS = 1.0  # a server is asked for its generation no more often; a file always
_SERVER_CONCURRENCY = 8  # queries of a batch; in a file they would only wait for each other


class Opening:
    """A database that is opened on first use, and what is kept in memory for it; see `findingmodel.Index`."""

    def __init__(
        self,
        url: str | None = None,
        *,
        branch: str | None = None,
        settings: Settings | None = None,
        mongodb_uri: str | None = None,
        db_name: str | None = None,
        client: Any = None,
    ) -> None:
        if url is not None and mongodb_uri is not None and url != mongodb_uri:
            raise ConfigError("url and mongodb_uri are two words for one thing: give one of them")
        self._settings = _settings(
            settings, db=mongodb_uri if url is None else url, branch=branch, mongodb_db=db_name
        )
        self._store: Store = open_store(
            self._settings.db if client is None else _GIVEN_CLIENT,
            branch=self._settings.branch,
            settings=self._settings,
            offload=asyncio.to_thread,
            database=db_name,
            client=client,
        )
        is_server = client is not None or self._settings.db.lower().startswith("mongodb")
        self._concurrency = _SERVER_CONCURRENCY if is_server else 1
        self._cache = QueryCache(
            capacity=self._settings.cache_size, ttl_seconds=self._settings.cache_ttl_seconds
        )
        self._freshness = Freshness(
            self._store.generation, max_age_seconds=_SERVER_MAX_AGE_SECONDS if is_server else 0
        )
        self._searcher = CachedSearcher(
            self._store, branch=self._settings.branch, cache=self._cache, freshness=self._freshness
        )
        self._turn: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label!r}, branch={self._settings.branch!r})"

    @property
    def label(self) -> str:
        """The database as a user may see it: its URL, never with a password."""
        return self._store.label

    @property
    def cache_statistics(self) -> CacheStatistics:
        """What the cache of searches did so far."""
        return self._cache.statistics

    # life

    async def __aenter__(self) -> Self:
        await self._store.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the database, for good; twice is fine. A client that was given stays open."""
        self._freshness.forget()  # what is remembered must not outlive it
        await self._store.close()

    async def setup_indexes(self) -> None:
        """Create what is missing in the database; any number of times. Updates do so by themselves."""
        async with self._writing():
            await self._store.setup()

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[Writing]:
        """Take turns with the other writers of this Index; afterwards searches look at the index anew."""
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = (loop, asyncio.Lock())  # a lock is bound to the loop that it is used in
        async with self._turn[1]:
            try:
                yield Writing(self._store, self._settings.lease_seconds, self._settings.max_file_bytes)
            finally:
                self._freshness.forget()


def _settings(given: Settings | None, **overrides: str | None) -> Settings:
    wanted = {name: value for name, value in overrides.items() if value is not None}
    if given is not None and not wanted:
        return given
    loaded = Settings.load(**wanted)  # which checks them
    if given is None:
        return loaded
    checked: dict[str, Any] = {name: getattr(loaded, name) for name in wanted}
    return replace(given, **checked)
