"""The pool of MongoDB clients of a process, and the seam to the driver.

A client holds connections, and is bound to one event loop: so there is one for each URI, settings and loop,
shared by every store that asks for the same, and closed with the last of them, or with the loop. Nothing is
made by importing this module.

The driver is chosen in `connect`, and met again in `settled` only: what pymongo's own client returns as an
awaitable, Motor returns at once. A driver that is not chosen is not imported.
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

__all__ = [
    "PoolCounter",
    "PoolSettings",
    "PoolStatistics",
    "Share",
    "close_all",
    "connect",
    "open_clients",
    "pool_statistics",
    "settled",
    "share",
]

_POOL_SIZES = {"maxpoolsize", "minpoolsize"}


class PoolSettings(NamedTuple):
    """How clients connect. An option that the URI itself names is the URI's.

    Attributes:
        driver: ``motor``, or ``pymongo`` for its own asynchronous client.
        max_pool_size: most connections to one server.
        min_pool_size: connections kept open to one server. The drivers open them in the background after a
            second, so that a short command has only those that it uses.
        max_idle_ms: how long an unused connection is kept.
        wait_queue_timeout_ms: how long to wait for a connection while all are in use.
        server_selection_timeout_ms: how long to wait for a server that can answer.
        connect_timeout_ms: how long a new connection may take.
        socket_timeout_ms: how long one answer may take.
    """

    driver: Literal["motor", "pymongo"] = "motor"
    max_pool_size: int = limits.POOL_MAX_SIZE
    min_pool_size: int = limits.POOL_MIN_SIZE
    max_idle_ms: int = limits.POOL_MAX_IDLE_MS
    wait_queue_timeout_ms: int = limits.POOL_WAIT_QUEUE_TIMEOUT_MS
    server_selection_timeout_ms: int = limits.SERVER_SELECTION_TIMEOUT_MS
    connect_timeout_ms: int = limits.CONNECT_TIMEOUT_MS
    socket_timeout_ms: int = limits.SOCKET_TIMEOUT_MS

    @classmethod
    def of(cls, settings: Settings) -> PoolSettings:
        """Return the part of *settings* that concerns connections."""
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
            "retryReads": False,  # `mongo_calls` repeats them; the driver would double each timeout
        }


class PoolStatistics(NamedTuple):
    """What became of the connections of this process so far, all clients together.

    Attributes:
        created, closed: connections.
        checked_out: how often one was taken into use.
        in_use, most_in_use: how many are in use now, and were at most.
        timeouts: how often none became free in time.
        failures: how often none could be made.
    """

    created: int = 0
    closed: int = 0
    checked_out: int = 0
    in_use: int = 0
    most_in_use: int = 0
    timeouts: int = 0
    failures: int = 0


class PoolCounter:
    """Counts what happens to connections, in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts = PoolStatistics()

    def add(self, **counts: int) -> None:
        """Add *counts*, named as in `PoolStatistics`."""
        with self._lock:
            old = self._counts
            new = old._replace(**{name: getattr(old, name) + count for name, count in counts.items()})
            self._counts = new._replace(most_in_use=max(old.most_in_use, new.in_use))

    def statistics(self) -> PoolStatistics:
        """Return what was counted so far."""
        return self._counts


class _Key(NamedTuple):
    uri: str
    settings: PoolSettings
    loop: asyncio.AbstractEventLoop


class _Pooled:
    """A client, how many use it, and the generator that closes it."""

    def __init__(self, client: Any, guard: AsyncGenerator[None, None]) -> None:
        self.client = client
        self.guard = guard
        self.share_count = 0


_clients: dict[_Key, _Pooled] = {}
_lock = threading.Lock()  # event loops may run in several threads
_counter = PoolCounter()


