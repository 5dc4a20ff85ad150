"""SingleFlight: run one of several equal concurrent computations, and share its result."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Awaitable, Callable, Hashable

T = TypeVar("T")


class SingleFlight:
    """The running computations of an event loop, by key.

    asyncio is imported when a caller has to wait for another one, so never without an event loop.
    """

    def __init__(self) -> None:
        self._waiting: dict[Hashable, list[asyncio.Future[Any]]] = {}

    async def share(self, key: Hashable, compute: Callable[[], Awaitable[T]]) -> T:
        """Return the result of *compute*, or of a running computation with the same *key*.

        All callers get its error. If the computing caller is cancelled, a waiting one computes instead.
        """
        while key in self._waiting:
            is_done, result = await self._join(key)
            if is_done:
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
        """Raise *error* in the waiting callers; after a cancellation, they try again."""
        for future in self._waiting.pop(key):
            if not future.done():
                if isinstance(error, Exception):
                    future.set_exception(error)
                else:
                    future.set_result((False, None))
