"""How a store reaches its collections, in whatever event loop it is used."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Concatenate, NamedTuple, ParamSpec, Protocol, TypeVar

from pymongo import MongoClient, ReadPreference, WriteConcern

from findingmodel.errors import ConfigError, StoreClosedError
from findingmodel.settings import server_of
from findingmodel.stores.mongo.breaker import CircuitBreaker
from findingmodel.stores.mongo.pool import share
from findingmodel.stores.mongo.retry import Calls, RetryPolicy, breaker_of
from findingmodel.stores.mongo.transaction import Transaction
from findingmodel.stores.transactions import current, joined, refuse_nested

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine

    from findingmodel.stores.mongo.pool import PoolSettings, Share

__all__ = ["Collections", "Connection", "BoundCollections", "operation"]

P = ParamSpec("P")
T = TypeVar("T")


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


class BoundCollections(NamedTuple):
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
        patience: how long a server that fails is put up with.
        client: to be used instead of one from the pool, or None.
    """

    def __init__(
        self, uri: str, database: str, branch: str, pool: PoolSettings, patience: RetryPolicy, client: Any
    ) -> None:
        if isinstance(client, MongoClient):
            raise ConfigError(
                "the client is a blocking MongoClient: give an AsyncIOMotorClient or an AsyncMongoClient"
            )
        self._uri = uri
        self._database = database
        self._branch = branch
        self._pool = pool
        self._client = client
        self._reached: BoundCollections | None = None
        self._is_closed = False
        # Of a client that was given nobody knows which server it is for.
        breaker = breaker_of(uri, patience) if client is None else CircuitBreaker(*patience[2:])
        self._calls = Calls(self.label, patience, breaker)

    @property
    def label(self) -> str:
        """The database's URI, without password and options."""
        return f"{server_of(self._uri)}/{self._database}"

    @property
    def is_in_transaction(self) -> bool:
        """True if the running task is in a transaction of this connection."""
        return current(self) is not None

    def reach(self) -> BoundCollections:
        """Return the branch as the running event loop, or the transaction, reaches it; nothing is sent.

        Raises:
            StoreClosedError: after `close`.
            ConfigError: the driver does not accept the URI.
        """
        if self._is_closed:
            raise StoreClosedError(f"cannot use {self.label}: it was closed")
        transaction: Transaction | None = current(self)
        if transaction is not None:
            return transaction.reached
        loop = asyncio.get_running_loop()
        if self._reached is None or self._reached.loop is not loop:
            self._reached = self._reach_from(loop)
        return self._reached

    async def call(self, doing: str, function: Callable[[], Awaitable[T]], *, once: bool = False) -> T:
        """Return what *function* makes of the branch that it reaches; as `Calls.call`.

        Within a transaction there is one attempt, for a failure ends it.
        """
        transaction: Transaction | None = current(self)
        if transaction is None:
            return await self._calls.call(doing, function, once=once)
        async with transaction.turn():
            return await self._calls.call(doing, function, once=True)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Let what this task sends within the block be one transaction.

        Raises:
            TransactionError: the server has none, or they would nest, or it was given up.
            StoreError: as `call`; after an error while it was committed nobody knows if it was.
        """
        refuse_nested(self, self.label)
        transaction = await self.call("begin a transaction in", lambda: Transaction.begin(self.reach()))
        try:
            try:
                with joined(self, transaction):
                    yield
            except BaseException:
                await transaction.give_up()
                raise
            await self.call("commit the transaction in", transaction.commit)
        finally:
            await transaction.end()

    async def close(self) -> None:
        """Give the client back; twice is fine."""
        self._is_closed = True
        reached, self._reached = self._reached, None
        if reached is not None and reached.share is not None:
            await reached.share.close()

    def _reach_from(self, loop: asyncio.AbstractEventLoop) -> BoundCollections:
        shared = share(self._uri, self._pool) if self._client is None else None
        client = self._client if shared is None else shared.client
        # With w=0 in the URI nobody would learn of a failed write.
        concern = client.write_concern if client.write_concern.acknowledged else WriteConcern(w=1)
        writing = client.get_database(
            self._database, read_preference=ReadPreference.PRIMARY, write_concern=concern
        )
        reading = client.get_database(self._database)
        return BoundCollections(
            loop=loop,
            share=shared,
            database=writing,
            reading=Collections.of(reading, self._branch),
            writing=Collections.of(writing, self._branch),
        )


class _Connected(Protocol):
    _connection: Connection


S = TypeVar("S", bound=_Connected)


def operation(
    doing: str,
) -> Callable[
    [Callable[Concatenate[S, P], Awaitable[T]]], Callable[Concatenate[S, P], Coroutine[Any, Any, T]]
]:
    """Make a method of a store one operation on its server, as `Connection.call` has it.

    Args:
        doing: what it does, so that the sentence reads on with the database: "read entries of".
    """

    def decorate(
        method: Callable[Concatenate[S, P], Awaitable[T]],
    ) -> Callable[Concatenate[S, P], Coroutine[Any, Any, T]]:
        @wraps(method)
        async def call(self: S, /, *args: P.args, **kwargs: P.kwargs) -> T:
            return await self._connection.call(doing, partial(method, self, *args, **kwargs))

        return call

    return decorate
