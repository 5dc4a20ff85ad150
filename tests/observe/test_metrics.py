"""PerformanceMonitor: spans and functions, in threads and in tasks, with bounded memory."""

from __future__ import annotations

import asyncio
import itertools
import threading
from typing import TYPE_CHECKING

import pytest

from findingmodel.observe.metrics import Measured, OperationStatistics, PerformanceMonitor
from findingmodel.runtime.timing import NO_SPAN
from findingmodel.search.cache import CacheStatistics
from findingmodel.stores.mongo.pool import PoolStatistics

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Clock:
    """A clock that a test advances."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def monitor(clock: Clock) -> PerformanceMonitor:
    return PerformanceMonitor(clock=clock)


def only(monitor: PerformanceMonitor) -> OperationStatistics:
    (operation,) = monitor.snapshot().operations
    return operation


def test_a_block_is_measured(monitor: PerformanceMonitor, clock: Clock) -> None:
    for seconds in (1.0, 3.0):
        with monitor.measure("sync.load", items=50):
            clock.now += seconds
    load = only(monitor)
    assert (load.name, load.count, load.items, load.failures) == ("sync.load", 2, 100, 0)
    assert (load.total, load.mean, load.least, load.most, load.throughput) == (4.0, 2.0, 1.0, 3.0, 25.0)


async def test_an_async_block_is_measured_and_may_set_its_items_late(
    monitor: PerformanceMonitor, clock: Clock
) -> None:
    async with monitor.measure("search") as span:
        clock.now += 2.0
        await asyncio.sleep(0)
        span.items = 7
    assert (only(monitor).total, only(monitor).items) == (2.0, 7)


async def test_async_and_other_functions_are_measured(monitor: PerformanceMonitor, clock: Clock) -> None:
    @monitor.timed("double")
    def double(number: int) -> int:
        """Twice the number."""
        clock.now += 1.0
        return 2 * number

    @monitor.timed("treble")
    async def treble(number: int) -> int:
        await asyncio.sleep(0)
        clock.now += 1.0
        return 3 * number

    assert (double(2), await treble(number=3)) == (4, 9)
    assert (double.__name__, double.__doc__) == ("double", "Twice the number.")
    assert {one.name: (one.count, one.total) for one in monitor.snapshot().operations} == {
        "double": (1, 1.0),
        "treble": (1, 1.0),
    }


def test_a_generator_cannot_be_timed(monitor: PerformanceMonitor) -> None:
    def numbers() -> Iterator[int]:
        yield 1

    async def later() -> AsyncIterator[int]:
        yield 1

    for function in (numbers, later):
        with pytest.raises(TypeError, match="cannot be timed: measure within it"):
            monitor.timed("numbers")(function)


async def test_a_failure_is_counted_and_propagates(monitor: PerformanceMonitor) -> None:
    @monitor.timed("risky")
    async def risky() -> None:
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await risky()
    with pytest.raises(OSError, match="gone"), monitor.measure("risky"):
        raise OSError("gone")
    assert (only(monitor).count, only(monitor).failures) == (2, 2)


def test_the_percentiles_of_one_sample_are_that_sample(monitor: PerformanceMonitor) -> None:
    monitor.record("once", 0.125)
    once = only(monitor)
    assert once.median == once.p95 == once.p99 == once.mean == 0.125


def test_without_measured_time_the_throughput_is_zero(monitor: PerformanceMonitor) -> None:
    monitor.record("instant", 0.0)
    assert only(monitor).throughput == 0.0


def test_the_least_recently_used_name_is_dropped() -> None:
    monitor = PerformanceMonitor(most_names=3)
    for name in ("a", "b", "c", "a", "d"):
        monitor.record(name, 1.0)
    snapshot = monitor.snapshot()
    assert [one.name for one in snapshot.operations] == ["a", "c", "d"]
    assert snapshot.forgotten == 1


def test_ten_thousand_names_are_kept_and_no_more() -> None:
    monitor = PerformanceMonitor()
    for number in range(10_050):
        monitor.record(str(number), 0.0)
    snapshot = monitor.snapshot()
    assert (len(snapshot.operations), snapshot.forgotten) == (10_000, 50)


def test_threads_lose_no_measurement(monitor: PerformanceMonitor) -> None:
    def work() -> None:
        for _ in range(500):
            with monitor.measure("shared", items=2):
                pass

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (only(monitor).count, only(monitor).items) == (4_000, 8_000)


async def test_tasks_are_measured_separately(monitor: PerformanceMonitor, clock: Clock) -> None:
    async def work(order: Iterator[int]) -> None:
        async with monitor.measure("task"):
            clock.now += next(order)
            await asyncio.sleep(0)

    await asyncio.gather(*[work(itertools.count(1)) for _ in range(3)])
    assert only(monitor).count == 3


async def test_a_disabled_monitor_measures_and_allocates_nothing() -> None:
    monitor = PerformanceMonitor(enabled=False)

    def function() -> int:
        return 1

    assert monitor.measure("x") is NO_SPAN is monitor.measure("y", items=5)
    assert monitor.timed("x")(function) is function
    async with monitor.measure("x") as span:
        span.items = 4
    monitor.record("x", 1.0)
    assert span.items == 1
    assert monitor.snapshot().operations == ()


def test_a_listener_is_called_with_every_operation(clock: Clock) -> None:
    received: list[Measured] = []
    monitor = PerformanceMonitor(clock=clock, listener=received.append)
    with monitor.measure("x", items=3):
        clock.now += 0.5
    assert received == [Measured("x", 0.5, 3, failed=False)]


def test_a_snapshot_includes_caches_and_connections_and_does_not_change(monitor: PerformanceMonitor) -> None:
    monitor.watch_cache("search", lambda: CacheStatistics(hits=3, misses=1))
    monitor.watch_pool(lambda: PoolStatistics(created=2, in_use=1))
    monitor.record("x", 1.0)
    snapshot = monitor.snapshot()
    monitor.record("x", 1.0)
    assert [(use.name, use.statistics.hit_rate) for use in snapshot.caches] == [("search", 0.75)]
    assert snapshot.pool == PoolStatistics(created=2, in_use=1)
    assert snapshot.operations[0].count == 1


def test_a_reset_forgets_operations_and_keeps_watching(monitor: PerformanceMonitor) -> None:
    monitor.watch_cache("search", CacheStatistics)
    monitor.record("x", 1.0)
    monitor.reset()
    snapshot = monitor.snapshot()
    assert snapshot.operations == ()
    assert [use.name for use in snapshot.caches] == ["search"]


def test_statistics_are_ready_for_json(monitor: PerformanceMonitor) -> None:
    monitor.record("x", 2.0, items=4)
    assert only(monitor).as_dict() == {
        "count": 1,
        "failures": 0,
        "items": 4,
        "throughput": 2.0,
    } | dict.fromkeys(("total", "mean", "least", "median", "p95", "p99", "most"), 2.0)
