"""The pool of MongoDB clients of a process, and the seam to the driver.

`connect` chooses the driver, which is imported only then. `maybe_await` bridges the one difference: some
methods are coroutines in pymongo's own client and plain calls in Motor.
"""

from __future__ import annotations

import asyncio
import inspect
import re
import threading
import warnings
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from findingmodel import limits
from findingmodel.errors import ConfigError
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.settings import masked

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator

    from findingmodel.settings import Settings

_POOL_SIZES = {"maxpoolsize", "minpoolsize"}


class PoolSettings(NamedTuple):
    """How clients connect; times in milliseconds. Options in the URI take precedence."""

    driver: Literal["motor", "pymongo"] = "motor"  # pymongo: its own asynchronous client
    max_pool_size: int = limits.POOL_MAX_SIZE  # connections to one server, at most
    min_pool_size: int = limits.POOL_MIN_SIZE  # kept open; the drivers open them in the background after 1 s
    max_idle_ms: int = limits.POOL_MAX_IDLE_MS  # until an unused connection is closed
    wait_queue_timeout_ms: int = limits.POOL_WAIT_QUEUE_TIMEOUT_MS  # for a connection while all are in use
    server_selection_timeout_ms: int = limits.SERVER_SELECTION_TIMEOUT_MS  # for a suitable server
    connect_timeout_ms: int = limits.CONNECT_TIMEOUT_MS  # for opening a connection
    socket_timeout_ms: int = limits.SOCKET_TIMEOUT_MS  # for one reply

    @classmethod
    def of(cls, settings: Settings) -> PoolSettings:
        """Return the connection settings within *settings*."""
        sizes = {name: getattr(settings, f"mongodb_{name}") for name in cls._fields if name != "driver"}
        return cls(driver=settings.driver, **sizes)

    def options(self) -> dict[str, Any]:
        """Return the settings under the names of the MongoDB URI options.

        Source: https://www.mongodb.com/docs/manual/reference/connection-string-options/
        """
        return {
            "appname": "findingmodel",
            "maxPoolSize": self.max_pool_size,
            "minPoolSize": self.min_pool_size,
            "maxIdleTimeMS": self.max_idle_ms,
            "waitQueueTimeoutMS": self.wait_queue_timeout_ms,
            "serverSelectionTimeoutMS": self.server_selection_timeout_ms,
            "connectTimeoutMS": self.connect_timeout_ms,
            "socketTimeoutMS": self.socket_timeout_ms,
            "retryReads": False,  # `retry.Calls` retries them; the driver would double each timeout
        }


class PoolStatistics(NamedTuple):
    """The connections of this process so far, of all its clients together."""

    created: int = 0
    closed: int = 0
    checked_out: int = 0  # how often a connection was taken into use
    in_use: int = 0  # now
    most_in_use: int = 0
    timeouts: int = 0  # how often no connection became free in time
    failures: int = 0  # how often no connection could be opened


class _ConnectionCounter:
    """Counts what happens to the connections of all clients, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.statistics = PoolStatistics()

    def add(self, **counts: int) -> None:
        """Add *counts*, named as in `PoolStatistics`."""
        with self._lock:
            old = self.statistics
            new = old._replace(**{name: getattr(old, name) + count for name, count in counts.items()})
            self.statistics = new._replace(most_in_use=max(old.most_in_use, new.in_use))


class _Key(NamedTuple):
    uri: str
    settings: PoolSettings
    loop: asyncio.AbstractEventLoop


class _Pooled:
    """A client, the number of its shares, and the generator that closes it."""

    def __init__(self, client: Any, guard: AsyncGenerator[None, None]) -> None:
        self.client = client
        self.guard = guard
        self.share_count = 0


class MongoConnectionPool:
    """The MongoDB clients of a process, each with its pool of connections.

    A client is bound to one event loop. There is one for each URI, settings and loop; all stores that ask for
    the same share it. It is closed with its last share, or when its loop ends. Creating the pool connects to
    nothing.
    """

    def __init__(self) -> None:
        self._clients: dict[_Key, _Pooled] = {}
        self._lock = threading.Lock()  # event loops may run in several threads

    def share(self, uri: str, settings: PoolSettings) -> Share:
        """Return a share of the client for *uri*, *settings* and the running event loop; nothing is sent.

        Raises:
            ConfigError: the driver does not accept the URI.
        """
        self._drop_dead()
        key = _Key(uri, settings, asyncio.get_running_loop())
        with self._lock:
            pooled = self._clients.get(key)
            if pooled is None:
                client = connect(uri, settings)
                pooled = self._clients[key] = _Pooled(client, self._guard(key, client))
                run_without_loop(pooled.guard.__anext__())
            pooled.share_count += 1
        return Share(pooled, self._lock)

    async def close(self) -> None:
        """Close all clients of the running event loop, even shared ones, and drop those of ended loops."""
        self._drop_dead()
        loop = asyncio.get_running_loop()
        with self._lock:
            clients = [pooled for key, pooled in self._clients.items() if key.loop is loop]
        for pooled in clients:
            await pooled.guard.aclose()

    def open_clients(self) -> int:
        """Return the number of open clients."""
        with self._lock:
            return len(self._clients)

    def statistics(self) -> PoolStatistics:
        """Return the counts of connections so far, those of closed clients included."""
        return _counter.statistics

    async def _guard(self, key: _Key, client: Any) -> AsyncGenerator[None, None]:
        """Hold *client* open. A loop that ends closes its asynchronous generators, and so the client."""
        try:
            yield
        finally:
            with self._lock:
                self._clients.pop(key, None)
            await maybe_await(client.close())

    def _drop_dead(self) -> None:
        """Drop the clients of loops that were closed without closing their generators."""
        with self._lock:
            dead = [pooled for key, pooled in self._clients.items() if key.loop.is_closed()]
        for pooled in dead:
            with suppress(RuntimeError):  # the driver refuses another loop: nothing can close the client now
                run_without_loop(pooled.guard.aclose())


class Share:
    """One user's share of a client, which is for the event loop in which the share was taken."""

    def __init__(self, pooled: _Pooled, lock: threading.Lock) -> None:
        self._pooled: _Pooled | None = pooled
        self._lock = lock
        self.client = pooled.client

    async def close(self) -> None:
        """Release the share; the last one closes the client. Idempotent, also after the loop ended."""
        pooled, self._pooled = self._pooled, None
        if pooled is None:
            return
        with self._lock:
            pooled.share_count -= 1
            is_last = pooled.share_count == 0
        if is_last:
            await pooled.guard.aclose()


