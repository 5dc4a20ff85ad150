"""prometheus: a snapshot of the metrics in the text format that Prometheus reads.

Source: https://prometheus.io/docs/instrumenting/exposition_formats/
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.observe.metrics import CacheUse, OperationStatistics, Snapshot
    from findingmodel.stores.mongo.pool import PoolStatistics

__all__ = ["prometheus"]

_PREFIX = "findingmodel"


def prometheus(snapshot: Snapshot) -> str:
    """Return *snapshot* as text to be scraped; its content type is ``text/plain; version=0.0.4``.

    >>> from findingmodel.observe.metrics import Snapshot
    >>> print(prometheus(Snapshot(forgotten=2)), end="")
    # HELP findingmodel_forgotten_operations_total Names of operations dropped because there were too many.
    # TYPE findingmodel_forgotten_operations_total counter
    findingmodel_forgotten_operations_total 2
    """
    families = [*_operations(snapshot.operations), *_caches(snapshot.caches)]
    if snapshot.pool is not None:
        families += _pool(snapshot.pool)
    families.append(
        _Family(
            "forgotten_operations_total",
            "counter",
            "Names of operations dropped because there were too many.",
            [_Sample("", {}, snapshot.forgotten)],
        )
    )
    return "".join(f"{line}\n" for family in families if family.samples for line in _lines(family))


class _Sample(NamedTuple):
    suffix: str
    labels: dict[str, str]
    value: float


class _Family(NamedTuple):
    name: str
    kind: str
    help: str
    samples: list[_Sample]


def _operations(operations: Iterable[OperationStatistics]) -> Iterator[_Family]:
    labelled = [({"operation": one.name}, one) for one in operations]
    durations = [sample for labels, one in labelled for sample in _summary(labels, one)]
    yield _Family("operation_seconds", "summary", "How long operations took.", durations)
    items = [_Sample("", labels, one.items) for labels, one in labelled]
    yield _Family("operation_items_total", "counter", "Items that operations dealt with.", items)
    failures = [_Sample("", labels, one.failures) for labels, one in labelled]
    yield _Family("operation_failures_total", "counter", "Operations that an exception ended.", failures)


def _summary(labels: dict[str, str], one: OperationStatistics) -> Iterator[_Sample]:
    for share, value in (("0.5", one.median), ("0.95", one.p95), ("0.99", one.p99), ("1", one.most)):
        yield _Sample("", {**labels, "quantile": share}, value)
    yield _Sample("_sum", labels, one.total)
    yield _Sample("_count", labels, one.count)


def _caches(caches: Iterable[CacheUse]) -> Iterator[_Family]:
    uses = [({"cache": use.name}, use.statistics) for use in caches]
    answers = [
        _Sample("", {**labels, "from": source}, getattr(statistics, field))
        for labels, statistics in uses
        for source, field in _SOURCES.items()
    ]
    yield _Family("cache_answers_total", "counter", "Answers, by where they came from.", answers)
    sizes = [_Sample("", labels, statistics.size) for labels, statistics in uses]
    yield _Family("cache_size", "gauge", "Answers held in memory.", sizes)


_SOURCES = {"memory": "hits", "tier": "tier_hits", "shared": "shared", "computed": "misses"}


def _pool(pool: PoolStatistics) -> Iterator[_Family]:
    for name, (kind, text) in _POOL.items():
        suffix = "_total" if kind == "counter" else ""
        yield _Family(f"pool_{name}{suffix}", kind, text, [_Sample("", {}, getattr(pool, name))])


_POOL = {
    "created": ("counter", "Connections to MongoDB that were made."),
    "closed": ("counter", "Connections to MongoDB that were closed."),
    "checked_out": ("counter", "Times that a connection was taken from the pool."),
    "timeouts": ("counter", "Times that no connection became free in time."),
    "failures": ("counter", "Times that no connection could be made."),
    "in_use": ("gauge", "Connections in use now."),
    "most_in_use": ("gauge", "Most connections in use at one time."),
}


def _lines(family: _Family) -> Iterator[str]:
    name = f"{_PREFIX}_{family.name}"
    yield f"# HELP {name} {family.help}"
    yield f"# TYPE {name} {family.kind}"
    for sample in family.samples:
        labels = ",".join(f'{label}="{_escaped(value)}"' for label, value in sample.labels.items())
        yield f"{name}{sample.suffix}{f'{{{labels}}}' if labels else ''} {sample.value!r}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
