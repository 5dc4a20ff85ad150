"""edit: what an edit does to files, as a value that can be shown first, and how it is written.

An edit is planned from the files as they are, and written only if they are still the same: what an editor
saved in between is never lost. Each file is replaced at once, on disk, and the files come in an order in
which every state between two of them is a valid collection. An edit that was killed is finished by running
the same command again.
"""

from __future__ import annotations

import fcntl
import json
import os
import re
from contextlib import ExitStack, contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.errors import DocumentError, EditError
from findingmodel.limits import MAX_FILE_BYTES
from findingmodel.model.difference import Difference, differences
from findingmodel.model.edit import get
from findingmodel.model.layout import canonical, compact, read
from findingmodel.model.parse import parse_model
from findingmodel.runtime.files import replace_file, sync_directory
from findingmodel.update.load import UnreadableError, read_stable
from findingmodel.update.scan import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from findingmodel.model.layout import Members

RETIRED = ".retired"
"""Appended to the name of a file whose model was replaced; updates do not read it."""


class FileChange(NamedTuple):
    """What happens to one file.

    Attributes:
        path: the file.
        old: its bytes; None if it is new.
        new: its bytes afterwards.
        moved_to: its path afterwards, if that changes.
    """

    path: Path
    old: bytes | None
    new: bytes
    moved_to: Path | None = None

    @property
    def fields(self) -> list[Difference]:
        """The differences of the model, field by field; none of a new file, or one that is not a model."""
        if self.old is None or self.old == self.new or not self.path.name.endswith(SUFFIX):
            return []
        return differences(json.loads(self.old.removeprefix(b"\xef\xbb\xbf")), json.loads(self.new))

    def as_dict(self) -> dict[str, Any]:
        """Return the change ready for JSON."""
        return {
            "path": str(self.path),
            "moved_to": self.moved_to and str(self.moved_to),
            "created": self.old is None,
            "fields": [one._asdict() for one in self.fields],
        }


class Edit(NamedTuple):
    """An edit of a collection's files: `apply` writes it.

    Attributes:
        changes: in the order in which they are written; files that stay as they are are left out.
        notes: what the curator should know.
        skipped: files that are not valid finding models, and therefore were not edited.
    """

    changes: tuple[FileChange, ...]
    notes: tuple[str, ...] = ()
    skipped: tuple[Path, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the edit ready for JSON."""
        return {
            "changes": [change.as_dict() for change in self.changes],
            "notes": list(self.notes),
            "skipped": list(map(str, self.skipped)),
        }

    def apply(self) -> None:
        """Write the edit.

        Raises:
            EditError: a file is not as it was when the edit was planned; nothing was written.
            OSError: a file cannot be written; those before it are, and the same command does the rest.
        """
        directories = {change.path.parent for change in self.changes}
        for directory in directories:
            directory.mkdir(parents=True, exist_ok=True)
        with _locked(directories):
            for change in self.changes:
                _refuse_changed(change)
            for change in self.changes:
                _write(change)


def _refuse_changed(change: FileChange) -> None:
    try:
        now = change.path.read_bytes()
    except FileNotFoundError:
        now = None
    if now != change.old:
        fate = "has been removed" if now is None else "has changed" if change.old is not None else "exists"
        raise EditError(f"{change.path} {fate} in the meantime: run the command again")
    if change.moved_to is not None and change.moved_to.exists() and not _is_same(change):
        raise EditError(f"{change.moved_to} exists already: move it away first")


def _is_same(change: FileChange) -> bool:
    """Return whether the file is at its new path already, as on a disk that ignores case."""
    return change.moved_to is not None and change.path.samefile(change.moved_to)


def _write(change: FileChange) -> None:
    _remove_leftovers(change.path)
    path = change.path.resolve()  # a link stays a link
    if change.new != change.old:
        replace_file(path, change.new, durable=True)
    if change.moved_to is not None:
        change.path.rename(change.moved_to)
        sync_directory(change.moved_to.parent)


def _remove_leftovers(path: Path) -> None:
    """Remove what killed writers of *path* left next to it (`findingmodel.runtime.files.Replacement`)."""
    pattern = re.compile(rf"\.{re.escape(path.name[:100])}\.(\d+)\.tmp")
    for other in path.parent.iterdir():
        found = pattern.fullmatch(other.name)
        if found and not _is_running(int(found[1])):
            with suppress(FileNotFoundError):
                other.unlink()


def _is_running(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


@contextmanager
def _locked(directories: set[Path]) -> Iterator[None]:
    """Let one edit write to *directories* at a time; the lock ends with the process, whatever ends it."""
    with ExitStack() as stack:
        for directory in sorted(path.resolve() for path in directories):
            descriptor = os.open(directory, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield


# from a file to its document, and back


def load(path: Path) -> tuple[bytes, Members]:
    """Return the bytes of the finding model file *path*, and its document.

    Raises:
        FileNotFoundError: it does not exist.
        DocumentError: it is not a valid finding model, so it is not edited.
    """
    path.stat()
    try:
        data, _ = read_stable(str(path.resolve()), MAX_FILE_BYTES)
    except UnreadableError as error:
        raise DocumentError(str(path), [error.problem]) from None
    parsed = parse_model(data)
    if parsed.model is None:
        raise DocumentError(str(path), parsed.problems)
    return data, read(data)


def changed(path: Path, old: bytes | None, document: Members, *, moved_to: Path | None = None) -> FileChange:
    """Return the change of *path* to the edited *document*, in canonical layout.

    Raises:
        DocumentError: it would not be a valid finding model.
    """
    new = canonical(compact(document).encode("utf-8", "surrogateescape"))
    parsed = parse_model(new)
    if parsed.model is None:
        raise DocumentError(str(path), parsed.problems)
    return FileChange(path, old, new, moved_to)


def of_one(path: Path, change: Callable[[Members], tuple[str, ...]]) -> Edit:
    """Return the edit of a single file by *change*, which edits the document and returns notes.

    A file that *change* leaves as it is stays as it is, whatever its layout.

    Raises:
        FileNotFoundError: *path* does not exist.
        DocumentError: it is not a valid finding model, or would not be one afterwards.
        EditError: *change* does not apply to it.
    """
    old, document = load(path)
    before = compact(document)
    with naming(path):
        notes = change(document)
    return Edit((changed(path, old, document),) if compact(document) != before else (), notes)


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """Name the file in the errors of an edit."""
    try:
        yield
    except EditError as error:
        raise EditError(f"{path}: {error}") from None


def source_of(document: Members) -> str:
    """Return the code of the organization that assigned the model's id."""
    return str(get(document, "oifm_id")).split("_")[1]
