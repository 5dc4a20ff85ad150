"""load: read a file once; hash, parse and prepare the same bytes. Runs in worker threads and processes."""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import time
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import Problem
from findingmodel.limits import MAX_NESTING
from findingmodel.model.parse import parse_model, readable_id
from findingmodel.stores.records import FileState, file_stamp
from findingmodel.update.record import make_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from findingmodel.stores.records import Record
    from findingmodel.update.scan import SourceFile

_ATTEMPTS = 3
_FLAGS = os.O_RDONLY | os.O_NONBLOCK | os.O_NOFOLLOW  # the file may have become a pipe or a link


class Loaded(NamedTuple):
    """The result of loading one file; exactly one of *same_as*, *record* and *problems* is set.

    Attributes:
        file: the state of the bytes that were read, or the scan's view of the file if none were. Of a file
            without a valid model, it has the id that can be read.
        same_as: the known path that has the same bytes, which were not parsed.
        record: a valid model, ready for the store.
        problems: why the file has no valid model.
        warnings: oddities of a valid model.
    """

    file: FileState
    same_as: str | None = None
    record: Record | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def _refuse_nothing(_: Record) -> str | None:
    return None


class Loader(NamedTuple):
    """How the files of one directory are loaded.

    Attributes:
        root: the directory.
        max_bytes: larger files are not read.
        fingerprints: the known SHA-256 of the files to load, by path: equal bytes are not parsed.
        lost: the known paths that are missing, by SHA-256: a file with these bytes was moved.
        refuses: returns why the store can never hold a record; None if it can.
        max_nesting: files that are nested deeper are not valid.
        is_bound: whether to refuse links out of the directory that appeared after the scan.
    """

    root: str
    max_bytes: int
    fingerprints: Mapping[str, str] = {}
    lost: Mapping[str, str] = {}
    refuses: Callable[[Record], str | None] = _refuse_nothing
    max_nesting: int = MAX_NESTING
    is_bound: bool = False

    def load_chunk(self, sources: Sequence[SourceFile]) -> list[Loaded]:
        """Load several files, in order."""
        return [self.load(source) for source in sources]

    def load(self, source: SourceFile) -> Loaded:
        """Load one file. Whatever the file is or holds, this does not raise."""
        now = time.time_ns()
        try:
            within = self.root if self.is_bound else None
            data, status = read_stable(f"{self.root}/{source.path}", self.max_bytes, within=within)
        except UnreadableError as error:
            unread = FileState(source.path, source.size, source.mtime_ns, "", now, "")
            return Loaded(unread, problems=(error.problem,))
        sha256 = hashlib.sha256(data).hexdigest()
        file = FileState(
            source.path, len(data), status.st_mtime_ns, sha256, now, "", stamp=file_stamp(status)
        )
        if file.sha256 == self.fingerprints.get(source.path):
            return Loaded(file, same_as=source.path)
        if file.sha256 in self.lost:
            return Loaded(file, same_as=self.lost[file.sha256])
        return self.parse(data, file)

    def without_manifest(self) -> Loader:
        """Return a loader that parses every file, because it knows no earlier bytes."""
        return self._replace(fingerprints={}, lost={})

    def parse(self, data: bytes, file: FileState) -> Loaded:
        """Parse *data*, the bytes of *file*."""
        parsed = parse_model(data, max_nesting=self.max_nesting)
        if parsed.model is None:
            return Loaded(file._replace(oifm_id=readable_id(data)), problems=parsed.problems)
        record = make_record(parsed.model, data, file)
        if (reason := self.refuses(record)) is not None:
            return Loaded(record.file, problems=(Problem("", "not-written", reason),))
        return Loaded(file, record=record, warnings=parsed.warnings)


class UnreadableError(Exception):
    """A file cannot be read; ``problem`` says why."""

    def __init__(self, code: str, message: str) -> None:
        self.problem = Problem("", code, message)
        super().__init__(message)


def read_stable(path: str, max_bytes: int, *, within: str | None = None) -> tuple[bytes, os.stat_result]:
    """Return the bytes of *path*, and the status of the file when they were read.

    A file that changes while it is read is read again, at most three times in all.

    Args:
        path: the file.
        max_bytes: a larger file is not read.
        within: the directory that a link must not lead out of; None for no bound.

    Raises:
        UnreadableError: the file cannot be read, is too large, or keeps changing.
    """
    try:
        for _ in range(_ATTEMPTS):
            descriptor = _open(path, within)  # a file object would double the time of this function
            try:
                before = os.fstat(descriptor)
                if not stat.S_ISREG(before.st_mode):
                    raise UnreadableError("not-a-file", "this is not a regular file: remove it or rename it")
                if before.st_size > max_bytes:
                    raise UnreadableError(
                        "too-large", f"{before.st_size:,} bytes; the limit is {max_bytes:,}"
                    )
                data = os.read(descriptor, before.st_size + 1)
                after = os.fstat(descriptor)
            finally:
                os.close(descriptor)
            if len(data) == after.st_size and before.st_mtime_ns == after.st_mtime_ns:
                return data, after
    except FileNotFoundError:
        raise UnreadableError(
            "vanished", "the file was removed while the directory was read: update again"
        ) from None
    except PermissionError:
        raise UnreadableError(
            "unreadable", "permission to read the file is denied: check its mode and owner"
        ) from None
    except OSError as error:
        raise UnreadableError("unreadable", f"the file cannot be read: {error.strerror}") from None
    raise UnreadableError(
        "unstable", "the file keeps changing while it is read: update again when its writer is done"
    )


def _open(path: str, within: str | None) -> int:
    try:
        return os.open(path, _FLAGS)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
    target = os.path.realpath(path)
    if within is not None and not target.startswith(os.path.realpath(within) + os.sep):
        raise UnreadableError("link", "this link leads out of the directory: copy the file into it")
    return os.open(target, _FLAGS)
