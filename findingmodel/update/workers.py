"""Workers: processes that load files while this one decides and writes. For large updates only.

They are forks of this process, made while it has one thread only, and so begin at once with all that it has
imported. Each loads every n-th chunk, sends what came of it through a pipe, and waits when nobody reads. They
share nothing, write nothing, and may be killed at any time: what one did not send is loaded here.
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

__all__ = ["Workers", "only_new_garbage", "worker_count"]


@contextmanager
def only_new_garbage() -> Iterator[None]:
    """Within the block, look for garbage among objects made within it.

    A large update makes so many objects that all of the program's are gone through several times, which is a
    tenth of what the update does. Nothing of them is lost: after the block they are gone through as before.
    """
    if gc.get_freeze_count():  # the program, or another update, has done so, and is to undo it
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


_FEWEST_FILES = 500
"""With fewer files a process takes as long to start as it saves."""

_PIPE_BYTES = 1_000_000  # so much may a worker be ahead; what Linux grants without being asked is a tenth
_LOOKS, _BETWEEN_LOOKS = 10, 0.001


def worker_count(files: int, *, most: int) -> int:
    """Return how many processes, *most* at most, are to load so many *files*; 0 where this one should."""
    if files < _FEWEST_FILES or not sys.platform.startswith("linux"):
        return 0
    usable = min(len(os.sched_getaffinity(0)), most)
    return usable if usable > 1 and _is_alone() else 0


def _is_alone() -> bool:
    """Return whether this process has one thread only, so that a fork of it finds every lock open."""
    for _ in range(_LOOKS):
        if threading.active_count() > 1:
            return False
        if len(os.listdir("/proc/self/task")) == 1:  # noqa: PTH208  # threads that are not Python's count too
            return True
        time.sleep(_BETWEEN_LOOKS)  # one that has ended may still be seen for a moment
    return False


class _Worker(NamedTuple):
    pid: int
    replies: Connection


class Workers:
    """Processes that load *chunks*; they end with the ``with`` block, if not before.

    Args:
        loader: how.
        chunks: `receive` returns what came of them, in this order.
        count: how many processes; where the system refuses one, this process does its work.
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
        """End every process, whatever it is doing: nothing of it would be missed."""
        self._is_closed = True
        for pid, replies in self._workers.values():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            with suppress(ChildProcessError):  # somebody waits for every child of this process
                os.waitpid(pid, 0)
            replies.close()

    def receive(self) -> list[Loaded]:
        """Return what came of the next chunk. One thread at a time may ask."""
        number = self._received
        self._received += 1
        worker = self._workers.get(number % self._count)
        loaded = _read(worker.replies) if worker and not self._is_closed else None
        if loaded is None and not self._is_closed:
            loaded = self._loader.load_chunk(self._chunks[number])
        return loaded or []

    def _start(self, chunks: Sequence[Sequence[SourceFile]]) -> _Worker:
        from multiprocessing.connection import Pipe  # small updates need none

        reading, context = Pipe(duplex=False)
        try:
            pid = os.fork()
        except OSError:
            reading.close()
            context.close()
            raise
        if pid == 0:
            _serve(self._loader, chunks, context, [reading, *(w.replies for w in self._workers.values())])
        context.close()
        with suppress(OSError):  # a user has a limit
            fcntl.fcntl(reading.fileno(), fcntl.F_SETPIPE_SZ, _PIPE_BYTES)
        return _Worker(pid, reading)


def _serve(
    loader: Loader,
    chunks: Sequence[Sequence[SourceFile]],
    replies: Connection,
    others: Sequence[Connection],
) -> NoReturn:
    """Be a worker: load *chunks*, send what comes of them, and vanish without a trace, whatever happens."""
    try:
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C means the update, which ends its workers
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.set_wakeup_fd(-1)  # it leads to the event loop of the parent
        gc.disable()  # nothing here goes round in circles, and what is inherited is not this process's
        for other in others:
            other.close()  # or the parent's death would not be noticed
        for chunk in chunks:
            replies.send(loader.load_chunk(chunk))
    finally:
        os._exit(0)  # not the parent's way out, which flushes and closes what is the parent's


def _read(replies: Connection) -> list[Loaded] | None:
    """Return the next reply; None if its sender is dead."""
    try:
        loaded: list[Loaded] = replies.recv()
    except (EOFError, OSError):
        return None
    return loaded
