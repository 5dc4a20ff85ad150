"""The pool: one client for each URI, settings and event loop, closed once; no secrets are shown."""

from __future__ import annotations

import asyncio
import gc
import subprocess
import sys
import threading
import traceback
from typing import TYPE_CHECKING, Any, Literal

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from findingmodel.errors import ConfigError
from findingmodel.settings import Settings
from findingmodel.stores.mongo.pool import PoolSettings, connect, connection_pool, maybe_await

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.slow

URI = "mongodb://127.0.0.1:9/findings"  # nothing is sent in these tests
DRIVERS: tuple[Literal["motor", "pymongo"], ...] = ("motor", "pymongo")

each_driver = pytest.mark.parametrize("driver", DRIVERS)


@pytest.fixture(autouse=True)
def nothing_left() -> Iterator[None]:
    assert connection_pool.open_clients() == 0
    yield
    gc.collect()  # a client left open warns here
    assert connection_pool.open_clients() == 0


def is_open(client: Any) -> bool:
    return not pymongos(client)._closed


def pymongos(client: Any) -> Any:
    """Return pymongo's client, which *client* is, or which Motor wraps."""
    return client.delegate if isinstance(client, AsyncIOMotorClient) else client


@each_driver
async def test_equal_requests_share_a_client_that_closes_with_the_last(driver: Any) -> None:
    settings = PoolSettings(driver=driver)
    one, two = connection_pool.share(URI, settings), connection_pool.share(URI, PoolSettings(driver=driver))
    assert one.client is two.client
    assert connection_pool.open_clients() == 1
    await one.close()
    await one.close()
    assert is_open(two.client)
    await two.close()
    assert not is_open(two.client)


async def test_other_settings_or_uris_get_other_clients() -> None:
    shares = [
        connection_pool.share(URI, PoolSettings()),
        connection_pool.share(URI, PoolSettings(max_pool_size=70)),
        connection_pool.share(URI, PoolSettings(driver="pymongo")),
        connection_pool.share("mongodb://127.0.0.1:9/other", PoolSettings()),
    ]
    assert len({id(one.client) for one in shares}) == connection_pool.open_clients() == 4
    for one in shares:
        await one.close()


async def test_a_new_client_is_made_after_the_last_was_closed() -> None:
    first = connection_pool.share(URI, PoolSettings())
    await first.close()
    second = connection_pool.share(URI, PoolSettings())
    assert second.client is not first.client
    assert is_open(second.client)
    await second.close()


@each_driver
async def test_closing_the_pool_closes_clients_that_are_shared(driver: Any) -> None:
    shares = [
        connection_pool.share(URI, PoolSettings(driver=driver)),
        connection_pool.share(URI, PoolSettings(driver=driver)),
    ]
    await connection_pool.close()
    await connection_pool.close()
    assert connection_pool.open_clients() == 0
    assert not is_open(shares[0].client)
    for one in shares:
        await one.close()


@each_driver
def test_a_loop_that_ends_closes_its_clients(driver: Any) -> None:
    async def forget() -> Any:
        return connection_pool.share(URI, PoolSettings(driver=driver))

    forgotten = asyncio.run(forget())
    assert connection_pool.open_clients() == 0
    assert not is_open(forgotten.client)
    asyncio.run(forgotten.close())


def test_clients_of_a_loop_closed_without_its_generators_are_dropped() -> None:
    async def forget() -> Any:
        return connection_pool.share(URI, PoolSettings())

    loop = asyncio.new_event_loop()
    forgotten = loop.run_until_complete(forget())
    loop.close()
    assert connection_pool.open_clients() == 1
    asyncio.run(connection_pool.close())
    assert connection_pool.open_clients() == 0
    assert not is_open(forgotten.client)


def test_event_loops_of_several_threads_do_not_share() -> None:
    ready, clients = threading.Barrier(3, timeout=30), []

    async def use() -> None:
        one = connection_pool.share(URI, PoolSettings())
        clients.append(one.client)
        await asyncio.to_thread(ready.wait)
        await one.close()

    threads = [threading.Thread(target=asyncio.run, args=[use()]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(client) for client in clients}) == 3


@each_driver
async def test_settings_become_options(driver: Any) -> None:
    settings = PoolSettings(driver=driver, max_pool_size=7, min_pool_size=2, server_selection_timeout_ms=123)
    client = connect(URI, settings)
    options = pymongos(client).options
    assert options.pool_options.max_pool_size == 7
    assert options.pool_options.min_pool_size == 2
    assert options.pool_options.max_idle_time_seconds == 30.0
    assert options.pool_options.connect_timeout == 10.0
    assert options.pool_options.socket_timeout == 20.0
    assert options.pool_options.wait_queue_timeout == 5.0
    assert options.server_selection_timeout == 0.123
    await maybe_await(client.close())


@each_driver
async def test_options_of_the_uri_take_precedence(driver: Any) -> None:
    uri = "mongodb://127.0.0.1:9/?maxpoolsize=5&serverSelectionTimeoutMS=456"
    client = connect(uri, PoolSettings(driver=driver, min_pool_size=10, max_pool_size=50))
    options = pymongos(client).options
    assert options.pool_options.max_pool_size == 5
    assert options.pool_options.min_pool_size == 0
    assert options.server_selection_timeout == 0.456
    await maybe_await(client.close())


def test_pool_settings_are_a_part_of_the_settings() -> None:
    settings = Settings(driver="pymongo", mongodb_max_pool_size=9, mongodb_socket_timeout_ms=77)
    pool = PoolSettings.of(settings)
    assert (pool.driver, pool.max_pool_size, pool.socket_timeout_ms) == ("pymongo", 9, 77)
    assert pool.min_pool_size == settings.mongodb_min_pool_size


@each_driver
@pytest.mark.parametrize("password", ["hun@ter:tw/o", "hun%ter", "hunter?x=y", "hunter2"])
def test_a_uri_that_is_refused_is_shown_without_its_password(password: str, driver: Any) -> None:
    async def ask() -> None:
        connection_pool.share(f"mongodb://ann:{password}@host:99999/findings", PoolSettings(driver=driver))

    with pytest.raises(ConfigError) as raised:
        asyncio.run(ask())
    assert str(raised.value) == (
        "cannot use mongodb://ann:***@host:99999/findings: "
        "the driver does not accept it (percent-encode user and password, and check the options)"
    )
    assert password not in "".join(traceback.format_exception(raised.value))


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("mongodb://host:99999/db", "between 0 and 65535"),
        ("mongodb://host/?maxPolSize=5", "Unknown option.*Did you mean.*maxpoolsize"),
        ("mongodb://host/?socketTimeoutMS=soon", "sockettimeoutms"),
    ],
)
def test_a_uri_without_secrets_is_refused_with_the_drivers_reason(uri: str, reason: str) -> None:
    async def ask() -> None:
        connection_pool.share(uri, PoolSettings())

    with pytest.raises(ConfigError, match=reason):
        asyncio.run(ask())


@pytest.mark.parametrize(("driver", "absent"), [("motor", "nothing"), ("pymongo", "motor")])
def test_only_the_chosen_driver_is_imported(driver: str, absent: str) -> None:
    code = f"""
import asyncio, sys
import findingmodel.stores.mongo.pool as pool
assert "motor" not in sys.modules
async def main():
    await pool.connection_pool.share({URI!r}, pool.PoolSettings(driver={driver!r})).close()
asyncio.run(main())
assert {driver!r} in sys.modules and {absent!r} not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True)
