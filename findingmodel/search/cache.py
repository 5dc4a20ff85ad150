"""QueryCache: keep answers for some time, in memory and, for short-lived processes, also on disk."""

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

T = TypeVar("T")
P = ParamSpec("P")


class CacheStatistics(NamedTuple):
    """How often a cache had an answer.

    Attributes:
        hits: answers from memory.
        tier_hits: answers from the second tier.
        shared: answers of an equal computation that was running already.
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
        """The share of answers that were not computed; 0.0 before the first.

        >>> CacheStatistics(hits=3, misses=1).hit_rate
        0.75
        """
        spared = self.hits + self.tier_hits + self.shared
        return spared / (spared + self.misses) if spared else 0.0


class CacheTier(Protocol):
    """A slower, lasting cache beneath the one in memory: texts by key, each with a tag."""

    def get(self, key: str) -> str | None:
        """Return the text of *key*; None if there is none, or if it is too old."""
        ...

    def put(self, key: str, tag: str, text: str, *, ttl_seconds: float) -> None:
        """Keep *text* for *key*."""
        ...

    def drop(self, tag: str | None = None) -> None:
        """Drop the texts with this *tag*; all if it is None."""
        ...


class Codec(NamedTuple, Generic[T]):
    """Writes a value as text for a `CacheTier`, and reads it."""

    encode: Callable[[T], str]
    decode: Callable[[str], T]


class _Item(NamedTuple):
    expires: float
    tag: str
    value: Any


class QueryCache:
    """A cache of answers that drops the least recently used and the too old, and computes equal ones once.

    All callers get the same value, so keep values that cannot be changed, such as tuples and frozen models.
    An answer holds for one state of the index: make its generation (`Freshness`) a part of the key.

    Args:
        capacity: most answers kept in memory.
        ttl_seconds: how long an answer is kept.
        clock: returns monotonic seconds.
        tier: keeps answers when the process ends; the `repr` of its keys must be the same in every process.

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
        self._items: OrderedDict[Hashable, _Item] = OrderedDict()
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
        """Return the answer of *key*, or else what *compute* returns, and keep that.

        Errors are not kept. With a *codec* the answer is also kept in the second tier.
        """
        item = self._items.get(key)
        if item is not None and self._clock() < item.expires:
            self._items.move_to_end(key)
            self._counted["hits"] += 1
            return cast("T", item.value)
        if item is not None:
            del self._items[key]
            self._counted["expirations"] += 1
        computed = False

        async def from_tier_or_computed() -> T:
            nonlocal computed
            computed = True
            return await self._from_tier(key, compute, tag, codec)

        value = await self._flight.share(key, from_tier_or_computed)
        if not computed:
            self._counted["shared"] += 1
        return value

    def invalidate(self, tag: str | None = None) -> None:
        """Drop all answers, or those with this *tag*; answers that are being computed are not kept either."""
        self._epoch += 1
        for key in [key for key, item in self._items.items() if tag is None or item.tag == tag]:
            del self._items[key]
        if self._tier is not None:
            self._tier.drop(tag)

    @property
    def statistics(self) -> CacheStatistics:
        """How often the cache had an answer so far."""
        return CacheStatistics(**{**self._counted, "size": len(self._items)})

    async def _from_tier(
        self, key: Hashable, compute: Callable[[], Awaitable[T]], tag: str, codec: Codec[T] | None
    ) -> T:
        """Return the answer of the second tier, or compute it."""
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
        self._items[key] = _Item(self._clock() + self._ttl_seconds, tag, value)
        self._items.move_to_end(key)
        while len(self._items) > self._capacity:
            self._items.popitem(last=False)
            self._counted["evictions"] += 1


class Freshness:
    """The index generation, read at most once in *max_age_seconds*.

    An answer that is kept by generation misses only updates that finished within these seconds.

    Args:
        read: reads the generation, as `Store.generation` does.
        max_age_seconds: for how long the generation is not read again; 0 reads it each time.
        clock: returns monotonic seconds.
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
        """Read the generation next time: this process has changed the index. A read under way is outdated."""
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
    """Decorate an async function so that *cache* keeps what it returns, by its arguments.

    All arguments must be hashable. The function's module and name are part of the key.

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
