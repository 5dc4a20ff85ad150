"""QueryCache: answers kept for a while, in memory and, for short-lived processes, also on disk."""

from __future__ import annotations

import time
from collections import OrderedDict
from functools import partial, wraps
from typing import TYPE_CHECKING, Any, Generic, NamedTuple, ParamSpec, Protocol, TypeVar, cast

from findingmodel.errors import ConfigError
from findingmodel.limits import CACHE_SIZE, CACHE_TTL_SECONDS
from findingmodel.runtime.single_flight import SingleFlight

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

__all__ = ["CacheStatistics", "CacheTier", "Codec", "Freshness", "QueryCache", "cached"]

T = TypeVar("T")
P = ParamSpec("P")


class CacheStatistics(NamedTuple):
    """What a cache did so far.

    Attributes:
        hits: answers given from memory.
        tier_hits: answers given from the second tier.
        shared: answers of an equal computation that was under way.
        misses: answers computed.
        evictions: answers dropped because the cache was full.
        expirations: answers dropped because they were too old.
        size: answers in memory now.
    """

    hits: int = 0
    tier_hits: int = 0
    shared: int = 0
    misses: int = 0
    evictions: int = 0
    expirations: int = 0
    size: int = 0

    @property
    def hit_rate(self) -> float:
        """The share of answers that were not computed; 0.0 if none was asked for.

        >>> CacheStatistics(hits=3, misses=1).hit_rate
        0.75
        """
        spared = self.hits + self.tier_hits + self.shared
        return spared / (spared + self.misses) if spared else 0.0


class CacheTier(Protocol):
    """A slower, lasting cache behind the one in memory; texts by key, each with a tag to drop it by."""

    def get(self, key: str) -> str | None:
        """Return the text kept for *key*, unless it is too old."""
        ...

    def put(self, key: str, tag: str, text: str, *, ttl_seconds: float) -> None:
        """Keep *text* for *key*."""
        ...

    def drop(self, tag: str | None = None) -> None:
        """Forget what has this *tag*; everything if it is None."""
        ...


class Codec(NamedTuple, Generic[T]):
    """How a value is written for a `CacheTier`, and read again."""

    encode: Callable[[T], str]
    decode: Callable[[str], T]


class _Kept(NamedTuple):
    expires: float
    tag: str
    value: Any


