"""Threads: where an event loop sends what would hold it up, and how it gets rid of them again."""

from __future__ import annotations

import asyncio
import contextvars
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Threads"]

T = TypeVar("T")


class Threads:
    """An `Offload` to a few threads of its own, which are started when there is something to do.

    It may be used from one event loop after another. Unlike those of `asyncio.to_thread` its threads can be
    ended, after which a process can be forked as if there had been none.

    >>> asyncio.run(Threads()(max, 3, 7))
    7
    """

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._busy = 0

    async def __call__(self, function: Callable[..., T], /, *args: Any) -> T:
        """Return ``function(*args)``, called in a thread and in this task's context."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(thread_name_prefix="findingmodel")
        call = partial(contextvars.copy_context().run, function, *args)
        future = self._executor.submit(call)
        self._busy += 1
        try:
            return await asyncio.wrap_future(future)
        finally:
            self._busy -= 1

    def end(self) -> None:
        """End the threads, unless one has something to do; the next call starts others."""
        if self._busy == 0:
            self.close()

    def close(self) -> None:
        """Let the threads end as soon as they have nothing to do; any number of times."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=self._busy == 0)
