"""Histogram: how durations are distributed, in bounded memory and within a known error."""

from __future__ import annotations

import math

__all__ = ["RELATIVE_ERROR", "Histogram"]

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
