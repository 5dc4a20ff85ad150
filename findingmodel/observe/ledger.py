"""The ledger of an index, what was done to it, a JSON object on each line: where it lies, and how it is read.

An update notes ``begun`` before it first writes, and how it ended when it has; `ledger_recorder`
says what else is on a line. The newest lines are in the file itself, older ones in ``FILE.1``, ``FILE.2`` and
so on. A line that was cut short, because its writer was killed, is passed over and counted. Nothing of this
needs an event loop.
"""

from __future__ import annotations

import errno
import json
import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, NamedTuple

from findingmodel.stores import database_in, sqlite_path

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.settings import Settings

__all__ = ["BEGUN", "History", "Place", "older_files", "place_of", "read_history"]

BEGUN = "begun"
"""The outcome of what has not ended yet, or never will."""

_OFF = "off"
_SUFFIX = ".ledger.jsonl"
_MEMORY = ":memory:"
_BLOCK_BYTES = 2**20
_MOST_LINE_BYTES = 8_000_000
"""A line is at most some thousand ids and paths; of a longer one no more than its end is kept in memory."""


class Place(NamedTuple):
    """Which ledger an index has.

    Attributes:
        path: the file; None where nothing is noted.
        db: the database, never with a password.
        branch: the index in that database.
        is_shared: whether indexes of other databases are in the file too.
    """

    path: Path | None
    db: str
    branch: str
    is_shared: bool

    def owns(self, note: dict[str, Any]) -> bool:
        """Return whether *note* is about this index; a SQLite file may have moved, its ledger with it."""
        return note.get("branch") == self.branch and (not self.is_shared or note.get("db") == self.db)


def place_of(settings: Settings, *, url: str | None = None, database: str | None = None) -> Place:
    """Return the ledger of the index that *settings* name.

    It is the file of the setting ``ledger``; else it lies beside the SQLite file, and for indexes in MongoDB
    in the user's state directory. An index in memory has none.

    Args:
        settings: all settings.
        url, database: instead of those of *settings*, as for `findingmodel.stores.open_store`.
    """
    url = url or settings.db
    if url.lower().startswith("mongodb"):
        return _server_place(settings, url, database)
    file = sqlite_path(url)
    if file == _MEMORY:
        return Place(None, f"sqlite:///{file}", settings.branch, is_shared=False)
    whole = Path(file).absolute()
    beside = whole.with_name(whole.name + _SUFFIX)
    return Place(
        _chosen(settings, beside), f"sqlite:///{whole}", settings.branch, is_shared=bool(settings.ledger)
    )


def _server_place(settings: Settings, url: str, database: str | None) -> Place:
    from findingmodel.settings import server_of, state_directory

    db = f"{server_of(url)}/{database or database_in(url) or settings.mongodb_db}"
    path = _chosen(settings, None) if settings.ledger else state_directory() / f"mongodb{_SUFFIX}"
    return Place(path, db, settings.branch, is_shared=True)


def _chosen(settings: Settings, usual: Path | None) -> Path | None:
    if settings.ledger == _OFF:
        return None
    return Path(settings.ledger).expanduser().absolute() if settings.ledger else usual


class History(NamedTuple):
    """What a ledger tells of an index.

    Attributes:
        notes: the newest first; of each update how it ended, or that it has begun.
        torn: lines that were cut short, among those that were looked at.
    """

    notes: list[dict[str, Any]]
    torn: int


def read_history(place: Place, *, limit: int) -> History:
    """Return the last *limit* notes about the index at *place*; none if there is no ledger.

    Raises:
        OSError: the ledger cannot be read.
    """
    history = History([], 0)
    ended = set()
    for line in _lines(place.path) if place.path else ():
        note = _parsed(line)
        if note is None:
            history = history._replace(torn=history.torn + 1)
        elif place.owns(note) and (note["outcome"] != BEGUN or note["run"] not in ended):
            ended.add(note["run"])
            history.notes.append(note)
            if len(history.notes) == limit:
                break
    return history


def older_files(path: Path) -> Iterator[Path]:
    """Yield the files that were put aside, the newest first."""
    number = 1
    while (older := path.with_name(f"{path.name}.{number}")).exists():
        yield older
        number += 1


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of the ledger, the last one first; a line that was not ended is one too."""
    for file in (path, *older_files(path)):
        if file.exists() and not file.is_file():
            raise OSError(errno.EINVAL, "is no file", str(file))  # a pipe would be waited for
        with suppress(FileNotFoundError), file.open("rb") as data:
            yield from filter(bytes.strip, _backwards(data))


def _backwards(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of *file*, the last one first, without reading more of it than is asked for."""
    position, rest = file.seek(0, os.SEEK_END), b""
    while position:
        size = min(_BLOCK_BYTES, position)
        position = file.seek(position - size)
        first, *whole = (file.read(size) + rest).split(b"\n")
        yield from reversed(whole)
        rest = first[-_MOST_LINE_BYTES:]
    yield rest


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the note on a line, or None if it is none."""
    try:
        note = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return note if isinstance(note, dict) and _is_note(note) else None


def _is_note(found: dict[str, Any]) -> bool:
    """Return whether an object has the form of a note, in what is shown of it; anybody may edit the file."""
    counts, refused = found.get("counts", {}), found.get("refused", {"reason": ""})
    return (
        isinstance(found.get("run"), str)
        and isinstance(found.get("outcome"), str)
        and isinstance(counts, dict)
        and all(isinstance(count, int) for count in counts.values())
        and isinstance(refused, dict)
        and "reason" in refused
    )
