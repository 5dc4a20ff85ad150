"""Connection: how a store reaches the collections of its branch, in any event loop and in transactions."""

from __future__ import annotations

import asyncio
import re
from contextlib import asynccontextmanager, suppress
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from pymongo import MongoClient, ReadPreference, WriteConcern
from pymongo.errors import PyMongoError
from pymongo.read_concern import ReadConcern

from findingmodel.errors import ConfigError, StoreClosedError, TransactionError
from findingmodel.settings import server_of
from findingmodel.stores.mongo.breaker import CircuitBreaker
from findingmodel.stores.mongo.commands import one_at_a_time
from findingmodel.stores.mongo.pool import connection_pool, maybe_await
from findingmodel.stores.mongo.retry import Calls, RetryPolicy, breaker_of
from findingmodel.stores.mongo.server import ServerFacts
from findingmodel.stores.mongo.timed import Timed
from findingmodel.stores.transactions import current, joined, refuse_nested

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from findingmodel.stores.mongo.pool import PoolSettings, Share

P = ParamSpec("P")
T = TypeVar("T")

META_PREFIX = "index_meta_"
"""Every branch that was set up has a collection of this name."""


class Collections(NamedTuple):
    """The collections of one branch."""

    entries: Any
    people: Any
    organizations: Any
    meta: Any

    @classmethod
    def of(cls, database: Any, branch: str, meta_concern: WriteConcern | None = None) -> Collections:
        """Return the collections of *branch*, with read preference and write concern of *database*.

        Args:
            database: the driver's database.
            branch: the branch.
            meta_concern: the write concern of `meta`, if it is another one.
        """
        return cls(
            database[f"index_entries_{branch}"],
            database[f"people_{branch}"],
            database[f"organizations_{branch}"],
            database.get_collection(f"{META_PREFIX}{branch}", write_concern=meta_concern),
        )


class BoundCollections(NamedTuple):
    """The collections of a branch, bound to one event loop or to one transaction."""

    loop: asyncio.AbstractEventLoop | None  # None if they are only looked at
    share: Share | None  # of the pool's client; None if the user passed a client
    database: Any  # for commands; answered by the primary
    reading: Collections  # with the read preference of the URI
    writing: Collections  # of the primary: for what an update writes, and reads to decide what to write


