"""Flight: of equal computations that are asked for at the same time, one is run and all get its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Hashable

__all__ = ["SingleFlight"]

T = TypeVar("T")


class SingleFlight:
    """Computations under way in one event loop, by key.

    asyncio is imported only where a second caller comes while the first is waiting, so not where nothing ever
    waits.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, list[asyncio.Future[Any]]] = {}

    async def share(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """Return the result of *compute*, or of an equal computation that is under way.

        Its error is everyone's error. If the one who computes is cancelled, one of those who wait computes
        instead.
        """
        while key in self._waiting:
            landed, result = await self._join(key)
            if landed:
                return cast("T", result)
        self._waiting[key] = []
        try:
            computed = await compute()
        except BaseException as error:
            self._fail(key, error)
            raise
        for future in self._waiting.pop(key):
            if not future.done():
                future.set_result((True, computed))
        return computed

    async def _join(self, key: Hashable) -> tuple[bool, Any]:
        import asyncio

        future: asyncio.Future[tuple[bool, Any]] = asyncio.get_running_loop().create_future()
        self._waiting[key].append(future)
        return await future

    def _fail(self, key: Hashable, error: BaseException) -> None:
        """Pass *error* on, but for a cancellation: that is the caller's alone, and the others try again."""
        for future in self._waiting.pop(key):
            if not future.done():
                if isinstance(error, Exception):
                    future.set_exception(error)
                else:
                    future.set_result((False, None))
