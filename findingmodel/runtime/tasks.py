"""Bounded concurrency: BatchProcessor for collections, StreamProcessor for async streams, on one engine."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable

T = TypeVar("T")
U = TypeVar("U")


class Outcome(NamedTuple, Generic[T, U]):
    """The result of one item: the value that its call returned, or the error that it raised."""

    item: T
    value: U | None = None
    error: Exception | None = None

    @property
    def ok(self) -> bool:
        """True if the item has a value."""
        return self.error is None

    def unwrap(self) -> U:
        """Return the value, or raise the error."""
        if self.error is not None:
            raise self.error
        return self.value  # type: ignore[return-value]  # None only where the function returned it


class BatchProcessor:
    """Apply an async function to many items, a bounded number at a time.

    Args:
        max_concurrency: the maximum number of concurrent calls, held by an `asyncio.Semaphore`.
        batch_size: the maximum number of items started whose outcomes were not taken yet; bounds memory.
        rate_limit: the maximum number of calls started per second; None for no limit.

    Raises:
        ConfigError: a bound is not positive.

    >>> async def double(number: int) -> int:
    ...     return 2 * number
    >>> [outcome.value for outcome in asyncio.run(BatchProcessor().process([1, 2, 3], double))]
    [2, 4, 6]
    """

    def __init__(
        self, max_concurrency: int = 20, batch_size: int = 100, rate_limit: float | None = None
    ) -> None:
        if max_concurrency < 1 or batch_size < 1 or (rate_limit is not None and rate_limit <= 0):
            raise ConfigError(
                "max_concurrency and batch_size must be at least 1 and rate_limit more than 0, "
                f"not {max_concurrency}, {batch_size}, {rate_limit}"
            )
        self._max_concurrency = max_concurrency
        self._batch_size = batch_size
        self._rate = _Rate(rate_limit) if rate_limit else None

    async def process(
        self,
        items: Iterable[T],
        function: Callable[[T], Awaitable[U]],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Outcome[T, U]]:
        """Return one outcome for each item, in the order of the items.

        Args:
            items: any finite iterable.
            function: called once for each item.
            progress: called with (done, total) after each item; total is 0 if *items* has no length.
        """
        total = len(items) if isinstance(items, Sized) else 0
        outcomes: list[Outcome[T, U]] = []
        async with aclosing(self.stream(items, function)) as stream:
            async for outcome in stream:
                outcomes.append(outcome)
                if progress:
                    progress(len(outcomes), total)
        return outcomes

    def stream(
        self, items: Iterable[T], function: Callable[[T], Awaitable[U]]
    ) -> AsyncGenerator[Outcome[T, U], None]:
        """Yield one outcome for each item, in the order of the items, while later items are worked on.

        A call that raises gives its item an outcome with the error, and stops no other item. When the
        iteration ends early or is cancelled, every call that it started is cancelled and awaited.

        The items are read only as fast as outcomes are taken.
        """

        async def attempt(item: T) -> Outcome[T, U]:
            if self._rate:
                await self._rate.wait()
            try:
                return Outcome(item, value=await function(item))
            except Exception as error:  # the caller's function may raise anything; it becomes the outcome
                return Outcome(item, error=error)

        semaphore = asyncio.Semaphore(self._max_concurrency)
        return _map_bounded(_iterate(items), attempt, semaphore, self._batch_size, ordered=True)


class StreamProcessor:
    """Apply an async function to the items of an async stream.

    Args:
        max_buffer: the maximum number of items read from the stream whose results were not taken yet.
    """

    def __init__(self, max_buffer: int = 100) -> None:
        if max_buffer < 1:
            raise ConfigError(f"max_buffer must be at least 1, not {max_buffer}")
        self._max_buffer = max_buffer

    def map_stream(
        self,
        stream: AsyncIterator[T],
        function: Callable[[T], Awaitable[U]],
        concurrency: int = 10,
        *,
        ordered: bool = False,
    ) -> AsyncGenerator[U, None]:
        """Yield the result of *function* for each item of *stream*.

        An error of the stream or of the function ends the iteration. However it ends, every call that it
        started is cancelled and awaited.

        Args:
            stream: read only as fast as results are taken.
            function: called once for each item.
            concurrency: the maximum number of concurrent calls.
            ordered: yield results in the order of the stream instead of the order of completion.
        """
        semaphore = asyncio.Semaphore(concurrency)
        return _map_bounded(stream, function, semaphore, self._max_buffer, ordered=ordered)


async def _map_bounded(
    stream: AsyncIterator[T],
    function: Callable[[T], Awaitable[U]],
    semaphore: asyncio.Semaphore,
    max_buffer: int,
    *,
    ordered: bool,
) -> AsyncGenerator[U, None]:
    """Yield results: the engine of both processors. One task reads the stream and starts a task per item."""
    slots = asyncio.Semaphore(max_buffer)
    ready: asyncio.Queue[asyncio.Task[U] | None] = asyncio.Queue()  # None: the stream has ended
    tasks: set[asyncio.Task[U]] = set()

    async def call(item: T) -> U:
        async with semaphore:
            return await function(item)

    async def feed() -> int:
        count = 0
        async for item in stream:
            await slots.acquire()
            task = asyncio.create_task(call(item))
            tasks.add(task)
            count += 1
            if ordered:
                ready.put_nowait(task)
            else:
                task.add_done_callback(ready.put_nowait)
        return count

    feeder = asyncio.create_task(feed())
    feeder.add_done_callback(lambda _: ready.put_nowait(None))
    taken, total = 0, None
    try:
        while taken != total:
            task = await ready.get()
            if task is None:
                total = feeder.result()
                continue
            result = await task
            tasks.discard(task)
            taken += 1
            slots.release()
            yield result
    finally:
        for unfinished in (feeder, *tasks):
            unfinished.cancel()
        await asyncio.gather(feeder, *tasks, return_exceptions=True)


async def _iterate(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


class _Rate:
    """Evenly spaced starts for all callers together. Not bound to an event loop."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = 0.0

    async def wait(self) -> None:
        now = asyncio.get_running_loop().time()
        start = max(now, self._next)
        self._next = start + self._interval
        if start > now:
            await asyncio.sleep(start - now)


async def run_to_completion(write: Coroutine[Any, Any, None]) -> None:
    """Await *write*; a cancellation takes effect only after *write* has ended.

    A write in a thread or on a server cannot be stopped. If the caller ended before it, the lease would be
    released too early, and the write might undo what the next writer does.
    """
    task = asyncio.ensure_future(write)
    try:
        await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            task.exception()  # the caller ends with the cancellation, whatever the result of the write
        raise
