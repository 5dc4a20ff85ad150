"""Run coroutines that never wait without an event loop.

With a store in a local file, the pipelines never suspend. Short commands run them directly and save the
import of asyncio.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Offload(Protocol):
    """The type of `inline`, `Threads` and `asyncio.to_thread`: call a function, and await its result."""

    def __call__(self, function: Callable[..., T], /, *args: Any) -> Coroutine[Any, Any, T]:
        """Return ``function(*args)`` when awaited."""
        ...


async def inline(function: Callable[..., T], /, *args: Any) -> T:
    """Return ``function(*args)``, called in this thread."""
    return function(*args)


def run_without_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of *coroutine*, which must not wait for anything.

    Raises:
        RuntimeError: the coroutine waits, so it needs an event loop.

    >>> run_without_loop(inline(max, 3, 7))
    7
    """
    try:
        coroutine.send(None)
    except StopIteration as done:
        result: T = done.value
        return result
    coroutine.close()
    raise RuntimeError("this coroutine waits for something: run it in an event loop")
