"""Bounded concurrency: the one place where tasks are made, and where their number is limited."""

from __future__ import annotations

import asyncio
from collections.abc import Sized
from contextlib import aclosing
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, TypeVar

from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Coroutine, Iterable

__all__ = ["BatchProcessor", "Outcome", "StreamProcessor", "run_to_completion"]

T = TypeVar("T")
U = TypeVar("U")


class Outcome(NamedTuple, Generic[T, U]):
    """What became of one item: a value, or the error that stopped it.

    Attributes:
        item: as it was given.
        value: the result; None may be a result too.
        error: why there is none.
    """

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
        max_concurrency: most calls under way at once.
        batch_size: most items taken from the iterable ahead of their results; bounds memory.
        rate_limit: most calls started per second; None for no limit.

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
        self._gate = StreamProcessor(max_buffer=batch_size)
        self._max_concurrency = max_concurrency
        self._rate = _Rate(rate_limit) if rate_limit else None

    async def process(
        self,
        items: Iterable[T],
        function: Callable[[T], Awaitable[U]],
        *,
        progress: Callable[[int, int], None] | None = None,
    ) -> list[Outcome[T, U]]:
        """Return one outcome for each item, in the order of the items.

        An item whose call raises has the error as its outcome and stops no other. If this call is cancelled,
        so are all that it started, and none is left behind.

        Args:
            items: anything finite.
            function: called once for each item.
            progress: called with (done, total) after each item; total is 0 where *items* has no length.
        """
        total = len(items) if isinstance(items, Sized) else 0

        async def attempt(item: T) -> Outcome[T, U]:
            if self._rate:
                await self._rate.wait()
            try:
                return Outcome(item, value=await function(item))
            except Exception as error:  # the caller's function may raise anything; it is the outcome
                return Outcome(item, error=error)

        outcomes: list[Outcome[T, U]] = []
        stream = self._gate.map_stream(_each(items), attempt, self._max_concurrency, ordered=True)
        async with aclosing(stream) as results:
            async for outcome in results:
                outcomes.append(outcome)
                if progress:
                    progress(len(outcomes), total)
        return outcomes


class StreamProcessor:
    """Apply an async function to a stream as it comes.

    Args:
        max_buffer: most items taken from the stream whose results the consumer has not taken yet.
    """

    def __init__(self, max_buffer: int = 100) -> None:
        if max_buffer < 1:
            raise ConfigError(f"max_buffer must be at least 1, not {max_buffer}")
        self._max_buffer = max_buffer

    async def map_stream(
        self,
        stream: AsyncIterator[T],
        function: Callable[[T], Awaitable[U]],
        concurrency: int = 10,
        *,
        ordered: bool = False,
    ) -> AsyncGenerator[U, None]:
        """Yield the results of *function* over *stream*, up to *concurrency* calls under way at once.

        The stream is read only as fast as results are taken. An error of the stream or of the function ends
        the iteration with that error; then, as when the consumer stops early or is cancelled, every task is
        cancelled and awaited.

        Args:
            stream: read by one task, one item at a time.
            function: called once for each item.
            concurrency: most calls at once.
            ordered: results in the order of the stream, instead of as they come.
        """
        slots = asyncio.Semaphore(self._max_buffer)  # taken for each item, given back with its result
        gate = asyncio.Semaphore(concurrency)
        ready: asyncio.Queue[asyncio.Task[U] | None] = asyncio.Queue()  # None: the stream has ended
        tasks: set[asyncio.Task[U]] = set()

        async def call(item: T) -> U:
            async with gate:
                return await function(item)

        async def feed() -> int:
            fed = 0
            async for item in stream:
                await slots.acquire()
                task = asyncio.create_task(call(item))
                tasks.add(task)
                fed += 1
                if ordered:
                    ready.put_nowait(task)
                else:
                    task.add_done_callback(ready.put_nowait)
            return fed

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
            await _cancel({feeder, *tasks})


async def run_to_completion(write: Coroutine[Any, Any, None]) -> None:
    """Await *write*; whoever is cancelled meanwhile ends when it has.

    A write that is under way cannot be called back, be it in a thread or on a server. Were it left behind,
    the lease would be given back before it takes effect, and it might undo what the next writer does.
    """
    context = asyncio.ensure_future(write)
    try:
        await asyncio.shield(context)
    except asyncio.CancelledError:
        await asyncio.wait([context])
        if not context.cancelled():
            context.exception()  # it ends with the cancellation, whatever became of the write
        raise


class _Rate:
    """At most so many starts per second, evenly spaced, whoever asks. It belongs to no event loop."""

    def __init__(self, per_second: float) -> None:
        self._interval = 1 / per_second
        self._next = 0.0

    async def wait(self) -> None:
        now = asyncio.get_running_loop().time()
        turn = max(now, self._next)
        self._next = turn + self._interval
        if turn > now:
            await asyncio.sleep(turn - now)


async def _each(items: Iterable[T]) -> AsyncIterator[T]:
    for item in items:
        yield item


async def _cancel(tasks: Iterable[asyncio.Task[Any]]) -> None:
    """Cancel *tasks* and wait until each has ended; what they raised is of no interest any more."""
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)
