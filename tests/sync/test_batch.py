"""BatchProcessor and StreamProcessor: concurrency with a bound, and nothing left behind."""

from __future__ import annotations

import asyncio
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import ConfigError
from findingmodel.sync.batch import BatchProcessor, StreamProcessor

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Gauge:
    """A function to be applied, that knows how many calls of it are under way."""

    def __init__(self) -> None:
        self.now = self.most = self.begun = 0

    async def __call__(self, number: int) -> int:
        self.begun += 1
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            for _ in range(number % 3 + 1):
                await asyncio.sleep(0)
            if number == 13:
                raise ValueError("unlucky")
        finally:
            self.now -= 1
        return 2 * number


async def stream(count: int, taken: list[int] | None = None) -> AsyncIterator[int]:
    for number in range(count):
        if taken is not None:
            taken.append(number)
        yield number


def others() -> set[asyncio.Task[object]]:
    return asyncio.all_tasks() - {asyncio.current_task()}  # type: ignore[arg-type]


async def test_each_item_has_its_outcome_in_order_and_one_bad_item_stops_no_other() -> None:
    gauge, seen = Gauge(), []
    outcomes = await BatchProcessor(4, batch_size=8).process(
        range(30), gauge, progress=lambda done, total: seen.append((done, total))
    )
    assert [outcome.item for outcome in outcomes] == list(range(30))
    assert [outcome.value for outcome in outcomes if outcome.ok] == [2 * n for n in range(30) if n != 13]
    with pytest.raises(ValueError, match="unlucky"):
        outcomes[13].unwrap()
    assert outcomes[7].unwrap() == 14
    assert gauge.most == 4
    assert seen == [(done, 30) for done in range(1, 31)]


async def test_none_is_a_value() -> None:
    async def nothing(_: int) -> None:
        return None

    (outcome,) = await BatchProcessor().process(iter([1]), nothing)
    assert outcome.ok
    assert outcome.unwrap() is None


async def test_a_rate_spaces_the_starts_evenly() -> None:
    loop, starts = asyncio.get_running_loop(), []

    async def note(_: int) -> None:
        starts.append(loop.time())

    await BatchProcessor(10, rate_limit=200).process(range(5), note)
    assert starts[-1] - starts[0] >= 4 / 200 * 0.9


@pytest.mark.parametrize("bounds", [(0, 1, None), (1, 0, None), (1, 1, 0)])
def test_bounds_must_be_positive(bounds: tuple[int, int, float | None]) -> None:
    with pytest.raises(ConfigError, match="must be at least 1"):
        BatchProcessor(*bounds)


def test_a_buffer_holds_something() -> None:
    with pytest.raises(ConfigError, match="max_buffer"):
        StreamProcessor(0)


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_stream_is_mapped_whole(ordered: bool) -> None:
    gauge = Gauge()
    found = [value async for value in StreamProcessor(5).map_stream(stream(12), gauge, 3, ordered=ordered)]
    assert sorted(found) == [2 * n for n in range(12)]
    assert ordered == (found == sorted(found)) or not ordered
    assert gauge.most == 3
    assert not others()


async def test_a_stream_is_read_no_further_than_the_buffer() -> None:
    taken: list[int] = []
    async with aclosing(StreamProcessor(4).map_stream(stream(100, taken), Gauge(), 2)) as results:
        await anext(results)
        for _ in range(50):
            await asyncio.sleep(0)
        assert len(taken) <= 6
    assert not others()


async def drain(numbers: AsyncIterator[int]) -> None:
    async with aclosing(StreamProcessor(9).map_stream(numbers, Gauge(), 4)) as results:
        async for _ in results:
            pass


async def test_an_error_of_the_function_ends_the_stream_and_every_task() -> None:
    with pytest.raises(ValueError, match="unlucky"):
        await drain(stream(100))
    assert not others()


async def test_an_error_of_the_stream_ends_it_after_what_came_before() -> None:
    async def broken() -> AsyncIterator[int]:
        yield 1
        raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await drain(broken())
    assert not others()


async def test_cancellation_leaves_no_task_behind() -> None:
    begun = asyncio.Event()

    async def wait(_: int) -> None:
        begun.set()
        await asyncio.Event().wait()

    task = asyncio.create_task(BatchProcessor(3).process(range(9), wait))
    await begun.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert not others()
