"""load: read a file once; fingerprint, parse and prepare those very bytes. Runs in worker threads."""

from __future__ import annotations

import hashlib
import os
import time
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import Problem
from findingmodel.model.parse import parse_model
from findingmodel.sync.record import Fingerprint, make_record

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from findingmodel.stores.records import Record
    from findingmodel.sync.scan import SourceFile

__all__ = ["Loaded", "Loader", "read_stable"]

_ATTEMPTS = 3


class Loaded(NamedTuple):
    """What was learnt of one file; exactly one of the three is the case.

    Attributes:
        file: the bytes that were read, or the scan's view of the file where none were.
        same_as: the bytes are those of this known path: no need to parse them.
        record: a valid model, ready for the store.
        problems: why there is none.
        warnings: oddities of a valid model.
    """

    file: Fingerprint
    same_as: str | None = None
    record: Record | None = None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


class Loader(NamedTuple):
    """How files of one directory are loaded.

    Attributes:
        root: the directory.
        known: path by fingerprint, for files whose bytes the index already knows: at the same path, or at one
            that is missing.
        max_bytes: larger files are not read.
    """

    root: str
    known: Mapping[str, Sequence[str]]
    max_bytes: int

    def load_chunk(self, sources: Sequence[SourceFile]) -> list[Loaded]:
        """Load several files, in order."""
        return [self.load(source) for source in sources]

    def load(self, source: SourceFile) -> Loaded:
        """Load one file. Never raises for what the file is or holds."""
        now = time.time_ns()
        unread = Fingerprint(source.path, source.size, source.mtime_ns, "", now)
        try:
            data, mtime_ns = read_stable(os.path.join(self.root, source.path), self.max_bytes)  # noqa: PTH118
        except _Unreadable as error:
            return Loaded(unread, problems=(error.problem,))
        file = Fingerprint(source.path, len(data), mtime_ns, hashlib.sha256(data).hexdigest(), now)
        candidates = self.known.get(file.sha256, ())
        if candidates:
            same = source.path if source.path in candidates else candidates[0]
            return Loaded(file, same_as=same)
        return self.parse(data, file)

    def parse(self, data: bytes, file: Fingerprint) -> Loaded:
        """Parse *data*, the bytes of *file*."""
        parsed = parse_model(data)
        if parsed.model is None:
            return Loaded(file, problems=parsed.problems)
        return Loaded(file, record=make_record(parsed.model, data, file), warnings=parsed.warnings)


class _Unreadable(Exception):
    def __init__(self, code: str, message: str) -> None:
        self.problem = Problem("", code, message)
        super().__init__(message)


def read_stable(path: str, max_bytes: int) -> tuple[bytes, int]:
    """Return the bytes of *path*, and its modification time in nanoseconds at the moment of reading.

    A file that changes while it is read is read again, three times at most.
    """
    try:
        for _ in range(_ATTEMPTS):
            with open(path, "rb", buffering=0) as file:  # noqa: PTH123  # called once for every file
                before = os.fstat(file.fileno())
                if before.st_size > max_bytes:
                    raise _Unreadable("too-large", f"{before.st_size:,} bytes; the limit is {max_bytes:,}")
                data = file.read(before.st_size + 1)
                after = os.fstat(file.fileno())
            if len(data) == after.st_size and before.st_mtime_ns == after.st_mtime_ns:
                return data, after.st_mtime_ns
    except FileNotFoundError:
        raise _Unreadable("vanished", "the file was removed while the directory was read: update again") from None
    except PermissionError:
        raise _Unreadable("unreadable", "permission to read the file is denied: check its mode and owner") from None
    except OSError as error:
        raise _Unreadable("unreadable", f"the file cannot be read: {error.strerror}") from None
    raise _Unreadable("unstable", "the file keeps changing while it is read: update again when its writer is done")
