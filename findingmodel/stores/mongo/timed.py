"""Timed: a collection whose commands end in time, in the server too."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

import pymongo

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

SCAN_FACTOR = 30
"""How much longer a command may take that reads a whole collection, in many replies."""

_LIMITS = {
    "find": "max_time_ms",
    "find_one": "max_time_ms",
    "aggregate": "maxTimeMS",
    "count_documents": "maxTimeMS",
}
_WRITES = frozenset(("bulk_write", "delete_many", "delete_one", "find_one_and_update", "update_one"))


class Timed:
    """A collection of the driver; what is sent through it has a time limit.

    The driver stops waiting for a reply after its socket timeout; without a limit of its own, the server
    would go on, and a retry would have it work twice. Reads carry ``maxTimeMS``. Writes have no such
    argument, and get a deadline, from which the driver computes it; only creating indexes may take any time
    (https://www.mongodb.com/docs/languages/python/pymongo-driver/current/connect/connection-options/csot/).

    Args:
        target: the collection.
        milliseconds: the limit of one command.
    """

    def __init__(self, target: Any, milliseconds: int) -> None:
        self.target = target
        self._milliseconds = milliseconds

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.target, name)
        if name in _LIMITS:
            return partial(method, **{_LIMITS[name]: self._milliseconds})
        return partial(self._in_time, method) if name in _WRITES else method

    def scan(self, *arguments: Any, **options: Any) -> Any:
        """Return a cursor, as ``find`` does, over a whole collection."""
        return self.target.find(*arguments, max_time_ms=SCAN_FACTOR * self._milliseconds, **options)

    async def _in_time(self, method: Callable[..., Awaitable[Any]], *arguments: Any, **options: Any) -> Any:
        with pymongo.timeout(self._milliseconds / 1_000):
            return await method(*arguments, **options)
