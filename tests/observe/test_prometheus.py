"""The text format of Prometheus: a number is found under its name, and a strange name breaks nothing."""

from __future__ import annotations

import re

from findingmodel.observe.metrics import PerformanceMonitor
from findingmodel.observe.prometheus import prometheus
from findingmodel.search.cache import CacheStatistics
from findingmodel.stores.mongo.pool import PoolStatistics

SAMPLE = re.compile(r'^[a-z_]+(\{([a-z]+="([^"\\\n]|\\\\|\\"|\\n)*",?)+\})? [-+.0-9einf]+$')


def told(monitor: PerformanceMonitor) -> list[str]:
    return prometheus(monitor.snapshot()).splitlines()


def test_everything_that_is_known_is_told() -> None:
    monitor = PerformanceMonitor()
    monitor.record("search", 0.5, items=10)
    monitor.record("search", 1.5, items=10, failed=True)
    monitor.watch_cache("queries", lambda: CacheStatistics(hits=3, misses=1, size=2))
    monitor.watch_pool(lambda: PoolStatistics(created=4, in_use=1))
    lines = told(monitor)
    for expected in (
        'findingmodel_operation_seconds{operation="search",quantile="1"} 1.5',
        'findingmodel_operation_seconds_sum{operation="search"} 2.0',
        'findingmodel_operation_seconds_count{operation="search"} 2',
        'findingmodel_operation_items_total{operation="search"} 20',
        'findingmodel_operation_failures_total{operation="search"} 1',
        'findingmodel_cache_answers_total{cache="queries",from="memory"} 3',
        'findingmodel_cache_size{cache="queries"} 2',
        "findingmodel_pool_created_total 4",
        "findingmodel_pool_in_use 1",
    ):
        assert expected in lines


def test_each_family_is_described_once_before_its_samples() -> None:
    monitor = PerformanceMonitor()
    for name in ("a", "b"):
        monitor.record(name, 0.1)
    lines = told(monitor)
    described = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(described) == len(set(described))
    for line in lines:
        assert line.startswith(("# HELP", "# TYPE")) or SAMPLE.match(line), line


def test_a_name_may_hold_anything() -> None:
    monitor = PerformanceMonitor()
    monitor.record('a "quoted"\nback\\slash', 0.1)
    samples = [line for line in told(monitor) if not line.startswith("#")]
    assert r'operation="a \"quoted\"\nback\\slash"' in samples[0]
    assert all(SAMPLE.match(line) for line in samples)
