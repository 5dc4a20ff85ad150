"""Threads that an event loop uses, and an event loop that has a thread of its own."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

__all__ = ["BackgroundLoop", "Threads"]

T = TypeVar("T")


class Threads:
    """An `Offload` to a few threads of its own, which are started when there is something to do.

    It may be used from one event loop after another. Unlike those of `asyncio.to_thread` its threads can be
    ended, after which a process can be forked as if there had been none.

    >>> asyncio.run(Threads()(max, 3, 7))
    7
    """

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._busy = 0

    async def __call__(self, function: Callable[..., T], /, *args: Any) -> T:
        """Return ``function(*args)``, called in a thread and in this task's context."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(thread_name_prefix="findingmodel")
        call = partial(contextvars.copy_context().run, function, *args)
        future = self._executor.submit(call)
        self._busy += 1
        try:
            return await asyncio.wrap_future(future)
        finally:
            self._busy -= 1

    def end(self) -> None:
        """End the threads, unless one has something to do; the next call starts others."""
        if self._busy == 0:
            self.close()

    def close(self) -> None:
        """Let the threads end as soon as they have nothing to do; any number of times."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=self._busy == 0)


_SECONDS_TO_STOP = 5.0


class BackgroundLoop:
    """An event loop that runs in a daemon thread until `stop`; *name* is the thread's."""

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._is_ending = False
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], context: contextvars.Context | None = None) -> T:
        """Return what *coroutine* returns, and raise what it raises.

        Whoever is interrupted while waiting cancels it first, and waits until it has cleaned up; a second
        interrupt does not wait.

        Args:
            coroutine: it becomes a task of its own.
            context: its variables; None for a copy of the caller's.

        Raises:
            RuntimeError: called from this very thread, which would wait for itself; or the thread is gone, as
                it is after `stop` and in a process that was forked.
        """
        task = _Task(coroutine, contextvars.copy_context() if context is None else context)
        self._schedule(task)
        try:
            return task.answer.result()
        except CancelledError:
            raise RuntimeError(f"{self._thread.name} was closed while this was waiting for it") from None
        except BaseException:
            if not task.answer.done():  # it is the caller who was interrupted
                self._loop.call_soon_threadsafe(task.cancel)
                task.answer.exception()
            raise

    def stop(self) -> None:
        """Cancel what still runs, and end the thread; twice is fine."""
        with self._lock:
            if not self._is_ending and self._thread.is_alive():
                self._is_ending = True
                self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(_SECONDS_TO_STOP)

    def _schedule(self, task: _Task[Any]) -> None:
        with self._lock:
            why = ""
            if threading.current_thread() is self._thread:
                why = "it would wait for itself; what it calls has to be asynchronous"
            elif self._is_ending or not self._thread.is_alive():
                why = "it has ended"
            if not why:
                self._loop.call_soon_threadsafe(task.begin)
                return
        task.drop()
        raise RuntimeError(f"cannot wait for {self._thread.name}: {why}")

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.get_loop().run_forever()
            finally:
                self._is_ending = True


class _Task(Generic[T]):
    """A coroutine on its way; begun and cancelled in the loop's thread, waited for in another."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], context: contextvars.Context) -> None:
        self.answer: Future[T] = Future()
        self._coroutine = coroutine
        self._context = context
        self._task: asyncio.Task[T] | None = None

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self._coroutine, context=self._context)
        self._task.add_done_callback(self._finish)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def drop(self) -> None:
        self._coroutine.close()

    def _finish(self, task: asyncio.Task[T]) -> None:
        error = CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self.answer.set_result(task.result())
        else:
            self.answer.set_exception(error)
