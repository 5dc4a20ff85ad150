"""The ledger of an index: where it is stored, and how it is read.

A ledger is a file with one JSON object on each line, an *entry* (`findingmodel.observe.ledger_recorder`
describes its keys). The file itself has the newest entries, ``FILE.1``, ``FILE.2`` and so on have older ones.
An update writes an entry with the outcome ``begun`` before its first write, and another one at its end. A
line that was cut short, because its writer was killed, is skipped and counted. Reading needs no event loop.
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

BEGUN = "begun"
"""The outcome of an update that has not ended, or never will."""

_OFF = "off"
_SUFFIX = ".ledger.jsonl"
_MEMORY = ":memory:"
_BLOCK_BYTES = 2**20
_MAX_LINE_BYTES = (
    8_000_000  # a line has at most some thousand ids and paths; of a longer one, only the end is read
)


class LedgerLocation(NamedTuple):
    """Where the ledger of one index is stored.

    Attributes:
        path: the file; None where no ledger is kept.
        db: the database's URL without a password.
        branch: the index in that database.
        is_shared: whether indexes of other databases use the same file.
    """

    path: Path | None
    db: str
    branch: str
    is_shared: bool

    def owns(self, entry: dict[str, Any]) -> bool:
        """Return whether *entry* is about this index. A SQLite file may have moved with its ledger."""
        return entry.get("branch") == self.branch and (not self.is_shared or entry.get("db") == self.db)


def locate_ledger(
    settings: Settings, *, url: str | None = None, database: str | None = None
) -> LedgerLocation:
    """Return where the ledger of an index is.

    The setting ``ledger`` names the file. By default it is next to the SQLite file, or for MongoDB in
    the user's state directory. An index in memory has no ledger.

    Args:
        settings: which index.
        url, database: override those of *settings*, as in `findingmodel.stores.open_store`.
    """
    url = url or settings.db
    if url.lower().startswith("mongodb"):
        from findingmodel.settings import server_of, state_directory

        db = f"{server_of(url)}/{database or database_in(url) or settings.mongodb_db}"
        default = None if settings.ledger else state_directory() / f"mongodb{_SUFFIX}"
        return LedgerLocation(_path(settings, default), db, settings.branch, is_shared=True)
    file = sqlite_path(url)
    if file == _MEMORY:
        return LedgerLocation(None, f"sqlite:///{file}", settings.branch, is_shared=False)
    whole = Path(file).absolute()
    path = _path(settings, whole.with_name(whole.name + _SUFFIX))
    return LedgerLocation(path, f"sqlite:///{whole}", settings.branch, is_shared=bool(settings.ledger))


def _path(settings: Settings, default: Path | None) -> Path | None:
    if settings.ledger == _OFF:
        return None
    return Path(settings.ledger).expanduser().absolute() if settings.ledger else default


class History(NamedTuple):
    """What a ledger has recorded about one index.

    Attributes:
        entries: the newest first. An update has one: how it ended, or that it has begun.
        torn: how many of the lines read were cut short.
    """

    entries: list[dict[str, Any]]
    torn: int


def read_history(location: LedgerLocation, *, limit: int) -> History:
    """Return the last *limit* entries about an index; none if there is no ledger.

    Raises:
        OSError: the ledger cannot be read.
    """
    history = History([], 0)
    ended = set()
    for line in _lines(location.path) if location.path else ():
        entry = _parsed(line)
        if entry is None:
            history = history._replace(torn=history.torn + 1)
        elif location.owns(entry) and (entry["outcome"] != BEGUN or entry["run"] not in ended):
            ended.add(entry["run"])
            history.entries.append(entry)
            if len(history.entries) == limit:
                break
    return history


def rotated_files(path: Path) -> Iterator[Path]:
    """Yield the older files of the ledger *path*, the newest first."""
    number = 1
    while (older := path.with_name(f"{path.name}.{number}")).exists():
        yield older
        number += 1


def _lines(path: Path) -> Iterator[bytes]:
    """Yield the lines of a ledger, the last one first, including one without a line end."""
    for file in (path, *rotated_files(path)):
        if file.exists() and not file.is_file():
            raise OSError(errno.EINVAL, "is not a file", str(file))  # reading a pipe would block
        with suppress(FileNotFoundError), file.open("rb") as data:
            yield from filter(bytes.strip, _reversed_lines(data))


def _reversed_lines(file: BinaryIO) -> Iterator[bytes]:
    """Yield the lines of *file*, the last one first, and read no more of it than is consumed."""
    position, rest = file.seek(0, os.SEEK_END), b""
    while position:
        size = min(_BLOCK_BYTES, position)
        position = file.seek(position - size)
        first, *complete = (file.read(size) + rest).split(b"\n")
        yield from reversed(complete)
        rest = first[-_MAX_LINE_BYTES:]
    yield rest


def _parsed(line: bytes) -> dict[str, Any] | None:
    """Return the entry on a line; None if the line has another form, for anybody may edit the file."""
    try:
        entry = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return entry if isinstance(entry, dict) and _is_entry(entry) else None


def _is_entry(value: dict[str, Any]) -> bool:
    """Return whether the keys that are displayed have the expected types."""
    counts, refused = value.get("counts", {}), value.get("refused", {"reason": ""})
    return (
        isinstance(value.get("run"), str)
        and isinstance(value.get("outcome"), str)
        and isinstance(counts, dict)
        and all(isinstance(count, int) for count in counts.values())
        and isinstance(refused, dict)
        and "reason" in refused
    )
