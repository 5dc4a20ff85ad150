"""Index: everything that can be asked of an index, and done to it, from asynchronous code."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.index.curation import IndexCuration
from findingmodel.index.reads import IndexReads
from findingmodel.index.reports import IndexReports
from findingmodel.index.review import IndexReview
from findingmodel.index.searches import IndexSearches
from findingmodel.index.sync import SyncIndex
from findingmodel.index.updates import IndexUpdates

if TYPE_CHECKING:
    from findingmodel.observe.metrics import PerformanceMonitor
    from findingmodel.settings import Settings


class Index(IndexReads, IndexSearches, IndexReports, IndexUpdates, IndexCuration, IndexReview):
    """An index of finding models in MongoDB or in one SQLite file; both give the same answers.

    Constructing an Index does nothing. ``async with`` opens it, which reports an unusable database early, and
    closes it; without, it opens on first use and stays open until `close`. One Index may serve many tasks at
    once, and one event loop after another, but not two loops at the same time.

    Every method raises `StoreError` if the database fails: `StoreUnavailableError` if it cannot be reached,
    `StoreClosedError` after `close`; and `EventLoopError` in a second event loop. The methods document only
    what else they raise.

    Args:
        url: ``sqlite:///findings.db``, ``findings.db`` or ``mongodb://HOST/DATABASE``.
        branch: which of several indexes in one database.
        settings: all settings; by default those of the environment (`Settings.load`).
        mongodb_uri: another name of *url*.
        db_name: MongoDB: the database, whatever the URL names. Without a URL, on this machine's server.
        client: MongoDB: a Motor client or pymongo's AsyncMongoClient to use; it stays open.
        monitor: measures reads, searches and updates, and watches the cache and the connections. One monitor
            may serve many indexes; it reports only the newest Index's cache.

    Raises:
        ConfigError: a setting or an argument is not valid.

    >>> import asyncio
    >>> async def demonstrate():
    ...     async with Index("sqlite://") as index:
    ...         return await index.count(), await index.get("pulmonary embolism")
    >>> asyncio.run(demonstrate())
    (0, None)
    """

    @classmethod
    def sync(
        cls,
        url: str | None = None,
        *,
        branch: str | None = None,
        settings: Settings | None = None,
        mongodb_uri: str | None = None,
        db_name: str | None = None,
        monitor: PerformanceMonitor | None = None,
    ) -> SyncIndex:
        """Return an index for code that is not asynchronous: ``with Index.sync("findings.db") as index:``.

        The arguments are those of `Index`, except *client*: a client belongs to one event loop.

        Raises:
            ConfigError: a setting or an argument is not valid.

        >>> with Index.sync("sqlite://") as index:
        ...     index.count(), index.get("pulmonary embolism")
        (0, None)
        """
        index = cls(
            url,
            branch=branch,
            settings=settings,
            mongodb_uri=mongodb_uri,
            db_name=db_name,
            monitor=monitor,
        )
        return SyncIndex(index)


MongoDBIndex = Index
"""The name of this class in findingmodel 0.4."""
