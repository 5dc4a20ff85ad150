"""What an `Index` reports to its monitor."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from pymongo import AsyncMongoClient

from findingmodel import Index, PerformanceMonitor, QueryError, Settings, prometheus
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from findingmodel.observe.metrics import OperationStatistics
    from tests.servers import Server


SAMPLES = Path(__file__).parent.parent.parent / "samples" / "defs"
IDS = ["OIFM_SMPL_000001", "OIFM_SMPL_000002"]


def operations(monitor: PerformanceMonitor) -> dict[str, OperationStatistics]:
    return {one.name: one for one in monitor.snapshot().operations}


async def test_updates_reads_and_searches_are_measured_with_their_stages() -> None:
    monitor = PerformanceMonitor()
    async with Index("sqlite://", monitor=monitor) as index:
        report = await index.update_from_directory(SAMPLES)
        await index.get("PE")
        await index.matches("PE")
        await index.get_full(IDS[0])
        await index.get_full_batch(IDS)
        await index.search("collapsed lung")
        await index.search_batch(["kidney stone", "ACL tear", "PE"])
    found = operations(monitor)
    assert {name: (found[name].count, found[name].items) for name in found if "." not in name} == {
        "index update": (1, 1),
        "index get": (2, 2),
        "index get_full_batch": (2, 3),
        "search": (1, 1),
        "search batch": (1, 3),
    }
    assert found["sync.write"].items == report.added
    assert {"sync.scan", "sync.load", "search.candidates", "search.rank"} <= found.keys()
    assert found["index update"].total >= found["sync.write"].total


async def test_a_search_with_a_bad_argument_is_a_failure() -> None:
    monitor = PerformanceMonitor()
    async with Index("sqlite://", monitor=monitor) as index:
        with pytest.raises(QueryError):
            await index.search("lung", limit=-1)
    assert operations(monitor)["search"].failures == 1


async def test_a_cached_search_has_no_stages_and_is_a_hit_of_the_cache() -> None:
    monitor = PerformanceMonitor()
    async with Index("sqlite://", monitor=monitor) as index:
        await index.update_from_directory(SAMPLES)
        for _ in range(3):
            await index.search("collapsed lung")
        snapshot = monitor.snapshot()
        assert [(use.name, use.statistics) for use in snapshot.caches] == [("search", index.cache_statistics)]
    assert snapshot.caches[0].statistics.hits == 2
    assert operations(monitor)["search"].count == 3
    assert operations(monitor)["search.rank"].count == 1
    assert snapshot.pool is None
    assert 'findingmodel_cache_answers_total{cache="search",from="memory"} 2.0\n' in prometheus(snapshot)


def test_a_sync_index_reports_to_a_monitor_too() -> None:
    monitor = PerformanceMonitor()
    with Index.sync("sqlite://", monitor=monitor) as index:
        index.get("PE")
    assert operations(monitor)["index get"].count == 1


def test_without_a_monitor_its_module_is_not_imported() -> None:
    code = (
        "import sys; from findingmodel import Index\n"
        "with Index.sync('sqlite://') as index: index.search('lung')\n"
        "print([name for name in sys.modules if name.startswith('findingmodel.observe.')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "metrics" not in done.stdout
    assert "prometheus" not in done.stdout


@pytest.mark.mongo
async def test_connections_to_a_server_are_reported(mongo_server: Server) -> None:
    monitor = PerformanceMonitor()
    with own_database(mongo_server.uri) as database:
        settings = Settings(db=mongo_server.uri, mongodb_db=database, mongodb_min_pool_size=0)
        async with Index(settings=settings, monitor=monitor) as index:
            await index.get("PE")
            pool = monitor.snapshot().pool
    assert pool is not None
    assert pool.checked_out >= 1
    assert operations(monitor)["index get"].count == 1


@pytest.mark.mongo
async def test_connections_of_a_client_passed_in_are_not_reported(mongo_server: Server) -> None:
    monitor = PerformanceMonitor()
    client = AsyncMongoClient[dict[str, Any]](mongo_server.uri)
    with own_database(mongo_server.uri) as database:
        async with Index(client=client, db_name=database, monitor=monitor) as index:
            await index.get("PE")
        await client.close()
    assert monitor.snapshot().pool is None
    assert operations(monitor)["index get"].count == 1
