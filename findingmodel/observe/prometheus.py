"""Metrics for Prometheus, through its client library: the extra ``findingmodel[metrics]``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from prometheus_client.core import Metric

    from findingmodel.observe.metrics import OperationStatistics, Snapshot
    from findingmodel.stores.mongo.pool import PoolStatistics

_SOURCES = {"memory": "hits", "tier": "tier_hits", "shared": "shared", "computed": "misses"}
_POOL_COUNTERS = {
    "created": "Connections to MongoDB that were opened.",
    "closed": "Connections to MongoDB that were closed.",
    "checked_out": "Times that a connection was taken from the pool.",
    "timeouts": "Times that no connection became free in time.",
    "failures": "Times that no connection could be opened.",
}
_POOL_GAUGES = {
    "in_use": "Connections in use now.",
    "most_in_use": "Most connections in use at one time.",
}


def prometheus(snapshot: Snapshot) -> str:
    """Return *snapshot* as text for Prometheus to scrape; its content type is ``text/plain; version=0.0.4``.

    Raises:
        ConfigError: the package prometheus-client is not installed.

    >>> from findingmodel.observe.metrics import Snapshot
    >>> print(prometheus(Snapshot(forgotten=2)), end="")
    # HELP findingmodel_forgotten_operations_total Operation names dropped because there were too many.
    # TYPE findingmodel_forgotten_operations_total counter
    findingmodel_forgotten_operations_total 2.0
    """
    try:
        from prometheus_client import generate_latest
    except ImportError as error:
        raise ConfigError(
            f"metrics for Prometheus need the package prometheus-client ({error}); "
            "install it: pip install 'findingmodel[metrics]'"
        ) from error
    return generate_latest(SnapshotCollector(lambda: snapshot)).decode()


class SnapshotCollector:
    """A collector for a registry of ``prometheus_client``, next to other metrics of the same program.

    Args:
        take: returns the snapshot of one scrape.

    >>> from prometheus_client import CollectorRegistry
    >>> from findingmodel import PerformanceMonitor
    >>> monitor = PerformanceMonitor()
    >>> monitor.record("search", 0.25)
    >>> registry = CollectorRegistry()
    >>> registry.register(SnapshotCollector(monitor.snapshot))
    >>> registry.get_sample_value("findingmodel_operation_seconds_sum", {"operation": "search"})
    0.25
    """

    def __init__(self, take: Callable[[], Snapshot]) -> None:
        self._take = take

    def collect(self) -> Iterator[Metric]:
        """Yield the metrics of one scrape, without those that have no samples."""
        snapshot = self._take()
        families = [*_operations(snapshot), *_caches(snapshot)]
        if snapshot.pool is not None:
            families += _pool(snapshot.pool)
        yield from (family for family in families if family.samples)
        dropped = "Operation names dropped because there were too many."
        yield _family("forgotten_operations", "counter", dropped, [({}, snapshot.forgotten)])


def _family(name: str, kind: str, text: str, samples: Iterable[tuple[dict[str, str], float]]) -> Metric:
    """Return a counter or a gauge, with the labels and the value of each sample."""
    from prometheus_client.core import Metric

    family = Metric(f"findingmodel_{name}", text, kind)
    for labels, value in samples:
        family.add_sample(family.name + ("_total" if kind == "counter" else ""), labels, value)
    return family


def _operations(snapshot: Snapshot) -> Iterator[Metric]:
    labelled = [({"operation": operation.name}, operation) for operation in snapshot.operations]
    durations = _family("operation_seconds", "summary", "Duration of operations.", [])
    for labels, operation in labelled:
        _add_summary(durations, labels, operation)
    yield durations
    items = [(labels, operation.items) for labels, operation in labelled]
    yield _family("operation_items", "counter", "Items that operations processed.", items)
    failures = [(labels, operation.failures) for labels, operation in labelled]
    yield _family("operation_failures", "counter", "Operations that raised an exception.", failures)


def _add_summary(family: Metric, labels: dict[str, str], operation: OperationStatistics) -> None:
    quantiles = {
        "0.5": operation.median,
        "0.95": operation.p95,
        "0.99": operation.p99,
        "1": operation.most,
    }
    for share, seconds in quantiles.items():
        family.add_sample(family.name, {**labels, "quantile": share}, seconds)
    family.add_sample(f"{family.name}_sum", labels, operation.total)
    family.add_sample(f"{family.name}_count", labels, operation.count)


def _caches(snapshot: Snapshot) -> Iterator[Metric]:
    answers = [
        ({"cache": cache.name, "from": source}, getattr(cache.statistics, field))
        for cache in snapshot.caches
        for source, field in _SOURCES.items()
    ]
    yield _family("cache_answers", "counter", "Answers, by where they came from.", answers)
    sizes = [({"cache": cache.name}, cache.statistics.size) for cache in snapshot.caches]
    yield _family("cache_size", "gauge", "Answers held in memory.", sizes)


def _pool(pool: PoolStatistics) -> Iterator[Metric]:
    for name, text in _POOL_COUNTERS.items():
        yield _family(f"pool_{name}", "counter", text, [({}, getattr(pool, name))])
    for name, text in _POOL_GAUGES.items():
        yield _family(f"pool_{name}", "gauge", text, [({}, getattr(pool, name))])