class Share:
    """One user's share of a client; close it when done.

    Attributes:
        client: the driver's client, to be used in the event loop that the share was taken in.
    """

    def __init__(self, pooled: _Pooled) -> None:
        self._pooled: _Pooled | None = pooled
        self.client = pooled.client

    async def close(self) -> None:
        """Give the share back; with the last one the client is closed. Twice is fine, and after its loop."""
        pooled, self._pooled = self._pooled, None
        if pooled is None:
            return
        with _lock:
            pooled.share_count -= 1
            is_last = pooled.share_count == 0
        if is_last:
            await pooled.guard.aclose()


def share(uri: str, settings: PoolSettings) -> Share:
    """Return a share of the client for *uri*, *settings* and the running event loop; nothing is sent yet.

    Raises:
        ConfigError: the driver does not accept the URI.
    """
    _drop_dead()
    key = _Key(uri, settings, asyncio.get_running_loop())
    with _lock:
        pooled = _clients.get(key)
        if pooled is None:
            client = connect(uri, settings)
            pooled = _clients[key] = _Pooled(client, _guard(key, client))
            run_without_loop(pooled.guard.__anext__())
        pooled.share_count += 1
    return Share(pooled)


async def close_all() -> None:
    """Close every client of the running event loop, whoever has a share, and forget those of ended loops."""
    _drop_dead()
    loop = asyncio.get_running_loop()
    with _lock:
        mine = [pooled for key, pooled in _clients.items() if key.loop is loop]
    for pooled in mine:
        await pooled.guard.aclose()


def open_clients() -> int:
    """Return how many clients this process holds open."""
    with _lock:
        return len(_clients)


def pool_statistics() -> PoolStatistics:
    """Return what became of the connections of this process so far; those of closed clients count too."""
    return _counter.statistics()


def connect(uri: str, settings: PoolSettings) -> Any:
    """Return a new client of the chosen driver; it connects when it is first used.

    Raises:
        ConfigError: the driver does not accept the URI, or one of its options.
    """
    from pymongo.errors import PyMongoError

    from findingmodel.stores.mongo.listener import PoolListener

    client_class, options = _client_class(settings.driver), _options(uri, settings)
    options["event_listeners"] = [PoolListener(_counter)]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", UserWarning)  # that is how it tells of options that it ignores
            return client_class(uri, **options)
    except OSError as error:  # a file that the URI names
        reason = error.strerror or "a file that it names cannot be read"
    except (PyMongoError, ValueError, TypeError, UserWarning) as error:
        has_secrets = masked(uri) != uri
        reason = "percent-encode user and password, and check the options" if has_secrets else str(error)
    # The driver's text may quote a part of the password: its error must not even be the context of ours.
    raise ConfigError(f"cannot use {masked(uri)}: the driver does not accept it ({reason})")


def _options(uri: str, settings: PoolSettings) -> dict[str, Any]:
    """Return the options of *settings* that *uri* leaves open; the two pool sizes only as a pair."""
    named = {name.lower() for name in re.findall(r"[?&;]([a-zA-Z]+)=", uri)}
    if named & _POOL_SIZES:
        named |= _POOL_SIZES
    return {name: value for name, value in settings.options().items() if name.lower() not in named}


async def settled(result: Any) -> Any:
    """Return *result* of a method that is a coroutine with one driver and a plain call with the other."""
    return await result if inspect.isawaitable(result) else result


def _client_class(driver: str) -> Any:
    if driver == "pymongo":
        from pymongo import AsyncMongoClient

        return AsyncMongoClient
    from motor.motor_asyncio import AsyncIOMotorClient

    return AsyncIOMotorClient


async def _guard(key: _Key, client: Any) -> AsyncGenerator[None, None]:
    """Hold *client* open. A loop that ends closes the generators that it knows, and the client with them."""
    try:
        yield
    finally:
        with _lock:
            _clients.pop(key, None)
        await settled(client.close())


def _drop_dead() -> None:
    """Let go of the clients of loops that were closed without their generators."""
    with _lock:
        dead = [pooled for key, pooled in _clients.items() if key.loop.is_closed()]
    for pooled in dead:
        with suppress(RuntimeError):  # a driver's word for "not in this loop": nobody can close it now
            run_without_loop(pooled.guard.aclose())
