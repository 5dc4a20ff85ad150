"""LedgerRecorder: record in a ledger what is done to one index. LedgerWriter: append lines, and rotate files.

An entry is a JSON object: ``at`` (UTC), ``run`` (the same in both entries of an update), ``action`` (update,
add, remove, remove-unused), ``outcome`` (begun, done, refused, failed or interrupted), ``db``, ``branch``,
``host``, ``pid``, ``user``, ``version``, and the subject (``directory``, ``file`` or ``model``). The last
entry also has ``seconds`` and, where they apply, ``counts``, ``changes`` (at most 1,000 ids of each kind),
``failures`` (at most 1,000 paths), ``refused``, ``put_aside`` (a branch), ``error``, and ``written`` (counts
of what was written before the error).
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import threading
import time
import weakref
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any

from findingmodel._version import __version__
from findingmodel.errors import ConfigError, DirectoryError, StoreClosedError
from findingmodel.limits import LEDGER_KEEP, LEDGER_MAX_BYTES
from findingmodel.observe.ledger import BEGUN, locate_ledger, rotated_files

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator, Mapping
    from pathlib import Path

    from findingmodel.observe.ledger import LedgerLocation
    from findingmodel.settings import Settings
    from findingmodel.update.options import UpdateObserver, UpdateOptions, WriteCounts
    from findingmodel.update.report import Changes, UpdateReport

_MAX_PATHS = 1_000
_COUNTS = ("added", "updated", "removed", "unchanged", "moved")
_MISUSE = (ConfigError, DirectoryError, FileNotFoundError, StoreClosedError)
"""Mistakes of the caller, which occur before anything is done to the index."""


class LedgerRecorder:
    """Records what is done to one index. If the ledger cannot be written, it logs one warning and goes on.

    An operation that fails is reported by its own error; often the ledger then fails for the same reason.

    Args:
        location: the ledger; without a path nothing is recorded.
        max_bytes, keep: as for `LedgerWriter`, which is created for the first entry.
    """

    def __init__(
        self, location: LedgerLocation, *, max_bytes: int = LEDGER_MAX_BYTES, keep: int = LEDGER_KEEP
    ) -> None:
        self._location = location
        self._limits = {"max_bytes": max_bytes, "keep": keep}
        self._writer: LedgerWriter | None = None
        self._has_warned = False
        self._has_failed = False  # the operation, since the last flush

    @classmethod
    def of(cls, settings: Settings, *, url: str | None = None, database: str | None = None) -> LedgerRecorder:
        """Return the recorder of an index; the arguments are those of `locate_ledger`."""
        location = locate_ledger(settings, url=url, database=database)
        return cls(location, max_bytes=settings.ledger_max_bytes, keep=settings.ledger_keep)

    @contextmanager
    def recording(
        self, action: str, written: WriteCounts | None = None, /, **subject: str | Path
    ) -> Iterator[LedgerEntry]:
        """Yield an entry for what the block does, and record it at the end of the block.

        Nothing is recorded if nothing was done. An exception is recorded with the counts of *written*, unless
        it is only a mistake of the caller.
        """
        facts = {
            key: text if isinstance(text, str) else str(text.absolute()) for key, text in subject.items()
        }
        entry = LedgerEntry(self, {"action": action, **facts})
        try:
            yield entry
        except BaseException as error:
            if entry.has_begun or not isinstance(error, _MISUSE):
                entry.fail(error, written)
            self._has_failed = True
            raise
        entry.end()

    def append(self, facts: dict[str, Any]) -> None:
        """Record *facts* about this index, without waiting for the disk."""
        if self._location.path is None:
            return
        if self._writer is None:
            self._writer = LedgerWriter(self._location.path, **self._limits)
        self._writer.append({**facts, "db": self._location.db, "branch": self._location.branch})

    async def flush(self) -> None:
        """Wait until all entries are on the disk, or have failed."""
        if self._writer is None:
            return
        try:
            await self._writer.flush()
        except OSError as error:
            if not self._has_warned and not self._has_failed:
                import logging

                path, why = ascii(str(self._location.path)), error.strerror or error
                logging.getLogger("findingmodel.ledger").warning("cannot write the ledger %s: %s", path, why)
                self._has_warned = True
        finally:
            self._has_failed = False


class LedgerEntry:
    """The entry of an update or write that is running.

    Args:
        recorder: where it is recorded.
        subject: the action and what it is done to.

    Attributes:
        has_begun: whether an entry with the outcome ``begun`` is recorded.
    """

    def __init__(self, recorder: LedgerRecorder, subject: dict[str, Any]) -> None:
        self._recorder = recorder
        self._subject = {"run": os.urandom(8).hex(), **subject, **_process()}
        self._started = time.perf_counter()
        self._facts: dict[str, Any] | None = None
        self.has_begun = False

    async def begin(self) -> None:
        """Record that writing begins, and wait until this is on the disk."""
        self.has_begun = True
        self._append(BEGUN, {})
        await self._recorder.flush()

    def add_report(self, report: UpdateReport) -> None:
        """Add what an update did."""
        if report.ok and not report.moved and not any(report):
            return
        counts = {name: getattr(report, name) for name in _COUNTS} | {"failed": len(report.failed)}
        facts: dict[str, Any] = {"counts": counts, "changes": report.changes.as_dict()}
        if report.failed:
            facts["failures"] = [file.path for file in report.failed[:_MAX_PATHS]]
        if report.refused:
            facts["refused"] = report.refused._asdict()
        if report.put_aside:
            facts["put_aside"] = report.put_aside
        self._facts = facts

    def add_changes(self, changes: Changes) -> None:
        """Add what a write changed."""
        counts = {name: len(ids) for name, ids in changes._asdict().items()}
        self._facts = {"counts": counts, "changes": changes.as_dict()}

    def end(self) -> None:
        """Record a normal end, unless there is nothing to record."""
        if self._facts is not None or self.has_begun:
            facts = self._facts or {}
            self._append("refused" if "refused" in facts else "done", facts | self._duration())

    def fail(self, error: BaseException, written: WriteCounts | None = None) -> None:
        """Record that *error* ended it, and how much was *written* before."""
        outcome = "failed" if isinstance(error, Exception) else "interrupted"
        text = f"{type(error).__name__}: {error}".removesuffix(": ")
        facts = {"written": vars(written)} if written else {}
        self._append(outcome, {"error": text} | facts | self._duration())

    def _append(self, outcome: str, facts: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._recorder.append({"at": at, "outcome": outcome, **self._subject, **facts})

    def _duration(self) -> dict[str, float]:
        return {"seconds": round(time.perf_counter() - self._started, 3)}


async def record_update(
    recorder: LedgerRecorder,
    directory: Path,
    options: UpdateOptions,
    observer: UpdateObserver,
    run: Callable[[], Coroutine[Any, Any, UpdateReport]],
) -> UpdateReport:
    """Return the report of *run*, after the ledger entry about it is on the disk.

    Args:
        recorder: where it is recorded.
        directory: the directory of the update.
        options: the options of the update; a dry run is not recorded.
        observer: the observer of the update; it records the beginning, and counts for an update that fails.
        run: the update.
    """
    if options.dry_run:
        return await run()
    try:
        with recorder.recording("update", observer.counts, directory=directory) as entry:
            observer.before_writing = entry.begin
            report = await run()
            entry.add_report(report)
    except (Exception, asyncio.CancelledError):
        await recorder.flush()
        raise
    await recorder.flush()
    return report


def _process() -> dict[str, Any]:
    """Return which process this is, and whose."""
    import getpass

    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # the user has no name, as in some containers
        user = str(os.getuid())
    return {"host": os.uname().nodename, "pid": os.getpid(), "user": user, "version": __version__}


class LedgerWriter:
    """Appends to one ledger, many entries at a time and off the event loop.

    Any number of processes may write to the same file. Entries that are appended while a batch is being
    written form the next batch. An entry is durable once `flush` has returned. A writer may serve one event
    loop after another.

    Args:
        path: the file; it is created with the first entry, readable by its owner only.
        max_bytes: rotate the file at this size.
        keep: how many rotated files are kept.
    """

    def __init__(self, path: Path, *, max_bytes: int = LEDGER_MAX_BYTES, keep: int = LEDGER_KEEP) -> None:
        self._queue = _Queue(path, max_bytes, keep)
        self._task: asyncio.Task[None] | None = None
        weakref.finalize(self, self._queue.drain)  # for a program that ends without `flush`

    def append(self, entry: Mapping[str, Any]) -> None:
        """Queue *entry*; if an event loop is running, one of its tasks writes it soon."""
        self._queue.put(json.dumps(entry, separators=(",", ":")).encode() + b"\n")
        with suppress(RuntimeError):
            self._start()

    async def flush(self) -> None:
        """Wait until every entry appended so far is on the disk.

        Raises:
            OSError: some entries cannot be written, and are lost.
        """
        last = self._queue.put_count
        while self._queue.done_count < last:
            await asyncio.shield(self._start())
        error, self._queue.error = self._queue.error, None
        if error is not None:
            raise error

    def _start(self) -> asyncio.Task[None]:
        """Return the task that writes in this event loop, a new one if none is running."""
        loop = asyncio.get_running_loop()
        if self._task is None or self._task.done() or self._task.get_loop() is not loop:
            self._task = loop.create_task(self._write())
        return self._task

    async def _write(self) -> None:
        from aiofiles.os import wrap

        drain = wrap(self._queue.drain)  # one call to a thread for each batch, not one for each line
        while self._queue.lines:
            await drain()


class _Queue:
    """Lines to be written."""

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
        """Write the lines queued now. After an error they are dropped, or they would accumulate.

        The thread does the bookkeeping, because the task that waits for it may be cancelled.
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
    """Append all *lines* to the file *path* or none of them, and return when they are on the disk.

    A line that a killed writer left unfinished is ended first.

    Raises:
        OSError: *lines* cannot be written.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    is_full = True
    while is_full:
        with _locked(path) as file:
            size = os.fstat(file).st_size
            is_full = size > 0 and size + len(lines) > max_bytes
            if is_full:
                _rotate(path, keep)
            else:
                _write_whole(file, lines, size)


@contextmanager
def _locked(path: Path) -> Iterator[int]:
    """Yield the open file, which no other process writes to or rotates during the block."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            with suppress(OSError):  # a file system without locks; an append is still atomic
                fcntl.flock(file, fcntl.LOCK_EX)
            if _is_at(file, path):  # otherwise it was rotated while this process waited
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


def _rotate(path: Path, keep: int) -> None:
    """Rename ``FILE`` to ``FILE.1``, that to ``FILE.2`` and so on, and delete files beyond *keep*."""
    names = [path, *(path.with_name(f"{path.name}.{number}") for number in range(1, keep + 1))]
    for older, newer in pairwise(reversed(names)):
        with suppress(FileNotFoundError):
            newer.replace(older)
    for extra in list(islice(rotated_files(path), keep, None)):
        extra.unlink()
    if keep == 0:
        path.unlink()
