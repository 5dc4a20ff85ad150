"""PerformanceMonitor: how often things were done and how long they took, for one process.

What it keeps is bounded: a `Histogram` for each name, and of the names the 10,000 that were used last. It may
be used by any number of threads and tasks at once.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from dataclasses import asdict, dataclass
from functools import wraps
from inspect import isasyncgenfunction, iscoroutinefunction, isgeneratorfunction
from typing import TYPE_CHECKING, Any, NamedTuple, ParamSpec, Protocol, TypeVar, cast

from findingmodel.runtime.timing import NO_SPAN

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

    from findingmodel.runtime.timing import Span
    from findingmodel.search.cache import CacheStatistics
    from findingmodel.stores.mongo.pool import PoolStatistics

__all__ = [
    "CacheUse",
    "Histogram",
    "Measured",
    "OperationStatistics",
    "PerformanceMonitor",
    "RELATIVE_ERROR",
    "Snapshot",
]

_GROWTH = 1.05  # of the upper edge from one bucket to the next
_LOG_GROWTH = math.log(_GROWTH)
_LEAST, _MOST = 1e-9, 1e6  # seconds; outside of these a value is counted as one of them
_FIRST = math.ceil(math.log(_LEAST) / _LOG_GROWTH)

RELATIVE_ERROR = (_GROWTH - 1) / (_GROWTH + 1)
"""How far `Histogram.quantile` may be off, as a share of the true value: 2.4 %."""


class Histogram:
    """Counts values in buckets whose edges grow by 5 %: at most 709 of them, whatever the number of values.

    Attributes:
        count: how many values there were.
        total: their sum.
        least, most: the smallest and the greatest of them, exactly; 0.0 without any.
    """

    __slots__ = ("_buckets", "count", "least", "most", "total")

    def __init__(self) -> None:
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0.0
        self.least = 0.0
        self.most = 0.0

    def add(self, seconds: float) -> None:
        """Count one value; what is no duration, such as NaN or less than nothing, counts as 0."""
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
        """Return the value that *share* of all values do not exceed; 0.0 without any.

        It is the value of rank ``ceil(share * count)``. Those of the first and the last rank are exact, so
        the 95th percentile of fewer than 20 values is, and the 99th of fewer than 100: it is the greatest.
        Any other is off by `RELATIVE_ERROR` at most if it lies between a nanosecond and eleven days.
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
        middle = 2 * _GROWTH**bucket / (_GROWTH + 1)  # as far from the lower edge as from the upper
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
    """One operation that has ended; what a `PerformanceMonitor` tells those who listen.

    Attributes:
        name: which operation.
        seconds: how long it took.
        items: how many items it dealt with.
        failed: whether an exception ended it.
    """

    name: str
    seconds: float
    items: int
    failed: bool


@dataclass(frozen=True, slots=True)
class OperationStatistics:
    """All operations of one name; durations in seconds.

    Attributes:
        name: which operation.
        count: how many have ended.
        failures: how many of them were ended by an exception.
        items: how many items they dealt with.
        total: how long they took, all together.
        least, most: the shortest and the longest of them.
        median, p95, p99: what half, 95 % and 99 % of them did not exceed (`Histogram.quantile`).
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
        """Seconds for one operation."""
        return self.total / self.count if self.count else 0.0

    @property
    def throughput(self) -> float:
        """Items for each second that was spent; 0.0 where no time was measured.

        Where several operations run at once, more are done in a second than this.
        """
        return self.items / self.total if self.total else 0.0

    def as_dict(self) -> dict[str, Any]:
        """Return the statistics ready for JSON, without the name."""
        facts = asdict(self)
        del facts["name"]
        return {**facts, "mean": self.mean, "throughput": self.throughput}


class CacheUse(NamedTuple):
    """A cache and what it did so far."""

    name: str
    statistics: CacheStatistics


class Snapshot(NamedTuple):
    """What a `PerformanceMonitor` knew at one moment.

    Attributes:
        operations: by name.
        caches: by name.
        pool: the connections to MongoDB; None where it has none to tell of.
        forgotten: how many names were dropped because there were too many.
    """

    operations: tuple[OperationStatistics, ...] = ()
    caches: tuple[CacheUse, ...] = ()
    pool: PoolStatistics | None = None
    forgotten: int = 0


class PerformanceMonitor:
    """Measures operations by name.

    Args:
        enabled: if not, nothing is measured, and `measure` costs next to nothing.
        most_names: names kept; the one that was not used for the longest time goes first.
        clock: seconds, growing; `time.perf_counter` or a test's own.
        listener: called with each operation that has ended, in the thread where it did.

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
        """Return a span for ``with`` or ``async with``; give it *items*, or set its ``items`` before it ends.

        A span that an exception ends is counted too, as a failure.
        """
        return _Span(self.record, self._clock, name, items) if self._enabled else NO_SPAN

    def timed(self, name: str) -> Callable[[Callable[P, T]], Callable[P, T]]:
        """Return a decorator that measures every call of a function, which may be async.

        Raises:
            TypeError: it would be measured wrongly: the call of a generator does nothing yet.
        """

        def decorate(function: Callable[P, T]) -> Callable[P, T]:
            if isgeneratorfunction(function) or isasyncgenfunction(function):
                raise TypeError(f"{function!r} cannot be timed: measure within it, or time a plain function")
            if not self._enabled:
                return function
            if iscoroutinefunction(function):
                return cast("Callable[P, T]", self._timed_async(name, function))

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
        """Have snapshots tell of a cache; *read* returns what it did so far."""
        self._caches[name] = read

    def watch_pool(self, read: Callable[[], PoolStatistics]) -> None:
        """Have snapshots tell of connections, as `findingmodel.stores.mongo.pool.pool_statistics` does."""
        self._pool = read

    def snapshot(self) -> Snapshot:
        """Return what is known now; it does not change any more."""
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
        """Forget all operations; caches and connections keep their own counts."""
        with self._lock:
            self._operations.clear()
            self._forgotten = 0

    def _timed_async(self, name: str, function: Any) -> Any:
        @wraps(function)
        async def call(*args: Any, **kwargs: Any) -> Any:
            with self.measure(name):
                return await function(*args, **kwargs)

        return call


class _Operation:
    """What is kept for one name."""

    __slots__ = ("durations", "failures", "items")

    def __init__(self) -> None:
        self.durations = Histogram()
        self.failures = 0
        self.items = 0

    def copy(self) -> _Operation:
        other = _Operation()
        other.durations, other.failures, other.items = self.durations.copy(), self.failures, self.items
        return other


class _Recorder(Protocol):
    """`PerformanceMonitor.record`."""

    def __call__(self, name: str, seconds: float, *, items: int = 1, failed: bool = False) -> None: ...


class _Span:
    """One operation under way."""

    __slots__ = ("_begun", "_clock", "_name", "_record", "items")

    def __init__(self, record: _Recorder, clock: Callable[[], float], name: str, items: int) -> None:
        self._record = record
        self._clock = clock
        self._name = name
        self._begun = 0.0
        self.items = items

    def __enter__(self) -> Span:
        self._begun = self._clock()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = max(0.0, self._clock() - self._begun)
        self._record(self._name, seconds, items=self.items, failed=kind is not None)

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
