"""Timer: the seam through which the pipelines say which stage they are in. Nobody need listen.

`untimed` is what they are given unless someone measures: it hands out one span for ever, and costs no more
than a call. `findingmodel.observe.metrics.PerformanceMonitor.measure` is a Timer too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from types import TracebackType

__all__ = ["NO_SPAN", "Span", "Timer", "untimed"]


class Span(Protocol):
    """A stage under way, from the beginning of a ``with`` or ``async with`` block to its end.

    Attributes:
        items: how many items it deals with; may be set within the block.
    """

    items: int

    def __enter__(self) -> Span:
        """Begin."""
        ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None, /
    ) -> None:
        """End; the stage has failed if there is an *error*, which goes on its way."""
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
    """Returns the span of a stage that is about to begin."""

    def __call__(self, stage: str, /, items: int = 1) -> Span:
        """Return the span of *stage*, which deals with so many *items*."""
        ...


class _NoSpan:
    """A span that measures nothing; one serves everyone, so what is written to ``items`` is not kept."""

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
"""The span of those who do not measure."""


def untimed(_stage: str, /, items: int = 1) -> Span:
    """Measure nothing.

    >>> with untimed("sync.load", items=50) as span:
    ...     span.items = 49
    """
    return NO_SPAN
