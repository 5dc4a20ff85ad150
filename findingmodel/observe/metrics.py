"""PerformanceMonitor: counts and durations of the operations of one process.

Its memory is bounded: it has one `Histogram` for each operation name, and keeps the 10,000 names used
last. Any number of threads and tasks may use it at once.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, TypeVar, cast

from findingmodel.runtime.timing import NO_SPAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from findingmodel.runtime.timing import Span
    from findingmodel.search.cache import CacheStatistics
    from findingmodel.stores.mongo.pool import PoolStatistics

_GROWTH = 1.05  # ratio of the upper edges of neighbouring buckets
_LOG_GROWTH = math.log(_GROWTH)
_LEAST, _MOST = 1e-9, 1e6  # seconds; a value outside of this range is counted in the first or last bucket
_FIRST = math.ceil(math.log(_LEAST) / _LOG_GROWTH)

RELATIVE_ERROR = (_GROWTH - 1) / (_GROWTH + 1)
"""Maximum relative error of `Histogram.quantile`: 2.4 %."""


class Histogram:
    """Counts of durations in at most 709 buckets, whose edges grow by 5 %.

    Attributes:
        count: number of values.
        total: their sum.
        least, most: the smallest and the greatest value, exactly; 0.0 without values.
    """

    __slots__ = ("_buckets", "count", "least", "most", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.least = 0.0
        self.most = 0.0

    def add(self, seconds: float) -> None:
        """Count one value; NaN and negative values count as 0."""
        seconds = seconds if seconds >= 0 else 0.0
        if self.count == 0 or seconds < self.least:
            self.least = seconds
        if seconds > self.most:
            self.most = seconds
        self.count += 1
        self.total += seconds
        bucket = _FIRST if seconds <= _LEAST else math.ceil(math.log(min(seconds, _MOST)) / _LOG_GROWTH)
        self._buckets[bucket] = self._buckets.get(bucket, 0) + 1

    def quantile(self, share: float) -> float:
        """Return the value that *share* of all values do not exceed; 0.0 without values.

        It is the value of rank ``ceil(share * count)``. The first and the last rank are exact: the 95th
        percentile of fewer than 20 values is their greatest. Others have an error of at most `RELATIVE_ERROR`
        between a nanosecond and eleven days.
        """
        rank = max(1, math.ceil(share * self.count))
        if rank >= self.count:
            return self.most
        if rank == 1:
            return self.least
        seen = 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen >= rank:
                break
        middle = 2 * _GROWTH**bucket / (_GROWTH + 1)  # the same relative distance from both edges
        return min(max(middle, self.least), self.most)

    def copy(self) -> Histogram:
        """Return a histogram that does not change when this one does."""
        other = Histogram()
        other.count, other.total = self.count, self.total
        other.least, other.most = self.least, self.most
        other._buckets = self._buckets.copy()
        return other

    def __len__(self) -> int:
        return len(self._buckets)


P = ParamSpec("P")
T = TypeVar("T")


class Measured(NamedTuple):
    """One operation that has ended, as a `PerformanceMonitor` passes it to its listener.

    Attributes:
        name: the operation.
        seconds: its duration.
        items: number of items that it processed.
        failed: whether it raised an exception.
    """

    name: str
    seconds: float
    items: int
    failed: bool


@dataclass(frozen=True, slots=True)
class OperationStatistics:
    """Statistics of all operations with one name; durations are in seconds.

    Attributes:
        name: the operation.
        count: how many have ended.
        failures: how many of them raised an exception.
        items: number of items that they processed.
        total: sum of the durations.
        least, most: the shortest and the longest duration.
        median, p95, p99: quantiles of the durations (`Histogram.quantile`).
    """

    name: str
    count: int
    failures: int
    items: int
    total: float
    least: float
    median: float
    p95: float
    p99: float
    most: float

    @property
    def mean(self) -> float:
        """Mean duration of an operation."""
        return self.total / self.count if self.count else 0.0

    @property
    def throughput(self) -> float:
        """Items per second of measured time; 0.0 where no time was measured.

        Operations that run at the same time achieve more than this together.
        """
        return self.items / self.total if self.total else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return everything except the name, ready for JSON."""
        values = asdict(self)
        del values["name"]
        return {**values, "mean": self.mean, "throughput": self.throughput}


class CacheUse(NamedTuple):
    """The statistics of a cache, with its name."""

    name: str
    statistics: CacheStatistics


class Snapshot(NamedTuple):
    """What a `PerformanceMonitor` has measured up to one moment.

    Attributes:
        operations: sorted by name.
        caches: sorted by name.
        pool: the connections to MongoDB; None where the monitor does not watch any.
        forgotten: how many operation names were dropped because there were too many.
    """

    operations: tuple[OperationStatistics, ...] = ()
    caches: tuple[CacheUse, ...] = ()
    pool: PoolStatistics | None = None
    forgotten: int = 0