_counter = _ConnectionCounter()

connection_pool = MongoConnectionPool()
"""The pool of this process: every `MongoStore` takes its client here."""


def connect(uri: str, settings: PoolSettings) -> Any:
    """Return a new client of the chosen driver; it connects on first use.

    Raises:
        ConfigError: the driver does not accept the URI, or one of its options.
    """
    from pymongo.errors import PyMongoError

    client_class, options = _client_class(settings.driver), _options(uri, settings)
    options["event_listeners"] = [_counting_listener()]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # the driver warns of options that it ignores
            return client_class(uri, **options)
    except OSError as error:  # a file that the URI names
        reason = error.strerror or "a file that it names cannot be read"
    except (PyMongoError, ValueError, TypeError, UserWarning) as error:
        has_secrets = masked(uri) != uri
        reason = "percent-encode user and password, and check the options" if has_secrets else str(error)
    # The driver's message may quote a part of the password, so its error must not be the context of ours.
    raise ConfigError(f"cannot use {masked(uri)}: the driver does not accept it ({reason})")


def _options(uri: str, settings: PoolSettings) -> dict[str, Any]:
    """Return the options of *settings* that *uri* does not name; it names both pool sizes or neither."""
    named = {name.lower() for name in re.findall(r"[?&;]([a-zA-Z]+)=", uri)}
    if named & _POOL_SIZES:
        named |= _POOL_SIZES
    return {name: value for name, value in settings.options().items() if name.lower() not in named}


async def maybe_await(result: Any) -> Any:
    """Return *result* of a method that is a coroutine in one driver and a plain call in the other."""
    return await result if inspect.isawaitable(result) else result


def _client_class(driver: str) -> Any:
    if driver == "pymongo":
        from pymongo import AsyncMongoClient

        return AsyncMongoClient
    from motor.motor_asyncio import AsyncIOMotorClient

    return AsyncIOMotorClient


def _counting_listener() -> Any:
    """Return a listener through which a client, from any thread, counts its connections in `_counter`."""
    from pymongo.monitoring import ConnectionCheckOutFailedReason, ConnectionPoolListener

    class CountingListener(ConnectionPoolListener):
        def connection_created(self, event: Any) -> None:
            _counter.add(created=1)

        def connection_closed(self, event: Any) -> None:
            _counter.add(closed=1)

        def connection_checked_out(self, event: Any) -> None:
            _counter.add(checked_out=1, in_use=1)

        def connection_checked_in(self, event: Any) -> None:
            _counter.add(in_use=-1)

        def connection_check_out_failed(self, event: Any) -> None:
            is_timeout = event.reason == ConnectionCheckOutFailedReason.TIMEOUT
            _counter.add(**{"timeouts" if is_timeout else "failures": 1})

        def ignore(self, event: Any) -> None:
            pass

        connection_check_out_started = connection_ready = ignore
        pool_created = pool_ready = pool_cleared = pool_closed = ignore

    return CountingListener()
