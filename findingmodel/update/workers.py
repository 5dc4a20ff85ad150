"""Workers: processes that load files while this one decides and writes. For large updates only.

They are forks of this process, made while it has a single thread, so they start at once with all imports
done. Worker n loads every n-th chunk, and sends the result through a pipe, which blocks while nobody reads.
Workers share and write nothing, and may be killed at any time: this process loads what one did not send.
"""

from __future__ import annotations

import fcntl
import gc
import os
import signal
import sys
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from multiprocessing.connection import Connection
    from typing import NoReturn, Self

    from findingmodel.update.load import Loaded, Loader
    from findingmodel.update.scan import SourceFile

_MIN_FILES = 500  # with fewer, starting a process takes as long as it saves
_PIPE_BYTES = 1_000_000  # how far a worker may be ahead; the default of Linux is a tenth of it
_THREAD_CHECKS, _SECONDS_BETWEEN_CHECKS = 10, 0.001


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Let the garbage collector look only at objects created within the block.

    A large update creates so many objects that the collector would walk all others several times, which takes
    a tenth of the update. They are walked again after the block.
    """
    if gc.get_freeze_count():  # the program, or another update, froze objects and will unfreeze them
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def worker_count(files: int, *, most: int) -> int:
    """Return the number of processes to load *files*, at most *most*; 0 if this process should load them."""
    if files < _MIN_FILES or not sys.platform.startswith("linux"):
        return 0
    usable = min(len(os.sched_getaffinity(0)), most)
    return usable if usable > 1 and _is_single_threaded() else 0


def _is_single_threaded() -> bool:
    """Return whether this process has a single thread, so that no lock is held in a fork of it."""
    for _ in range(_THREAD_CHECKS):
        if threading.active_count() > 1:
            return False
        if len(os.listdir("/proc/self/task")) == 1:  # noqa: PTH208  # counts threads of other languages too
            return True
        time.sleep(_SECONDS_BETWEEN_CHECKS)  # an ended thread stays visible for a moment
    return False


class _Worker(NamedTuple):
    pid: int
    replies: Connection


class Workers:
    """Processes that load *chunks*. They end at the end of the ``with`` block at the latest.

    Args:
        loader: loads the files.
        chunks: the files; `receive` returns the results in this order.
        count: the number of processes; if the system refuses one, this process does its work.
    """

    def __init__(self, loader: Loader, chunks: Sequence[Sequence[SourceFile]], count: int) -> None:
        self._loader = loader
        self._chunks = chunks
        self._count = count
        self._received = 0
        self._is_closed = False
        self._workers: dict[int, _Worker] = {}
        for place in range(count):
            with suppress(OSError):
                self._workers[place] = self._start(chunks[place::count])

    def __bool__(self) -> bool:
        return self._count > 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        """Kill every process; nothing is lost by it."""
        self._is_closed = True
        for pid, replies in self._workers.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):  # other code waits for all children of this process
                os.waitpid(pid, 0)
            replies.close()

    def receive(self) -> list[Loaded]:
        """Return the results of the next chunk. Call it from one thread at a time."""
        number = self._received
        self._received += 1
        worker = self._workers.get(number % self._count)
        if worker and not self._is_closed:
            with suppress(EOFError, OSError):  # the worker was killed
                loaded: list[Loaded] = worker.replies.recv()
                return loaded
        return [] if self._is_closed else self._loader.load_chunk(self._chunks[number])

    def _start(self, chunks: Sequence[Sequence[SourceFile]]) -> _Worker:
        from multiprocessing.connection import Pipe  # not imported for small updates

        reader, writer = Pipe(duplex=False)
        try:
            pid = os.fork()
        except OSError:
            reader.close()
            writer.close()
            raise
        if pid == 0:
            _serve(self._loader, chunks, writer, [reader, *(w.replies for w in self._workers.values())])
        writer.close()
        with suppress(OSError):  # the size of all pipes of a user is limited
            fcntl.fcntl(reader.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        return _Worker(pid, reader)


def _serve(
    loader: Loader,
    chunks: Sequence[Sequence[SourceFile]],
    replies: Connection,
    others: Sequence[Connection],
) -> NoReturn:
    """Run as a worker: load *chunks*, send the results, and exit."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the update, which kills its workers
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)  # it leads to the event loop of the parent
        gc.disable()  # a worker creates no cycles, and must not collect what it inherited
        for other in others:
            other.close()  # an open reader would hide the death of the parent
        for chunk in chunks:
            replies.send(loader.load_chunk(chunk))
    finally:
        os._exit(0)  # a normal exit would flush and close what belongs to the parent