class PerformanceMonitor:
    """Measures operations by name.

    Args:
        enabled: if False, nothing is measured, and `measure` costs next to nothing.
        most_names: number of operation names to keep; the least recently used one is dropped first.
        clock: returns seconds that never decrease.
        listener: called with each operation that has ended, in the same thread.

    >>> monitor = PerformanceMonitor()
    >>> with monitor.measure("load", items=50):
    ...     pass
    >>> (load,) = monitor.snapshot().operations
    >>> load.name, load.count, load.items
    ('load', 1, 50)
    """

    def __init__(
        self,
        *,
        enabled: bool = True,
        most_names: int = 10_000,
        clock: Callable[[], float] = time.perf_counter,
        listener: Callable[[Measured], None] | None = None,
    ) -> None:
        self._enabled = enabled
        self._most_names = most_names
        self._clock = clock
        self._listener = listener
        self._lock = threading.Lock()
        self._operations: OrderedDict[str, _Operation] = OrderedDict()
        self._caches: dict[str, Callable[[], CacheStatistics]] = {}
        self._pool: Callable[[], PoolStatistics] | None = None
        self._forgotten = 0

    def measure(self, name: str, /, items: int = 1) -> Span:
        """Return a span that measures a ``with`` or ``async with`` block.

        Pass the number of *items*, or set the span's ``items`` inside the block. A block that raises an
        exception is counted as a failure.
        """
        return _Span(self, self._clock, name, items) if self._enabled else NO_SPAN

    def timed(self, name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Return a decorator that measures every call of a function, which may be async.

        Raises:
            TypeError: the function is a generator, whose call would end before its work begins.
        """

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            if isgeneratorfunction(function) or isasyncgenfunction(function):
                raise TypeError(f"{function!r} cannot be timed: measure within it, or time a plain function")
            if not self._enabled:
                return function
            if iscoroutinefunction(function):

                @wraps(function)
                async def call_async(*args: P.args, **kwargs: P.kwargs) -> Any:
                    with self.measure(name):
                        return await function(*args, **kwargs)

                return cast("Callable[P, T]", call_async)

            @wraps(function)
            def call(*args: P.args, **kwargs: P.kwargs) -> T:
                with self.measure(name):
                    return function(*args, **kwargs)

            return call

        return decorate

    def record(self, name: str, seconds: float, *, items: int = 1, failed: bool = False) -> None:
        """Count an operation that was measured elsewhere."""
        if not self._enabled:
            return
        with self._lock:
            operation = self._operations.get(name)
            if operation is None:
                operation = self._operations[name] = _Operation()
                while len(self._operations) > self._most_names:
                    self._operations.popitem(last=False)
                    self._forgotten += 1
            else:
                self._operations.move_to_end(name)
            operation.durations.add(seconds)
            operation.items += items
            operation.failures += failed
        if self._listener is not None:
            self._listener(Measured(name, seconds, items, failed))

    def watch_cache(self, name: str, read: Callable[[], CacheStatistics]) -> None:
        """Include a cache in snapshots; *read* returns its statistics."""
        self._caches[name] = read

    def watch_pool(self, read: Callable[[], PoolStatistics]) -> None:
        """Include a connection pool in snapshots; *read* returns its statistics."""
        self._pool = read

    def snapshot(self) -> Snapshot:
        """Return everything measured so far. The snapshot does not change afterwards."""
        with self._lock:
            copies = {name: operation.copy() for name, operation in self._operations.items()}
            forgotten = self._forgotten
        return Snapshot(
            tuple(_statistics(name, copies[name]) for name in sorted(copies)),
            tuple(CacheUse(name, read()) for name, read in sorted(self._caches.items())),
            self._pool() if self._pool else None,
            forgotten,
        )

    def reset(self) -> None:
        """Forget all operations. Caches and connections keep their own counts."""
        with self._lock:
            self._operations.clear()
            self._forgotten = 0


class _Operation:
    """The measurements of one operation name."""

    __slots__ = ("durations", "failures", "items")

    def __init__(self) -> None:
        self.durations = Histogram()
        self.failures = 0
        self.items = 0

    def copy(self) -> _Operation:
        other = _Operation()
        other.durations, other.failures, other.items = self.durations.copy(), self.failures, self.items
        return other


class _Span:
    """One running operation."""

    __slots__ = ("_clock", "_monitor", "_name", "_started", "items")

    def __init__(
        self, monitor: PerformanceMonitor, clock: Callable[[], float], name: str, items: int
    ) -> None:
        self._monitor = monitor
        self._clock = clock
        self._name = name
        self._started = 0.0
        self.items = items

    def __enter__(self) -> Span:
        self._started = self._clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = max(0.0, self._clock() - self._started)
        self._monitor.record(self._name, seconds, items=self.items, failed=kind is not None)

    async def __aenter__(self) -> Span:
        return self.__enter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)


def _statistics(name: str, operation: _Operation) -> OperationStatistics:
    durations = operation.durations
    return OperationStatistics(
        name=name,
        count=durations.count,
        failures=operation.failures,
        items=operation.items,
        total=durations.total,
        least=durations.least,
        median=durations.quantile(0.5),
        p95=durations.quantile(0.95),
        p99=durations.quantile(0.99),
        most=durations.most,
    )
