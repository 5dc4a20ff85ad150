"""Ledger: notes appended to the ledger of an index, many at a time and off the event loop."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
import weakref
from contextlib import contextmanager, suppress
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from aiofiles.os import wrap

from findingmodel.limits import LEDGER_KEEP, LEDGER_MAX_BYTES
from findingmodel.observe.ledger import older_files

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["Ledger", "append_lines"]


class Ledger:
    """The writer of one ledger; any number of processes may write to the same file.

    `append` does not wait: what comes while one batch is being written is the next one. A note is certain to
    be kept once `flush` or `close` has returned. One Ledger may serve one event loop after another.

    Args:
        path: the file; made when something is first noted, readable by its owner only.
        max_bytes: a file that would grow larger is put aside.
        keep: how many of those are kept.
    """

    def __init__(self, path: Path, *, max_bytes: int = LEDGER_MAX_BYTES, keep: int = LEDGER_KEEP) -> None:
        self._queue = _Queue(path, max_bytes, keep)
        self._task: asyncio.Task[None] | None = None
        # A program that neither flushes nor closes loses nothing by ending as it should.
        weakref.finalize(self, self._queue.drain)

    def append(self, note: Mapping[str, Any]) -> None:
        """Note something; it is written soon, by a task of the running event loop if there is one."""
        self._queue.put(json.dumps(note, separators=(",", ":")).encode() + b"\n")
        with suppress(RuntimeError):
            self._begin()

    async def flush(self) -> None:
        """Return when everything that was noted before is on the disk.

        Raises:
            OSError: some of it cannot be written, and is lost.
        """
        last = self._queue.put_count
        while self._queue.done_count < last:
            await asyncio.shield(self._begin())
        error, self._queue.error = self._queue.error, None
        if error is not None:
            raise error

    async def close(self) -> None:
        """As `flush`; twice is fine."""
        await self.flush()

    def _begin(self) -> asyncio.Task[None]:
        """Return the task that writes; a new one unless one is at work in this event loop."""
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._write())
        return self._task

    async def _write(self) -> None:
        drain = wrap(self._queue.drain)  # one call to a thread for each batch, not one for each line
        while self._queue.lines:
            await drain()


class _Queue:
    """Lines on their way into a file."""

    def __init__(self, path: Path, max_bytes: int, keep: int) -> None:
        self._path = path
        self._limits = (max_bytes, keep)
        self._draining = threading.Lock()
        self.lines: list[bytes] = []
        self.put_count = 0
        self.done_count = 0
        self.error: OSError | None = None

    def put(self, line: bytes) -> None:
        self.lines.append(line)
        self.put_count += 1

    def drain(self) -> None:
        """Write what is there now. A failure is remembered; the lines are given up, or they would pile up.

        It is the thread that takes note of what is done, because the task that waits for it may be cancelled.
        """
        with self._draining:
            batch = self.lines[:]
            if not batch:
                return
            try:
                append_lines(self._path, b"".join(batch), *self._limits)
            except OSError as error:
                self.error = error
            del self.lines[: len(batch)]
            self.done_count += len(batch)


def append_lines(path: Path, lines: bytes, max_bytes: int, keep: int) -> None:
    """Append whole *lines* to the file *path* as one, and return when they are on the disk.

    A line that another writer left unfinished, because it was killed, is ended first.

    Raises:
        OSError: it cannot be done; nothing of *lines* is in the file then.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_full = True
    while is_full:
        with _locked(path) as file:
            size = os.fstat(file).st_size
            is_full = size > 0 and size + len(lines) > max_bytes
            if is_full:
                _put_aside(path, keep)
            else:
                _write_whole(file, lines, size)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Lend the open file, which nobody else writes to or puts aside meanwhile."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with suppress(OSError):  # where there are no locks, an append is whole all the same
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file, path):  # else it was put aside while we waited
                yield file
                return
        finally:
            os.close(file)


def _is_at(file: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file), path.stat())
    except FileNotFoundError:
        return False


def _write_whole(file: int, lines: bytes, size: int) -> None:
    is_torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
    rest = memoryview(b"\n" + lines if is_torn else lines)
    try:
        while rest:
            rest = rest[os.write(file, rest) :]
        os.fsync(file)
    except OSError:
        with suppress(OSError):
            os.ftruncate(file, size)
        raise


def _put_aside(path: Path, keep: int) -> None:
    """Make ``FILE`` ``FILE.1``, that ``FILE.2`` and so on; what is then beyond *keep* goes."""
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, keep + 1))]
    for older, newer in pairwise(reversed(names)):
        with suppress(FileNotFoundError):
            newer.replace(older)
    for beyond in list(islice(older_files(path), keep, None)):
        beyond.unlink()
    if keep == 0:
        path.unlink()
