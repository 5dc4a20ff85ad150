"""The counts of connections to MongoDB are those that the driver reports."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Literal

import pytest

from findingmodel import Index
from findingmodel.observe.metrics import PerformanceMonitor
from findingmodel.settings import Settings
from findingmodel.stores.mongo.pool import connection_pool
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from tests.servers import Server

pytestmark = pytest.mark.mongo


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_connections_are_counted(mongo_server: Server, driver: Literal["motor", "pymongo"]) -> None:
    monitor = PerformanceMonitor()
    monitor.watch_pool(connection_pool.statistics)
    before = monitor.snapshot().pool
    with own_database(mongo_server.uri) as database:
        settings = Settings(db=mongo_server.uri, mongodb_db=database, driver=driver, mongodb_min_pool_size=0)
        async with Index(settings=settings) as index:
            await asyncio.gather(*[index.count() for _ in range(5)])
            during = monitor.snapshot().pool
        after = monitor.snapshot().pool
    assert before is not None
    assert during is not None
    assert after is not None
    assert during.created > before.created
    assert during.checked_out >= before.checked_out + 5
    assert during.most_in_use >= 1
    assert after.in_use == before.in_use
    assert after.closed - before.closed == after.created - before.created
    assert after.timeouts == before.timeouts
