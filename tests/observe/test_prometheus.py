"""The text format of Prometheus: each number has its metric, and any operation name is escaped."""

from __future__ import annotations

import sys

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from findingmodel import ConfigError
from findingmodel.observe.metrics import PerformanceMonitor
from findingmodel.observe.prometheus import SnapshotCollector, prometheus
from findingmodel.search.cache import CacheStatistics
from findingmodel.stores.mongo.pool import PoolStatistics


def lines_of(monitor: PerformanceMonitor) -> list[str]:
    return prometheus(monitor.snapshot()).splitlines()


def test_a_snapshot_is_exported_completely() -> None:
    monitor = PerformanceMonitor()
    monitor.record("search", 0.5, items=10)
    monitor.record("search", 1.5, items=10, failed=True)
    monitor.watch_cache("queries", lambda: CacheStatistics(hits=3, misses=1, size=2))
    monitor.watch_pool(lambda: PoolStatistics(created=4, in_use=1))
    lines = lines_of(monitor)
    for expected in (
        'findingmodel_operation_seconds{operation="search",quantile="1"} 1.5',
        'findingmodel_operation_seconds_sum{operation="search"} 2.0',
        'findingmodel_operation_seconds_count{operation="search"} 2.0',
        'findingmodel_operation_items_total{operation="search"} 20.0',
        'findingmodel_operation_failures_total{operation="search"} 1.0',
        'findingmodel_cache_answers_total{cache="queries",from="memory"} 3.0',
        'findingmodel_cache_size{cache="queries"} 2.0',
        "findingmodel_pool_created_total 4.0",
        "findingmodel_pool_in_use 1.0",
    ):
        assert expected in lines


def test_each_family_is_described_once_before_its_samples() -> None:
    monitor = PerformanceMonitor()
    for name in ("a", "b"):
        monitor.record(name, 0.1)
    lines = lines_of(monitor)
    described: list[str] = []
    for line in lines:
        if line.startswith("# TYPE"):
            described.append(line.split()[2])
        elif not line.startswith("# HELP"):
            assert line.startswith(described[-1]), line
    assert len(described) == len(set(described))


def test_any_operation_name_is_escaped() -> None:
    monitor = PerformanceMonitor()
    name = 'a "quoted"\nback\\slash'
    monitor.record(name, 0.1)
    text = prometheus(monitor.snapshot())
    assert r'operation="a \"quoted\"\nback\\slash"' in text
    samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    assert {sample.labels.get("operation") for sample in samples} == {name, None}


def test_a_registry_reads_the_monitor_at_each_scrape() -> None:
    monitor = PerformanceMonitor()
    registry = CollectorRegistry()
    registry.register(SnapshotCollector(monitor.snapshot))
    for count in (1, 2):
        monitor.record("search", 0.5)
        sample = registry.get_sample_value("findingmodel_operation_seconds_count", {"operation": "search"})
        assert sample == count


def test_without_the_library_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    with pytest.raises(ConfigError, match=r"install it: pip install 'findingmodel\[metrics\]'"):
        prometheus(PerformanceMonitor().snapshot())
