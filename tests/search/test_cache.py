from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.errors import ConfigError, StoreUnavailableError
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.cache import Codec, Freshness, QueryCache, cached
from findingmodel.stores.sqlite.cache import SQLiteTier

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TEXTS = Codec[str](encode=str, decode=str)


class Clock:
    """A clock that the test advances."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


class Source:
    """Computes values, and counts how often."""

    def __init__(self, value: object = "answer") -> None:
        self.value = value
        self.calls = 0

    async def __call__(self) -> object:
        self.calls += 1
        await asyncio.sleep(0)
        return self.value


async def test_an_answer_is_computed_once() -> None:
    cache, source = QueryCache(), Source()
    assert [await cache.get("key", source) for _ in range(3)] == ["answer"] * 3
    assert source.calls == 1
    assert cache.statistics[:4] == (2, 0, 0, 1)
    assert cache.statistics.hit_rate == pytest.approx(2 / 3)


@pytest.mark.parametrize("value", [(), None, 0, ""])
async def test_an_empty_answer_is_an_answer(value: object) -> None:
    cache, source = QueryCache(), Source(value)
    assert [await cache.get("key", source) for _ in range(2)] == [value, value]
    assert source.calls == 1


async def test_an_answer_expires_after_its_time() -> None:
    clock = Clock()
    cache, source = QueryCache(ttl_seconds=10, clock=clock), Source()
    await cache.get("key", source)
    clock.now += 9.9
    await cache.get("key", source)
    assert source.calls == 1
    clock.now += 0.2
    await cache.get("key", source)
    assert source.calls == 2
    assert cache.statistics.expirations == 1


async def test_the_least_recently_used_answer_is_evicted_first() -> None:
    cache, source = QueryCache(capacity=2), Source()
    for key in ("a", "b", "a", "c"):
        await cache.get(key, source)
    assert (source.calls, cache.statistics.evictions, cache.statistics.size) == (3, 1, 2)
    await cache.get("a", source)
    assert source.calls == 3
    await cache.get("b", source)
    assert source.calls == 4


@given(st.lists(st.integers(0, 8), max_size=60), st.integers(1, 5))
def test_a_cache_never_holds_more_than_its_capacity(keys: list[int], capacity: int) -> None:
    async def value() -> int:
        return key

    cache = QueryCache(capacity=capacity)
    for key in keys:
        assert run_without_loop(cache.get(key, value)) == key
    statistics = cache.statistics
    assert statistics.size <= capacity
    assert statistics.hits + statistics.misses == len(keys)
    assert statistics.misses - statistics.evictions == statistics.size


async def test_equal_computations_that_run_at_once_are_shared() -> None:
    cache, source = QueryCache(), Source()
    answers = await asyncio.gather(*(cache.get("key", source) for _ in range(20)))
    assert answers == ["answer"] * 20
    assert source.calls == 1
    assert cache.statistics.shared == 19


async def test_an_error_reaches_all_callers_and_is_not_kept() -> None:
    async def fail() -> None:
        await asyncio.sleep(0)
        raise StoreUnavailableError("gone")

    cache, source = QueryCache(), Source()
    failed = await asyncio.gather(*(cache.get("key", fail) for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in failed] == [StoreUnavailableError] * 3
    assert await cache.get("key", source) == "answer"


async def test_a_waiting_caller_computes_if_the_first_is_cancelled() -> None:
    cache, source = QueryCache(), Source()
    first = asyncio.create_task(cache.get("key", lambda: asyncio.sleep(3_600)))
    await asyncio.sleep(0)
    second = asyncio.create_task(cache.get("key", source))
    await asyncio.sleep(0)
    first.cancel()
    assert await second == "answer"
    assert first.cancelled() or first.cancelling()


async def test_a_waiting_caller_is_cancelled_alone() -> None:
    cache, source = QueryCache(), Source()
    first = asyncio.create_task(cache.get("key", source))
    await asyncio.sleep(0)
    second = asyncio.create_task(cache.get("key", source))
    await asyncio.sleep(0)
    second.cancel()
    assert await first == "answer"


async def test_invalidation_drops_a_tag_or_all() -> None:
    cache, source = QueryCache(), Source()
    await cache.get("a", source, tag="main")
    await cache.get("b", source, tag="draft")
    cache.invalidate("main")
    await cache.get("b", source, tag="draft")
    assert source.calls == 2
    cache.invalidate()
    assert cache.statistics.size == 0


async def test_an_answer_computed_during_an_invalidation_is_not_kept() -> None:
    cache, source = QueryCache(), Source()
    under_way = asyncio.create_task(cache.get("key", source))
    await asyncio.sleep(0)
    cache.invalidate()
    assert await under_way == "answer"
    assert cache.statistics.size == 0


@pytest.mark.parametrize(("capacity", "ttl_seconds"), [(0, 1.0), (1, 0.0), (-1, -1.0)])
def test_a_cache_without_capacity_or_time_is_an_error(capacity: int, ttl_seconds: float) -> None:
    with pytest.raises(ConfigError, match="greater than zero"):
        QueryCache(capacity=capacity, ttl_seconds=ttl_seconds)


def test_the_hit_rate_before_the_first_answer_is_zero() -> None:
    assert QueryCache().statistics.hit_rate == 0.0


async def test_a_decorated_function_is_called_once_for_equal_arguments() -> None:
    calls = []

    @cached(QueryCache())
    async def add(one: int, *, other: int = 1) -> int:
        calls.append((one, other))
        return one + other

    assert [await add(1), await add(1), await add(1, other=2), await add(2)] == [2, 2, 3, 3]
    assert calls == [(1, 1), (1, 2), (2, 1)]
    assert add.__name__ == "add"


async def test_the_generation_is_read_at_most_once_in_its_time() -> None:
    clock, source = Clock(), Source(7)
    fresh = Freshness(source, max_age_seconds=1.0, clock=clock)
    assert [await fresh.generation() for _ in range(3)] == [7, 7, 7]
    assert source.calls == 1
    source.value = 8
    clock.now += 1.0
    assert await fresh.generation() == 8
    fresh.forget()
    await fresh.generation()
    assert source.calls == 3


class Slow:
    """A store whose answers the test controls."""

    def __init__(self) -> None:
        self.asked: list[asyncio.Future[int]] = []

    async def __call__(self) -> int:
        self.asked.append(asyncio.get_running_loop().create_future())
        return await self.asked[-1]


async def until(condition: Callable[[], object]) -> None:
    while not condition():  # noqa: ASYNC110  # nothing signals it
        await asyncio.sleep(0)


async def test_a_generation_read_while_the_index_changed_is_not_used() -> None:
    store = Slow()
    fresh = Freshness(store, max_age_seconds=1_000.0)
    before = asyncio.create_task(fresh.generation())
    await until(lambda: len(store.asked) == 1)
    fresh.forget()
    after = asyncio.create_task(fresh.generation())
    await until(lambda: len(store.asked) == 2)
    store.asked[1].set_result(8)
    assert await after == 8
    store.asked[0].set_result(7)
    assert await before == 7
    assert await fresh.generation() == 8
    assert len(store.asked) == 2


async def test_a_generation_of_age_zero_is_read_each_time() -> None:
    source = Source(1)
    fresh = Freshness(source, max_age_seconds=0)
    assert [await fresh.generation(), await fresh.generation()] == [1, 1]
    assert source.calls == 2


# the second tier


async def test_answers_in_the_second_tier_outlive_the_process(tmp_path: Path) -> None:
    source = Source()
    for _ in range(2):
        tier = SQLiteTier(tmp_path / "deep" / "cache.db")
        cache = QueryCache(tier=tier)
        assert await cache.get(("key", 1), source, codec=TEXTS) == "answer"
        tier.close()
    assert source.calls == 1
    assert cache.statistics.tier_hits == 1


async def test_answers_without_a_codec_stay_in_memory(tmp_path: Path) -> None:
    cache = QueryCache(tier=SQLiteTier(tmp_path / "cache.db"))
    await cache.get("key", Source())
    assert not (tmp_path / "cache.db").exists()


async def test_invalidation_reaches_the_second_tier(tmp_path: Path) -> None:
    source, tier = Source(), SQLiteTier(tmp_path / "cache.db")
    cache = QueryCache(tier=tier)
    cache.invalidate()
    await cache.get("key", source, tag="main", codec=TEXTS)
    cache.invalidate("other")
    assert tier.get(repr("key")) == "answer"
    cache.invalidate("main")
    assert tier.get(repr("key")) is None
    tier.close()


def test_the_second_tier_drops_old_answers(tmp_path: Path) -> None:
    clock = Clock()
    tier = SQLiteTier(tmp_path / "cache.db", clock=clock, most=2)
    assert tier.get("key") is None
    tier.put("key", "", "text", ttl_seconds=5)
    assert tier.get("key") == "text"
    clock.now += 5
    assert tier.get("key") is None
    for number in range(4):
        tier.put(str(number), "", "text", ttl_seconds=10 + number)
    assert [tier.get(str(number)) for number in range(4)] == [None, None, "text", "text"]
    tier.close()
    tier.close()


def test_the_second_tier_is_private_and_reports_errors(tmp_path: Path) -> None:
    path = tmp_path / "cache.db"
    tier = SQLiteTier(path)
    tier.put("key", "", "text", ttl_seconds=5)
    tier.close()
    assert path.stat().st_mode & 0o077 == 0
    path.write_bytes(b"no database" * 100)
    with pytest.raises(StoreUnavailableError, match="delete it"):
        SQLiteTier(path).get("key")
