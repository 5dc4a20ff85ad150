"""Opening: how an Index reaches its database, holds it, and lets go of it."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.batch.search import AT_A_SERVER
from findingmodel.errors import ConfigError
from findingmodel.legacy.attributes import DriverObjects
from findingmodel.observe.ledger_recorder import LedgerRecorder
from findingmodel.runtime.threads import Threads
from findingmodel.runtime.timing import untimed
from findingmodel.search.cache import Freshness, QueryCache
from findingmodel.search.cached_searcher import CachedSearcher
from findingmodel.settings import Settings
from findingmodel.stores import open_store
from findingmodel.stores.sqlite.cache import SQLiteTier
from findingmodel.stores.transactions import current, joined, refuse_nested
from findingmodel.update.entry import WriteContext
from findingmodel.update.lease import transaction

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    from findingmodel.observe.metrics import PerformanceMonitor
    from findingmodel.runtime.timing import Timer
    from findingmodel.search.cache import CacheStatistics
    from findingmodel.stores.protocol import Store

__all__ = ["IndexSession"]

_GIVEN_CLIENT = "mongodb://(client)"
_USUAL_SERVER = "mongodb://localhost:27017"
_SERVER_MAX_AGE_SECONDS = 1.0  # a server is asked for its generation no more often; a file always


class _Together(NamedTuple):
    """What those share who are in one transaction.

    Attributes:
        writing: the store.
        turn: who of them writes.
        searcher: it remembers what only they can see.
    """

    context: WriteContext
    turn: asyncio.Lock
    searcher: CachedSearcher


class IndexSession(DriverObjects):
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
        monitor: PerformanceMonitor | None = None,
    ) -> None:
        if url is not None and mongodb_uri is not None and url != mongodb_uri:
            raise ConfigError("url and mongodb_uri are two words for one thing: give one of them")
        self._settings = _settings(
            settings, db=mongodb_uri if url is None else url, branch=branch, mongodb_db=db_name
        )
        opened = self._settings.db if client is None else _GIVEN_CLIENT
        self._threads = Threads()
        self._store: Store = open_store(
            opened,
            branch=self._settings.branch,
            settings=self._settings,
            offload=self._threads,
            database=db_name,
            client=client,
        )
        self._notebook = LedgerRecorder.of(self._settings, url=opened, database=db_name)
        is_server = client is not None or self._settings.is_server
        self._concurrency = AT_A_SERVER if is_server else 1
        cache_file = self._settings.cache_file if is_server and client is None else ""
        self._tier = SQLiteTier(cache_file) if cache_file else None
        self._cache = _cache(self._settings, self._tier)
        self._freshness = Freshness(
            self._store.generation, max_age_seconds=_SERVER_MAX_AGE_SECONDS if is_server else 0
        )
        self._timer: Timer = untimed if monitor is None else monitor.measure
        self._own_searcher = self._make_searcher(self._cache, self._freshness)
        if monitor is not None:
            _watch(monitor, self._cache, is_pooled=is_server and client is None)
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

    def invalidate_cache(self) -> None:
        """Forget what searches found, and look at the index anew.

        Seldom needed: an update by any process is seen within a second.
        """
        self._own_searcher.forget()

    @property
    def _searcher(self) -> CachedSearcher:
        together: _Together | None = current(self)
        return self._own_searcher if together is None else together.searcher

    def _make_searcher(self, cache: QueryCache, freshness: Freshness | None = None) -> CachedSearcher:
        branch, timer = self._settings.branch, self._timer
        return CachedSearcher(self._store, branch=branch, cache=cache, freshness=freshness, timer=timer)

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
        if self._tier is not None:
            self._tier.close()
        try:
            await self._notebook.close()
        finally:
            await self._store.close()
            self._threads.close()

    async def setup_indexes(self) -> None:
        """Create what is missing in the database; any number of times. Updates do so by themselves."""
        async with self._writing():
            await self._store.setup(anew=True)

    @asynccontextmanager
    async def _writing(self) -> AsyncIterator[WriteContext]:
        """Take turns with the other writers of this Index; afterwards searches look at the index anew."""
        together: _Together | None = current(self)
        if together is not None:
            async with together.turn:
                yield together.context
            return
        loop = asyncio.get_running_loop()
        if self._turn is None or self._turn[0] is not loop:
            self._turn = (loop, asyncio.Lock())  # a lock is bound to the loop that it is used in
        async with self._turn[1]:
            try:
                yield WriteContext(
                    self._store,
                    self._settings.lease_seconds,
                    self._settings.max_file_bytes,
                    self._settings.max_nesting,
                )
            finally:
                self._freshness.forget()

    @asynccontextmanager
    async def _transacting(self) -> AsyncIterator[None]:
        """As `_writing`, for all that is written within the block; it has a searcher of its own."""
        refuse_nested(self, self.label)
        async with (
            self._writing() as context,
            transaction(context.store, lease_seconds=context.lease_seconds),
        ):
            with joined(self, _Together(context, asyncio.Lock(), self._make_searcher(QueryCache()))):
                yield

    @asynccontextmanager
    async def _noting(self, action: str, **about: str | Path) -> AsyncIterator[WriteContext]:
        """As `_writing`; what is changed is noted in the ledger."""
        with self._notebook.noting(action, **about) as note:
            async with self._writing() as context:
                yield context._replace(tell=note.change)


def _cache(settings: Settings, tier: SQLiteTier | None) -> QueryCache:
    return QueryCache(capacity=settings.cache_size, ttl_seconds=settings.cache_ttl_seconds, tier=tier)


def _watch(monitor: PerformanceMonitor, cache: QueryCache, *, is_pooled: bool) -> None:
    """Have *monitor* tell of *cache*, and of the connections of this process if they are ours."""
    monitor.watch_cache("search", lambda: cache.statistics)
    if is_pooled:
        from findingmodel.stores.mongo.pool import pool_statistics

        monitor.watch_pool(pool_statistics)


def _settings(given: Settings | None, **overrides: str | None) -> Settings:
    wanted = {name: value for name, value in overrides.items() if value is not None}
    if given is not None and not wanted:
        return given
    loaded = Settings.load(**wanted)  # which checks them
    if given is None:
        is_mongodb_meant = "mongodb_db" in wanted and "db" not in loaded.sources
        return replace(loaded, db=_USUAL_SERVER) if is_mongodb_meant else loaded
    checked: dict[str, Any] = {name: getattr(loaded, name) for name in wanted}
    return replace(given, **checked)
