"""Timer: the interface through which pipelines report their stages.

`findingmodel.observe.metrics.PerformanceMonitor.measure` is a Timer. The default, `untimed`, measures nothing
and costs a function call.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType


class Span(Protocol):
    """A running stage, used as a ``with`` or ``async with`` block.

    Attributes:
        items: the number of items it processes; may be set within the block.
    """

    items: int

    def __enter__(self) -> Span:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """End; with an *error*, the stage has failed. The error is not suppressed."""
        ...

    async def __aenter__(self) -> Span:
        """Begin."""
        ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """End."""
        ...


class Timer(Protocol):
    """A function that returns the span of a stage."""

    def __call__(self, stage: str, /, items: int = 1) -> Span:
        """Return the span of *stage*, which processes *items* items."""
        ...


class _NoSpan:
    """A span that measures nothing; it is shared, so it ignores changes of ``items``."""

    __slots__ = ()

    @property
    def items(self) -> int:
        return 1

    @items.setter
    def items(self, count: int) -> None:
        pass

    def __enter__(self) -> Span:
        return self

    def __exit__(self, *error: object) -> None:
        pass

    async def __aenter__(self) -> Span:
        return self

    async def __aexit__(self, *error: object) -> None:
        pass


NO_SPAN: Span = _NoSpan()
"""The span of `untimed`."""


def untimed(_stage: str, /, items: int = 1) -> Span:
    """Measure nothing.

    >>> with untimed("sync.load", items=50) as span:
    ...     span.items = 49
    """
    return NO_SPAN
