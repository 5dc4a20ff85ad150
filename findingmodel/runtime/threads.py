"""Threads: worker threads for an event loop, and an event loop in a background thread."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from findingmodel.errors import EventLoopError

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

T = TypeVar("T")


class Threads:
    """An `Offload` to its own worker threads, which start on first use.

    It can be used from several event loops, one after the other. Unlike the threads of `asyncio.to_thread`,
    these can be ended, so that the process can be forked safely.

    >>> asyncio.run(Threads()(max, 3, 7))
    7
    """

    def __init__(self) -> None:
        self._executor: ThreadPoolExecutor | None = None
        self._busy = 0

    async def __call__(self, function: Callable[..., T], /, *args: Any) -> T:
        """Return ``function(*args)``, called in a worker thread with the context of this task."""
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
        """End the threads unless one is busy; the next call starts new ones."""
        if self._busy == 0:
            self.close()

    def close(self) -> None:
        """End the threads as soon as they are idle; idempotent."""
        executor, self._executor = self._executor, None
        if executor is not None:
            executor.shutdown(wait=self._busy == 0)


class OneLoopAtATime:
    """Refuses an event loop while another one, in which the same object was used, is running.

    Locks and futures belong to one loop: a task that waits for one of another loop may wait forever.

    Args:
        what: the object, for the message.
    """

    def __init__(self, what: str) -> None:
        self._what = what
        self._loop: asyncio.AbstractEventLoop | None = None
        self._lock = threading.Lock()

    def check(self) -> None:
        """Do nothing if no event loop is running in this thread, or no other one has a claim.

        Raises:
            EventLoopError: another event loop, which has used the object, is still running.
        """
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            return
        if loop is self._loop:
            return
        with self._lock:
            if self._loop is not None and self._loop.is_running():
                raise EventLoopError(
                    f"{self._what} is in use in another event loop: make an Index for each loop, "
                    "or share one of Index.sync between threads"
                )
            self._loop = loop


_SECONDS_TO_STOP = 5.0


class BackgroundLoop:
    """An event loop that runs in a daemon thread until `stop`; *name* is the name of the thread.

    By hand: `asyncio.Runner` blocks its own thread, and `run_coroutine_threadsafe` does not wait until a
    cancelled task has cleaned up.
    """

    def __init__(self, name: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._lock = threading.Lock()
        self._is_ending = False
        self._thread = threading.Thread(target=self._live, name=name, daemon=True)
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, T], context: contextvars.Context | None = None) -> T:
        """Run *coroutine* as a task of the loop; return its result, or raise its error.

        An interrupt of the waiting caller cancels the task, and is raised when the task has cleaned up; a
        second interrupt is raised at once.

        Args:
            coroutine: the coroutine to run.
            context: its context variables; None for a copy of the caller's.

        Raises:
            RuntimeError: the caller is in the thread of the loop and would wait for itself; or the thread has
                ended, as after `stop` and in a forked process.
        """
        task = _Task(coroutine, contextvars.copy_context() if context is None else context)
        self._schedule(task)
        try:
            return task.future.result()
        except CancelledError:
            raise RuntimeError(f"{self._thread.name} was closed while this was waiting for it") from None
        except BaseException:
            if not task.future.done():  # the caller was interrupted
                self._loop.call_soon_threadsafe(task.cancel)
                task.future.exception()
            raise

    def stop(self) -> None:
        """Cancel the running tasks and end the thread; idempotent."""
        with self._lock:
            if not self._is_ending and self._thread.is_alive():
                self._is_ending = True
                self._loop.call_soon_threadsafe(self._loop.stop)
        if threading.current_thread() is not self._thread:
            self._thread.join(_SECONDS_TO_STOP)

    def _schedule(self, task: _Task[Any]) -> None:
        with self._lock:
            if threading.current_thread() is self._thread:
                reason = "it would wait for itself; call asynchronous functions there"
            elif self._is_ending or not self._thread.is_alive():
                reason = "it has ended"
            else:
                self._loop.call_soon_threadsafe(task.begin)
                return
        task.coroutine.close()
        raise RuntimeError(f"cannot wait for {self._thread.name}: {reason}")

    def _live(self) -> None:
        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            try:
                runner.get_loop().run_forever()
            finally:
                self._is_ending = True


class _Task(Generic[T]):
    """A coroutine that is started and cancelled in the thread of the loop, and awaited in another one."""

    def __init__(self, coroutine: Coroutine[Any, Any, T], context: contextvars.Context) -> None:
        self.future: Future[T] = Future()
        self.coroutine = coroutine
        self._context = context
        self._task: asyncio.Task[T] | None = None

    def begin(self) -> None:
        self._task = asyncio.get_running_loop().create_task(self.coroutine, context=self._context)
        self._task.add_done_callback(self._finish)

    def cancel(self) -> None:
        if self._task is not None:
            self._task.cancel()

    def _finish(self, task: asyncio.Task[T]) -> None:
        error = CancelledError() if task.cancelled() else task.exception()
        if error is None:
            self.future.set_result(task.result())
        else:
            self.future.set_exception(error)
