"""IndexBase: how an Index is made, opened, closed and grouped into transactions."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from findingmodel.errors import ConfigError
from findingmodel.index.session import IndexSession
from findingmodel.legacy.attributes import DriverObjects
from findingmodel.runtime.threads import OneLoopAtATime
from findingmodel.settings import Settings

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Self

    from findingmodel.observe.metrics import PerformanceMonitor
    from findingmodel.search.cache import CacheStatistics
    from findingmodel.stores.protocol import Store

_LOCAL_SERVER = "mongodb://localhost:27017"


class IndexBase(DriverObjects):
    """The life of an index; see `findingmodel.Index` for the arguments."""

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
            raise ConfigError("url and mongodb_uri are the same argument under two names: pass one of them")
        chosen = _settings(
            settings, db=mongodb_uri if url is None else url, branch=branch, mongodb_db=db_name
        )
        self._any_session = IndexSession(chosen, database=db_name, client=client, monitor=monitor)
        self._any_session.use_threads()
        self._loops = OneLoopAtATime(f"the Index of {self.label}")

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.label!r}, branch={self._any_session.settings.branch!r})"

    @property
    def _session(self) -> IndexSession:
        """The session, after a check that no other event loop is using it."""
        self._loops.check()
        return self._any_session

    @property
    def _store(self) -> Store:
        return self._session.store

    @property
    def label(self) -> str:
        """The database's URL without a password."""
        return self._any_session.store.label

    @property
    def cache_statistics(self) -> CacheStatistics:
        """Hits, misses and size of the search cache."""
        return self._any_session.cache.statistics

    def invalidate_cache(self) -> None:
        """Forget all cached answers of this index.

        Rarely needed: an update by any process is noticed within a second.
        """
        self._session.forget()

    async def __aenter__(self) -> Self:
        await self._session.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the database, for good; calling it twice is fine. A *client* passed in stays open."""
        await self._session.close()

    async def setup_indexes(self) -> None:
        """Create tables, collections and database indexes where they are missing.

        Updates do this themselves. Calling it again is harmless.
        """
        async with self._session.writing():
            await self._store.setup(recheck=True)

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Make all writes of a block visible to others together when it ends, or none of them if it raises.

        ``async with index.transaction():`` covers what this task does with this Index, and the tasks started
        inside the block. Transactions do not nest, and other writers wait: in MongoDB for a minute at most,
        and only replica sets and sharded clusters have them.

        Raises:
            TransactionError: transactions are not supported here, one is already open, or this one was
                rolled back.
            LeaseHeldError: another update is running.
        """
        return self._session.transaction()


def _settings(settings: Settings | None, **arguments: str | None) -> Settings:
    """Return *settings*, or those of the environment, with the *arguments* that are not None."""
    overrides = {name: value for name, value in arguments.items() if value is not None}
    if settings is not None and not overrides:
        return settings
    loaded = Settings.load(**overrides)  # which checks them
    for sentence in loaded.ignored:
        warnings.warn(sentence, stacklevel=3)
    if settings is None:
        names_only_database = "mongodb_db" in overrides and "db" not in loaded.sources
        return replace(loaded, db=_LOCAL_SERVER) if names_only_database else loaded
    checked: dict[str, Any] = {name: getattr(loaded, name) for name in overrides}
    return replace(settings, **checked)
