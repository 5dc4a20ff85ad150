"""Blocking: an index for code that is not asynchronous; it waits for the thread that the index lives in."""

from __future__ import annotations

import contextlib
import contextvars
import functools
import threading
import weakref
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar

from findingmodel.errors import StoreClosedError
from findingmodel.index.session import IndexSession
from findingmodel.runtime.threads import BackgroundLoop

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
    from contextlib import AbstractAsyncContextManager
    from types import TracebackType
    from typing import Self

    from findingmodel.search.cache import CacheStatistics

__all__ = ["Blocking", "blocking"]

P = ParamSpec("P")
T = TypeVar("T")
I = TypeVar("I", bound=IndexSession)  # noqa: E741

_ENTRIES_AT_ONCE = 500


def blocking(
    method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]],
) -> Callable[Concatenate[Blocking[Any], P], T]:
    """Return *method* of an index as one that waits for the answer, with its arguments and its docstring."""

    @functools.wraps(method)
    def wait(self: Blocking[Any], /, *args: P.args, **kwargs: P.kwargs) -> T:
        return self._wait(method, *args, **kwargs)

    return wait


class Blocking(Generic[I]):
    """What `findingmodel.SyncIndex` is made of: the thread, the opening and the closing."""

    def __init__(self, index: I) -> None:
        self._index = index
        self._lock = threading.Lock()
        self._loop: BackgroundLoop | None = None
        self._is_closed = False
        self._own = threading.local()  # each thread may be in a transaction of its own
        self._at_exit: weakref.finalize[..., Any] | None = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._index!r})"

    @property
    def label(self) -> str:
        """The database as a user may see it: its URL, never with a password."""
        return self._index.label

    @property
    def cache_statistics(self) -> CacheStatistics:
        """What the cache of searches did so far."""
        return self._index.cache_statistics

    def invalidate_cache(self) -> None:
        """Forget what searches found, and look at the index anew.

        Seldom needed: an update by any process is seen within a second.
        """

        async def invalidate(index: IndexSession) -> None:
            index.invalidate_cache()

        self._wait(invalidate)

    # life

    def __enter__(self) -> Self:
        try:
            self._wait(type(self._index).__aenter__)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the database, for good, and end the thread; twice is fine."""
        with self._lock:
            self._is_closed = True
            loop, self._loop = self._loop, None
        if loop is None:
            return
        try:
            loop.run(self._index.close())
        finally:
            if self._at_exit is not None:
                self._at_exit.detach()
            loop.stop()

    def _open_loop(self) -> BackgroundLoop:
        with self._lock:
            if self._is_closed:
                raise StoreClosedError(f"{self.label} was closed")
            if self._loop is None:
                self._loop = BackgroundLoop(f"the thread of {self.label}")
                self._at_exit = weakref.finalize(self, _end, self._index, self._loop)
            return self._loop

    # waiting

    def _wait(
        self, method: Callable[Concatenate[Any, P], Coroutine[Any, Any, T]], *args: P.args, **kwargs: P.kwargs
    ) -> T:
        loop = self._open_loop()
        return loop.run(method(self._index, *args, **kwargs), getattr(self._own, "context", None))

    def _each(self, entries: AsyncGenerator[T, None]) -> Iterator[T]:
        """Yield *entries*, some hundred at a time: each wait costs more than an entry does."""

        async def take(_index: IndexSession) -> list[T]:
            taken = []
            async for entry in entries:
                taken.append(entry)
                if len(taken) == _ENTRIES_AT_ONCE:
                    break
            return taken

        async def end(_index: IndexSession) -> None:
            await entries.aclose()

        try:
            while taken := self._wait(take):
                yield from taken
        finally:
            if not self._is_closed:
                self._wait(end)

    @contextlib.contextmanager
    def _within(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """Be in *manager* for the length of the block, and with it all that this thread asks meanwhile."""
        loop = self._open_loop()
        outer = getattr(self._own, "context", None)
        context = contextvars.copy_context() if outer is None else outer
        entered = loop.run(manager.__aenter__(), context)
        self._own.context = context
        try:
            yield entered
        except BaseException as error:
            if not loop.run(manager.__aexit__(type(error), error, error.__traceback__), context):
                raise
        else:
            loop.run(manager.__aexit__(None, None, None), context)
        finally:
            self._own.context = outer


def _end(index: IndexSession, loop: BackgroundLoop) -> None:
    """Close an index that nobody holds any more, or at the end of the process; by then nobody can be told."""
    with contextlib.suppress(Exception):
        loop.run(index.close())
    loop.stop()
