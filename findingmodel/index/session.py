"""IndexSession: a store with its cache, searcher, ledger, timer and threads, wired in this one place.

`Index`, `SyncIndex`, the agents' server and every command use a session. It imports each part on first use,
so that a command which reads one entry from a file imports little else.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from findingmodel.limits import SERVER_CONCURRENCY
from findingmodel.runtime.timing import untimed
from findingmodel.stores import open_store
from findingmodel.stores.transactions import current, joined, refuse_nested

if TYPE_CHECKING:
    import asyncio
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from findingmodel.observe.ledger_recorder import LedgerRecorder
    from findingmodel.observe.metrics import PerformanceMonitor
    from findingmodel.reports.service import StoreReports
    from findingmodel.runtime.threads import Threads
    from findingmodel.runtime.timing import Timer
    from findingmodel.search.cache import Freshness, QueryCache
    from findingmodel.search.cached_searcher import CachedSearcher
    from findingmodel.search.searcher import Searcher
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.sqlite.cache import SQLiteTier
    from findingmodel.update.entry import WriteContext

T = TypeVar("T")

_CLIENT_URL = "mongodb://(client)"
_SERVER_MAX_AGE_SECONDS = 1.0  # a server is asked for its generation at most this often, a file every time


class _TransactionState(NamedTuple):
    """What all tasks of one transaction share.

    Attributes:
        context: where they write.
        lock: held by the task that writes.
        searcher: caches what only they can see.
    """

    context: WriteContext
    lock: asyncio.Lock
    searcher: CachedSearcher


class _Offload:
    """Calls functions in place, or in *threads* once there are any."""

    threads: Threads | None = None

    async def __call__(self, function: Callable[..., T], /, *args: Any) -> T:
        return function(*args) if self.threads is None else await self.threads(function, *args)


class IndexSession:
    """The store of one index, with its query cache, searcher, ledger, timer and threads.

    Making a session opens nothing. It may be used without an event loop first and within one later: the store
    calls slow functions in place until `use_threads` is called, and in threads afterwards.

    Args:
        settings: which index, and all limits.
        database: MongoDB: the database, whichever the settings name.
        client: MongoDB: a client to use instead of the pool's; it stays open.
        monitor: measures operations; it also watches the cache and the connection pool.
        timer: measures stages where there is no monitor.

    Raises:
        ConfigError: the settings do not name a store.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        database: str | None = None,
        client: Any = None,
        monitor: PerformanceMonitor | None = None,
        timer: Timer = untimed,
    ) -> None:
        self.settings = settings
        self.timer = timer if monitor is None else monitor.measure
        self.is_server = client is not None or settings.is_server
        self.concurrency = SERVER_CONCURRENCY if self.is_server else 1
        self._url = settings.db if client is None else _CLIENT_URL
        self._database = database
        self._has_cache_file = bool(self.is_server and client is None and settings.cache_file)
        self._is_open = False
        self._offload = _Offload()  # an object of its own: a bound method would make a reference cycle
        self._lock: tuple[asyncio.AbstractEventLoop, asyncio.Lock] | None = None
        self.store: Store = open_store(
            self._url,
            branch=settings.branch,
            settings=settings,
            offload=self._offload,
            database=database,
            client=client,
        )
        if monitor is not None:
            monitor.watch_cache("search", lambda: self.cache.statistics)
            if self.is_server and client is None:
                from findingmodel.stores.mongo.pool import connection_pool

                monitor.watch_pool(connection_pool.statistics)

    # parts

    def use_threads(self) -> Threads:
        """Run slow calls of the store in threads from now on, and return these threads."""
        if self._offload.threads is None:
            from findingmodel.runtime.threads import Threads

            self._offload.threads = Threads()
        return self._offload.threads

    @cached_property
    def cache(self) -> QueryCache:
        """The query cache, with a second tier on disk where the setting ``cache_file`` names one."""
        from findingmodel.search.cache import QueryCache

        settings = self.settings
        return QueryCache(
            capacity=settings.cache_size, ttl_seconds=settings.cache_ttl_seconds, tier=self._cache_tier
        )

    @cached_property
    def _cache_tier(self) -> SQLiteTier | None:
        if not self._has_cache_file:
            return None
        from findingmodel.stores.sqlite.cache import SQLiteTier

        return SQLiteTier(self.settings.cache_file)

    @cached_property
    def _freshness(self) -> Freshness:
        from findingmodel.search.cache import Freshness

        max_age = _SERVER_MAX_AGE_SECONDS if self.is_server else 0
        return Freshness(self.store.generation, max_age_seconds=max_age)

    @property
    def searcher(self) -> CachedSearcher:
        """The cached searcher; within a transaction, one that caches for this transaction alone."""
        transaction: _TransactionState | None = current(self)
        return self._shared_searcher if transaction is None else transaction.searcher

    @cached_property
    def _shared_searcher(self) -> CachedSearcher:
        return self._make_searcher(self.cache, self._freshness)

    def forget(self) -> None:
        """Forget all cached answers, except those of a transaction."""
        self._shared_searcher.forget()

    def look_again(self) -> None:
        """Read the generation at the next search: the index has changed."""
        self._freshness.forget()

    def _make_searcher(self, cache: QueryCache, freshness: Freshness | None = None) -> CachedSearcher:
        from findingmodel.search.cached_searcher import CachedSearcher

        return CachedSearcher(
            self.store, branch=self.settings.branch, cache=cache, freshness=freshness, timer=self.timer
        )

    def one_shot_searcher(self, *, use_cache: bool = True) -> Searcher:
        """Return a searcher for one query: cached only where a cache file outlives the process."""
        if use_cache and self._has_cache_file:
            return self.searcher
        from findingmodel.search.searcher import Searcher

        return Searcher(self.store, timer=self.timer)

    @cached_property
    def reports(self) -> StoreReports:
        """Reads reports; it keeps the labels of the index until the index changes."""
        from findingmodel.reports.service import StoreReports

        return StoreReports(self.store, self._shared_searcher, self._offload)

    @cached_property
    def ledger(self) -> LedgerRecorder:
        """The recorder of changes to this index."""
        from findingmodel.observe.ledger_recorder import LedgerRecorder

        return LedgerRecorder.of(self.settings, url=self._url, database=self._database)

    # opening and closing

    async def open(self) -> None:
        """Open the store; any number of times.

        Raises:
            StoreError: it cannot be reached or used.
        """
        if not self._is_open:
            await self.store.open()
            self._is_open = True

    async def close(self) -> None:
        """Close the store and end the threads, for good; any number of times."""
        self._is_open = False
        used = vars(self)  # a part that was never needed is not created now
        if "_freshness" in used:
            self._freshness.forget()  # cached answers must not outlive the store
        if "_cache_tier" in used and self._cache_tier is not None:
            self._cache_tier.close()
        try:
            if "ledger" in used:
                await self.ledger.flush()
        finally:
            await self.store.close()
            if self._offload.threads is not None:
                self._offload.threads.close()

    # writing

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[WriteContext]:
        """Let one task of this session write at a time; afterwards searches see the new generation."""
        transaction: _TransactionState | None = current(self)
        if transaction is not None:
            async with transaction.lock:
                yield transaction.context
            return
        from findingmodel.update.entry import WriteContext

        async with self._lock_of_this_loop():
            try:
                yield WriteContext.of(self.settings, self.store)
            finally:
                self._freshness.forget()

    def _lock_of_this_loop(self) -> asyncio.Lock:
        import asyncio

        loop = asyncio.get_running_loop()
        if self._lock is None or self._lock[0] is not loop:  # a lock is bound to the loop that it is used in
            self._lock = (loop, asyncio.Lock())
        return self._lock[1]

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Make all writes within the block visible together, at its end.

        Raises:
            TransactionError: the store has no transactions, one is open already, or it was rolled back.
            LeaseHeldError: another update is running.
        """
        import asyncio

        from findingmodel.search.cache import QueryCache
        from findingmodel.update.lease import transaction

        refuse_nested(self, self.store.label)
        async with (
            self.writing() as context,
            transaction(self.store, lease_seconds=context.options.lease_seconds),
        ):
            searcher = self._make_searcher(QueryCache())
            with joined(self, _TransactionState(context, asyncio.Lock(), searcher)):
                yield

    @asynccontextmanager
    async def recording(self, action: str, **subject: str | Path) -> AsyncIterator[WriteContext]:
        """Do the same as `writing`, and record in the ledger what changed."""
        with self.ledger.recording(action, **subject) as entry:
            async with self.writing() as context:
                yield context._replace(on_change=entry.add_changes)
