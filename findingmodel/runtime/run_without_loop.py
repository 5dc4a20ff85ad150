"""run_without_loop: run a coroutine that never waits, without an event loop.

A store on a local file answers at once, so the pipelines that use it never suspend. A command of one shot can
then drive them directly and need not import asyncio, which takes longer than the command itself.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["Offload", "run_without_loop", "inline"]

T = TypeVar("T")


class Offload(Protocol):
    """The type of `inline` and of `asyncio.to_thread`: call a function somewhere, and await its result."""

    def __call__(self, function: Callable[..., T], /, *args: Any) -> Coroutine[Any, Any, T]:
        """Return ``function(*args)`` when awaited."""
        ...


async def inline(function: Callable[..., T], /, *args: Any) -> T:
    """Return ``function(*args)``, called here and now."""
    return function(*args)


def run_without_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Return the result of *coroutine*, which must never wait for anything.

    Raises:
        RuntimeError: it did wait; it needs an event loop.

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