class Connection:
    """One branch of one database, with the arguments of `MongoStore`.

    It takes a client on first use, and another one in another event loop.
    """

    def __init__(
        self, uri: str, database: str, branch: str, pool: PoolSettings, retry: RetryPolicy, client: Any
    ) -> None:
        if isinstance(client, MongoClient):
            raise ConfigError(
                "the client is a blocking MongoClient: pass an AsyncIOMotorClient or an AsyncMongoClient"
            )
        self._uri = uri
        self._database = database
        self._branch = branch
        self._pool = pool
        self._client = client
        self._bound: BoundCollections | None = None
        self._facts: ServerFacts | None = None
        self._is_closed = False
        # The server of a client that the user passed is not known, so its breaker is not shared.
        breaker = breaker_of(uri, retry) if client is None else CircuitBreaker(*retry[2:])
        self._calls = Calls(self.label, retry, breaker, login_hint=login_hint(uri))

    @property
    def label(self) -> str:
        """The database's URI, without password and options."""
        return f"{server_of(self._uri)}/{self._database}"

    @property
    def is_in_transaction(self) -> bool:
        """Whether the running task is in a transaction of this connection."""
        return current(self) is not None

    def reach(self) -> BoundCollections:
        """Return the collections for the running event loop or transaction; nothing is sent.

        Raises:
            StoreClosedError: after `close`.
            ConfigError: the driver does not accept the URI.
        """
        if self._is_closed:
            raise StoreClosedError(f"cannot use {self.label}: it was closed")
        transaction: Transaction | None = current(self)
        if transaction is not None:
            return transaction.bound
        return self._reach_outside()

    def _reach_outside(self) -> BoundCollections:
        """Return the collections for the running event loop, outside of a transaction."""
        loop = asyncio.get_running_loop()
        if self._bound is None or self._bound.loop is not loop:
            self._bound = self._bind(loop)
        return self._bound

    @property
    def has_own_client(self) -> bool:
        """Whether the user passed the client."""
        return self._client is not None

    def unbound(self) -> BoundCollections:
        """Return the collections of the user's client without a running event loop; nothing is sent."""
        if self._is_closed:
            raise StoreClosedError(f"cannot use {self.label}: it was closed")
        return self._bind(None)

    async def server(self) -> ServerFacts:
        """Return what the server says of itself; it is asked at most once a minute."""
        if self._facts is None or self._facts.is_old:
            self._facts = await ServerFacts.ask(self._reach_outside().database)
        return self._facts

    async def call(self, doing: str, function: Callable[[], Awaitable[T]], *, once: bool = False) -> T:
        """As `Calls.call`; without retries in a transaction, because an error ends it."""
        transaction: Transaction | None = current(self)
        if transaction is None:
            return await self._calls.call(doing, function, once=once)
        async with transaction.exclusive():
            return await self._calls.call(doing, function, once=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Run what this task sends within the block in one transaction.

        Raises:
            TransactionError: the server has no transactions, they would nest, or this one was rolled back.
            StoreError: as `call`; after an error during the commit it is unknown whether it took effect.
        """
        refuse_nested(self, self.label)
        transaction = await self.call("begin a transaction in", self._begin)
        try:
            try:
                with joined(self, transaction):
                    yield
            except BaseException:
                await transaction.roll_back()
                raise
            await self.call("commit the transaction in", transaction.commit)
        finally:
            await transaction.end()

    async def _begin(self) -> Transaction:
        if not (await self.server()).has_transactions:
            raise TransactionError(
                "the server stands alone, and MongoDB has transactions in replica sets and sharded clusters "
                "only; start it with --replSet, be it as the only member (an index in a file has them too)"
            )
        return await Transaction.begin(self.reach())

    async def close(self) -> None:
        """Release the client. Idempotent."""
        self._is_closed = True
        bound, self._bound = self._bound, None
        if bound is not None and bound.share is not None:
            await bound.share.close()

    def _bind(self, loop: asyncio.AbstractEventLoop | None) -> BoundCollections:
        shared = connection_pool.share(self._uri, self._pool) if self._client is None else None
        client = self._client if shared is None else shared.client
        concern = client.write_concern
        if not isinstance(concern, WriteConcern) or not concern.acknowledged:
            concern = WriteConcern(w=1)  # with w=0 in the URI, failed writes would go unnoticed
        primary = client.get_database(
            self._database, read_preference=ReadPreference.PRIMARY, write_concern=concern
        )
        # Lease and generation must survive a failover.
        majority = WriteConcern("majority", wtimeout=concern.document.get("wtimeout"))
        reading = Collections.of(client.get_database(self._database), self._branch)
        writing = Collections.of(primary, self._branch, majority)
        limit = self._pool.socket_timeout_ms
        timed = [Collections._make(Timed(part, limit) for part in parts) for parts in (reading, writing)]
        return BoundCollections(loop, shared, primary, *timed)


def login_hint(uri: str) -> str:
    """Return what to try if a server does not accept the login in *uri*; "" if there is nothing.

    >>> login_hint("mongodb://me:secret@db.example/findings")
    '; it looked for the user in the database findings: if that was created in admin, add authSource=admin'
    """
    named = re.match(r"[^:/?#]*://(?:[^/?#]*@)[^/?#]*/([^?#/@]+)(?:\?|$)", uri)
    if named is None or "authsource=" in uri.lower():
        return ""
    return (
        f"; it looked for the user in the database {named[1]}: if that was created in admin, "
        "add authSource=admin"
    )


class Transaction:
    """A transaction that has begun; each command of its *bound* collections belongs to it."""

    def __init__(self, session: Any, bound: BoundCollections) -> None:
        writing = Collections._make(_InSession(collection, session) for collection in bound.writing)
        database = _InSession(bound.database, session)
        self.bound = bound._replace(database=database, reading=writing, writing=writing)
        self._session = session
        self._lock = asyncio.Lock()

    @classmethod
    async def begin(cls, bound: BoundCollections) -> Transaction:
        """Begin a transaction; the first command tells the server."""
        session = await maybe_await(bound.database.client.start_session())
        await maybe_await(
            session.start_transaction(
                read_concern=ReadConcern("snapshot"),
                write_concern=WriteConcern("majority"),
                read_preference=ReadPreference.PRIMARY,
            )
        )
        return cls(session, bound)

    @asynccontextmanager
    async def exclusive(self) -> AsyncIterator[None]:
        """Send nothing else meanwhile: a session takes one command at a time."""
        async with self._lock:
            with one_at_a_time():
                yield

    async def commit(self) -> None:
        """Make what was written visible to others. Idempotent."""
        await self._session.commit_transaction()

    async def roll_back(self) -> None:
        """Discard what was written; the server does the same if the client is gone."""
        with suppress(PyMongoError):
            await self._session.abort_transaction()

    async def end(self) -> None:
        """Return the session to the client."""
        await self._session.end_session()


class _InSession:
    """A collection or database, each command of which belongs to one session."""

    def __init__(self, target: Any, session: Any) -> None:
        self._target = target
        self._session = session

    def __getattr__(self, name: str) -> Any:
        return partial(getattr(self._target, name), session=self._session)


class _Connected(Protocol):
    connection: Connection


S = TypeVar("S", bound=_Connected)


def operation(
    doing: str,
) -> Callable[
    [Callable[Concatenate[S, P], Awaitable[T]]], Callable[Concatenate[S, P], Coroutine[Any, Any, T]]
]:
    """Run a method by `Connection.call`; *doing* and the database make the messages: "read entries of"."""

    def decorate(
        method: Callable[Concatenate[S, P], Awaitable[T]],
    ) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
        @wraps(method)
        async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return await self.connection.call(doing, partial(method, self, *args, **kwargs))

        return call

    return decorate