class QueryCache:
    """Answers by key: least recently used first out, too old out, equal computations run once.

    Values are shared by all who ask: keep values that cannot be changed, such as tuples and frozen models. An
    answer belongs to the state of the index that its key names, so put the index generation (`Freshness`)
    into the key.

    Args:
        capacity: most answers kept in memory.
        ttl_seconds: how long an answer is kept.
        clock: seconds, growing; `time.monotonic` or a test's own.
        tier: where answers outlive the process; used for keys whose `repr` is the same in every process.

    Raises:
        ConfigError: *capacity* or *ttl_seconds* is not positive.
    """

    def __init__(
        self,
        *,
        capacity: int = CACHE_SIZE,
        ttl_seconds: float = CACHE_TTL_SECONDS,
        clock: Callable[[], float] = time.monotonic,
        tier: CacheTier | None = None,
    ) -> None:
        if capacity < 1 or ttl_seconds <= 0:
            raise ConfigError(
                f"a cache of {capacity} answers for {ttl_seconds} s: both must be greater than zero"
            )
        self._capacity = capacity
        self._ttl_seconds = ttl_seconds
        self._clock = clock
        self._tier = tier
        self._kept: OrderedDict[Hashable, _Kept] = OrderedDict()
        self._flight = SingleFlight()
        self._epoch = 0
        self._counted = dict.fromkeys(CacheStatistics._fields, 0)

    async def get(
        self,
        key: Hashable,
        compute: Callable[[], Awaitable[T]],
        *,
        tag: str = "",
        codec: Codec[T] | None = None,
    ) -> T:
        """Return the answer kept for *key*, or what *compute* returns, which is then kept.

        Errors are not kept. With a *codec* the answer is kept in the second tier too.
        """
        kept = self._kept.get(key)
        if kept is not None and self._clock() < kept.expires:
            self._kept.move_to_end(key)
            self._counted["hits"] += 1
            return cast("T", kept.value)
        if kept is not None:
            del self._kept[key]
            self._counted["expirations"] += 1
        computed = False

        async def look_behind() -> T:
            nonlocal computed
            computed = True
            return await self._behind(key, compute, tag, codec)

        value = await self._flight.share(key, look_behind)
        if not computed:
            self._counted["shared"] += 1
        return value

    def invalidate(self, tag: str | None = None) -> None:
        """Forget all answers, or those with this *tag*; what is being computed now is not kept either."""
        self._epoch += 1
        for key in [key for key, kept in self._kept.items() if tag is None or kept.tag == tag]:
            del self._kept[key]
        if self._tier is not None:
            self._tier.drop(tag)

    @property
    def statistics(self) -> CacheStatistics:
        """What the cache did so far."""
        return CacheStatistics(**{**self._counted, "size": len(self._kept)})

    async def _behind(
        self, key: Hashable, compute: Callable[[], Awaitable[T]], tag: str, codec: Codec[T] | None
    ) -> T:
        """Return the answer of the second tier, or a new one."""
        epoch = self._epoch
        tier = self._tier if codec is not None else None
        text = tier.get(repr(key)) if tier is not None else None
        if text is not None and codec is not None:
            value = codec.decode(text)
            self._counted["tier_hits"] += 1
        else:
            value = await compute()
            self._counted["misses"] += 1
        if epoch == self._epoch:
            self._keep(key, tag, value)
            if text is None and tier is not None and codec is not None:
                tier.put(repr(key), tag, codec.encode(value), ttl_seconds=self._ttl_seconds)
        return value

    def _keep(self, key: Hashable, tag: str, value: object) -> None:
        self._kept[key] = _Kept(self._clock() + self._ttl_seconds, tag, value)
        self._kept.move_to_end(key)
        while len(self._kept) > self._capacity:
            self._kept.popitem(last=False)
            self._counted["evictions"] += 1


class Freshness:
    """The index generation, asked for at most once in *max_age_seconds*; 0 asks always.

    An answer kept by generation is then never older than the last update that was finished so many seconds
    ago.

    Args:
        read: asks the store, as `Store.generation` does.
        max_age_seconds: how long to believe the answer.
        clock: seconds, growing.
    """

    def __init__(
        self,
        read: Callable[[], Awaitable[int]],
        *,
        max_age_seconds: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._max_age_seconds = max_age_seconds
        self._clock = clock
        self._known = 0
        self._until = float("-inf")
        self._epoch = 0
        self._flight = SingleFlight()

    async def generation(self) -> int:
        """Return the generation."""
        if not self._max_age_seconds:
            return await self._read()
        if self._clock() < self._until:
            return self._known
        epoch = self._epoch
        generation: int = await self._flight.share(epoch, partial(self._ask, epoch))
        return generation

    def forget(self) -> None:
        """Ask again next time: this process has just changed the index. An answer under way is too old."""
        self._until = float("-inf")
        self._epoch += 1

    async def _ask(self, epoch: int) -> int:
        asked = self._clock()
        generation = await self._read()
        if epoch == self._epoch:
            self._known, self._until = generation, asked + self._max_age_seconds
        return generation


def cached(
    cache: QueryCache, *, tag: str = "", codec: Codec[Any] | None = None
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """Return a decorator that keeps in *cache* what an async function returns, by its arguments.

    All arguments must be hashable. The function's name and module are part of the key.

    >>> from findingmodel.runtime.run_without_loop import run_without_loop
    >>> cache = QueryCache()
    >>> @cached(cache)
    ... async def double(number):
    ...     return 2 * number
    >>> run_without_loop(double(4)), run_without_loop(double(4)), cache.statistics.hits
    (8, 8, 1)
    """

    def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        name = f"{function.__module__}.{function.__qualname__}"

        @wraps(function)
        async def answer(*args: P.args, **kwargs: P.kwargs) -> T:
            key = (name, args, tuple(sorted(kwargs.items())))
            return await cache.get(key, lambda: function(*args, **kwargs), tag=tag, codec=codec)

        return answer

    return decorate
