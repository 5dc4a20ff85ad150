"""Notebook: takes note of what is done to one index, in its ledger.

A note is a JSON object: ``at`` (UTC), ``run`` (the same for the two notes of one update), ``action`` (update,
add, remove, remove-unused), ``outcome`` (begun, done, refused, failed or interrupted), ``db``, ``branch``,
``host``, ``pid``, ``user``, ``version``, what it is about (``directory``, ``file`` or ``model``), and at the
end ``seconds``, ``counts``, ``changes`` (ids, of each kind 1,000 at most), ``failures`` (paths, likewise),
``refused``, ``put_aside`` (a branch) and ``error`` where there are any, with ``written``, how many models
were written before.
"""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from findingmodel._version import __version__
from findingmodel.errors import ConfigError, DirectoryError, StoreClosedError
from findingmodel.observe.ledger import BEGUN, place_of

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from pathlib import Path

    from findingmodel.observe.ledger import Place
    from findingmodel.observe.ledger_writer import Ledger
    from findingmodel.settings import Settings
    from findingmodel.update.options import UpdateOptions, WriteCounts
    from findingmodel.update.report import Changes, UpdateReport

    Begun = Callable[[], Awaitable[None]]

__all__ = ["LedgerEntry", "LedgerRecorder", "record_update"]

_MOST_PATHS = 1_000
_MISUSE = (ConfigError, DirectoryError, FileNotFoundError, StoreClosedError)
"""Errors of a caller, before anything was done to the index."""


class LedgerRecorder:
    """Takes note of what is done to one index. A ledger that cannot be written stops nothing; that is told.

    Args:
        place: the ledger; without a path nothing is noted.
        max_bytes, keep: as for `findingmodel.observe.ledger_writer.Ledger`, which is made when it is needed.
    """

    def __init__(self, place: Place, *, max_bytes: int = 5_000_000, keep: int = 5) -> None:
        self._place = place
        self._limits = {"max_bytes": max_bytes, "keep": keep}
        self._ledger: Ledger | None = None
        self._has_warned = False

    @classmethod
    def of(cls, settings: Settings, *, url: str | None = None, database: str | None = None) -> LedgerRecorder:
        """Return the notebook of the index that *settings* name, or that is at *url* (`place_of`)."""
        place = place_of(settings, url=url, database=database)
        return cls(place, max_bytes=settings.ledger_max_bytes, keep=settings.ledger_keep)

    @contextmanager
    def noting(
        self, action: str, written: WriteCounts | None = None, /, **about: str | Path
    ) -> Iterator[LedgerEntry]:
        """Lend the note of what is done within the block; at its end it is on its way to the ledger.

        Nothing is noted where nothing was done. An error is noted, unless it only tells of a misuse, with
        what was *written* before.
        """
        note = LedgerEntry(self, {"action": action, **{name: _plain(fact) for name, fact in about.items()}})
        try:
            yield note
        except BaseException as error:
            if note.has_begun or not isinstance(error, _MISUSE):
                note.fail(error, written)
            raise
        note.end()

    def append(self, facts: dict[str, Any]) -> None:
        """Note *facts*; it does not wait."""
        if self._place.path is None:
            return
        if self._ledger is None:
            from findingmodel.observe.ledger_writer import Ledger

            self._ledger = Ledger(self._place.path, **self._limits)
        self._ledger.append({**facts, "db": self._place.db, "branch": self._place.branch})

    async def flush(self) -> None:
        """Return when all notes are on the disk, or given up."""
        if self._ledger is None:
            return
        try:
            await self._ledger.flush()
        except OSError as error:
            if not self._has_warned:
                import logging

                where, why = ascii(str(self._place.path)), error.strerror or error
                logging.getLogger("findingmodel.ledger").warning("cannot write the ledger %s: %s", where, why)
            self._has_warned = True

    async def close(self) -> None:
        """As `flush`; twice is fine."""
        await self.flush()


class LedgerEntry:
    """The note of one update or write, while that is under way.

    Args:
        notebook: where it goes.
        about: what is done, and to what.

    Attributes:
        has_begun: whether it is noted already that it has begun.
    """

    def __init__(self, notebook: LedgerRecorder, about: dict[str, Any]) -> None:
        self._notebook = notebook
        self._about = {"run": os.urandom(8).hex(), **about, **_who()}
        self._started = time.perf_counter()
        self._facts: dict[str, Any] | None = None
        self.has_begun = False

    async def begin(self) -> None:
        """Note that writing begins, and return when that is on the disk."""
        self.has_begun = True
        self._append(BEGUN, {})
        await self._notebook.flush()

    def report(self, report: UpdateReport) -> None:
        """Take in what an update did."""
        if report.ok and not report.moved and not any(report):
            return
        counts = {name: getattr(report, name) for name in _COUNTS} | {"failed": len(report.failed)}
        facts: dict[str, Any] = {"counts": counts, "changes": report.changes.as_dict()}
        if report.failed:
            facts["failures"] = [file.path for file in report.failed[:_MOST_PATHS]]
        if report.refused:
            facts["refused"] = report.refused._asdict()
        if report.put_aside:
            facts["put_aside"] = report.put_aside
        self._facts = facts

    def change(self, changes: Changes) -> None:
        """Take in what a write changed."""
        counts = {name: len(ids) for name, ids in changes._asdict().items()}
        self._facts = {"counts": counts, "changes": changes.as_dict()}

    def end(self) -> None:
        """Note how it ended, if there is anything to note."""
        if self._facts is not None or self.has_begun:
            facts = self._facts or {}
            self._append("refused" if "refused" in facts else "done", facts | self._duration())

    def fail(self, error: BaseException, written: WriteCounts | None = None) -> None:
        """Note that *error* ended it, and what was *written* before."""
        outcome = "failed" if isinstance(error, Exception) else "interrupted"
        told = f"{type(error).__name__}: {error}".removesuffix(": ")
        facts = {"written": vars(written)} if written else {}
        self._append(outcome, {"error": told} | facts | self._duration())

    def _append(self, outcome: str, facts: dict[str, Any]) -> None:
        at = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._notebook.append({"at": at, "outcome": outcome, **self._about, **facts})

    def _duration(self) -> dict[str, float]:
        return {"seconds": round(time.perf_counter() - self._started, 3)}


_COUNTS = ("added", "updated", "removed", "unchanged", "moved")


async def record_update(
    notebook: LedgerRecorder,
    directory: Path,
    options: UpdateOptions,
    run: Callable[[Begun | None], Coroutine[Any, Any, UpdateReport]],
    *,
    written: WriteCounts | None = None,
) -> UpdateReport:
    """Return what *run* returns, with a note of it on the disk. A dry run is not noted.

    Args:
        notebook: where it is noted.
        directory: of the update.
        options: of the update.
        run: the update; it awaits what it is given before it first writes.
        written: what it has written so far, for the note of one that does not come to its end.
    """
    if options.dry_run:
        return await run(None)
    try:
        with notebook.noting("update", written, directory=directory) as note:
            report = await run(note.begin)
            note.report(report)
    except (Exception, asyncio.CancelledError):
        await notebook.flush()
        raise
    await notebook.flush()
    return report


def _plain(fact: str | Path) -> str:
    return fact if isinstance(fact, str) else str(fact.absolute())


def _who() -> dict[str, Any]:
    return {"host": os.uname().nodename, "pid": os.getpid(), "user": _user(), "version": __version__}


def _user() -> str:
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as containers have
        return str(os.getuid())
