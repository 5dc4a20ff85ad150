"""BatchProcessor and StreamProcessor: bounded concurrency, and no task left."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import ConfigError
from findingmodel.runtime.tasks import BatchProcessor, Outcome, StreamProcessor
from tests.update.virtual import run_in_virtual_time

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator


class Gauge:
    """A function that counts its concurrent calls."""

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
    return asyncio.all_tasks() - {asyncio.current_task()}


async def test_outcomes_are_in_order_and_a_failing_item_stops_no_other() -> None:
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


def test_a_rate_limit_spaces_the_starts_evenly_however_long_the_calls_take() -> None:
    starts: list[float] = []

    async def note(number: int) -> None:
        starts.append(asyncio.get_running_loop().time())
        await asyncio.sleep(number % 4)

    run_in_virtual_time(BatchProcessor(100, rate_limit=8).process(range(25), note))
    assert starts == [number / 8 for number in range(25)]


def test_a_rate_limit_holds_for_all_callers_and_idle_time_allows_no_burst() -> None:
    processor, starts = BatchProcessor(5, rate_limit=4), []

    async def note(_: int) -> None:
        starts.append(asyncio.get_running_loop().time())

    async def main() -> None:
        await asyncio.gather(processor.process(range(3), note), processor.process(range(3), note))
        await asyncio.sleep(100)
        await processor.process(range(3), note)

    run_in_virtual_time(main())
    assert starts[:6] == [0, 0.25, 0.5, 0.75, 1, 1.25]
    assert [start - starts[6] for start in starts[6:]] == [0, 0.25, 0.5]


def test_a_processor_can_be_used_in_several_event_loops() -> None:
    processor = BatchProcessor(3, rate_limit=1_000)
    for _ in range(2):
        outcomes = asyncio.run(processor.process(range(6), Gauge()))
        assert [outcome.value for outcome in outcomes] == [0, 2, 4, 6, 8, 10]


def test_a_slow_call_does_not_delay_other_calls() -> None:
    ends: list[tuple[float, int]] = []

    async def take(seconds: int) -> None:
        await asyncio.sleep(seconds)
        ends.append((asyncio.get_running_loop().time(), seconds))

    run_in_virtual_time(BatchProcessor(2, batch_size=100).process([100, 1, 1, 1, 1], take))
    assert ends == [(1, 1), (2, 1), (3, 1), (4, 1), (100, 100)]


async def test_a_processor_can_be_used_inside_its_own_calls() -> None:
    processor = BatchProcessor(2, batch_size=2)

    async def inner(number: int) -> int:
        outcomes = await processor.process(range(number), Gauge())
        return sum(outcome.unwrap() for outcome in outcomes)

    outcomes = await processor.process(range(6), inner)
    assert [outcome.value for outcome in outcomes] == [0, 0, 2, 6, 12, 20]


async def test_items_without_a_length_have_a_total_of_zero() -> None:
    seen: list[tuple[int, int]] = []
    await BatchProcessor().process(iter(range(3)), Gauge(), progress=lambda *args: seen.append(args))
    assert seen == [(1, 0), (2, 0), (3, 0)]


async def test_no_items_give_no_outcomes() -> None:
    assert await BatchProcessor().process([], Gauge()) == []
    assert [value async for value in StreamProcessor().map_stream(stream(0), Gauge())] == []


async def test_an_item_that_raises_differs_from_one_whose_value_is_none() -> None:
    async def fail(number: int) -> None:
        if number:
            raise KeyError(number)

    fine, failed = await BatchProcessor().process([0, 1], fail)
    assert fine == Outcome(0, value=None)
    assert fine.ok
    assert (failed.item, failed.value, failed.ok) == (1, None, False)
    assert isinstance(failed.error, KeyError)


async def test_an_error_of_the_items_or_of_the_callback_ends_all_and_leaves_no_task() -> None:
    def broken() -> Iterator[int]:
        yield from range(5)
        raise OSError("gone")

    def complain(done: int, _: int) -> None:
        raise RuntimeError(f"after {done}")

    with pytest.raises(OSError, match="gone"):
        await BatchProcessor(2).process(broken(), Gauge())
    assert not others()
    with pytest.raises(RuntimeError, match="after 1"):
        await BatchProcessor(2).process(range(9), Gauge(), progress=complain)
    assert not others()


@pytest.mark.parametrize("bounds", [(0, 1, None), (1, 0, None), (1, 1, 0)])
def test_bounds_must_be_positive(bounds: tuple[int, int, float | None]) -> None:
    with pytest.raises(ConfigError, match="must be at least 1"):
        BatchProcessor(*bounds)


def test_max_buffer_must_be_positive() -> None:
    with pytest.raises(ConfigError, match="max_buffer"):
        StreamProcessor(0)


@pytest.mark.parametrize("ordered", [True, False])
async def test_every_item_of_a_stream_is_mapped(ordered: bool) -> None:
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


def test_results_are_yielded_as_they_are_ready_or_in_order() -> None:
    async def take(seconds: int) -> int:
        await asyncio.sleep(seconds)
        return seconds

    async def main(*, ordered: bool) -> list[int]:
        async def three() -> AsyncIterator[int]:
            for seconds in (3, 1, 2):
                yield seconds

        mapped = StreamProcessor().map_stream(three(), take, 3, ordered=ordered)
        return [seconds async for seconds in mapped]

    assert run_in_virtual_time(main(ordered=False)) == [1, 2, 3]
    assert run_in_virtual_time(main(ordered=True)) == [3, 1, 2]


@pytest.mark.parametrize("ordered", [True, False])
def test_calls_run_concurrently(ordered: bool) -> None:
    async def take(number: int) -> int:
        await asyncio.sleep(1)
        return number

    async def main() -> float:
        async with aclosing(StreamProcessor(50).map_stream(stream(40), take, 10, ordered=ordered)) as results:
            assert sorted([number async for number in results]) == list(range(40))
        return asyncio.get_running_loop().time()

    assert run_in_virtual_time(main()) == 4


@pytest.mark.parametrize("ordered", [True, False])
async def test_a_consumer_that_stops_early_leaves_no_task_and_no_call(ordered: bool) -> None:
    gauge = Gauge()
    async with aclosing(StreamProcessor(6).map_stream(stream(99), gauge, 3, ordered=ordered)) as results:
        async for _ in results:
            break
    assert gauge.now == 0
    assert gauge.begun <= 1 + 6
    assert not others()


async def test_a_stream_that_never_ends_does_not_delay_results() -> None:
    async def endless() -> AsyncIterator[int]:
        yield 1
        await asyncio.Event().wait()

    async with aclosing(StreamProcessor().map_stream(endless(), Gauge(), 2, ordered=True)) as results:
        assert await anext(results) == 2
    assert not others()


@pytest.mark.parametrize("ordered", [True, False])
async def test_one_of_several_errors_is_raised_and_the_others_are_not_logged(ordered: bool) -> None:
    complaints: list[object] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: complaints.append(context))

    async def fail(number: int) -> None:
        await asyncio.sleep(0)
        raise ValueError(number)

    async with aclosing(StreamProcessor().map_stream(stream(5), fail, 5, ordered=ordered)) as results:
        with pytest.raises(ValueError, match="0"):
            await anext(results)
    del results
    gc.collect()
    assert complaints == []
    assert not others()
