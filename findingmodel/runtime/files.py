"""Standard input, and atomic replacement of files: a reader sees the old or the new one, whole."""

from __future__ import annotations

import errno
import filecmp
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from findingmodel.errors import ConfigError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import BinaryIO, Self


def standard_input() -> BinaryIO:
    """Return the bytes of standard input.

    Raises:
        ConfigError: the program was started with standard input closed.
    """
    if sys.stdin is None:
        raise ConfigError("there is nothing to read: standard input is closed")
    return sys.stdin.buffer


def replace_file(path: Path, data: bytes, *, durable: bool = False) -> bool:
    """Write *data* to *path*, and create missing directories; return whether the content has changed.

    The arguments are those of `Replacement`.

    Raises:
        OSError: the file cannot be read or written.
    """
    with suppress(FileNotFoundError):
        if path.stat().st_size == len(data) and path.read_bytes() == data:
            return False
    with Replacement(path, durable=durable) as new:
        new.write(data)
    return True


class Replacement:
    """The new content of *path*, written in pieces; replaces the old when the block ends without an error.

    The new file has the permissions of the old one.

    Args:
        path: the file.
        durable: whether to wait until the disk has it, so that it survives a loss of power, too.

    Attributes:
        changed: whether the content has changed; set at the end of the block.
    """

    def __init__(self, path: Path, *, durable: bool = False) -> None:
        self._path = path
        self._durable = durable
        self._new = path.parent / f".{path.name[:100]}.{os.getpid()}.tmp"
        self.changed = False

    def __enter__(self) -> Self:
        if self._path.is_dir():
            raise IsADirectoryError(errno.EISDIR, "is a directory, not a file", str(self._path))
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._new.unlink(missing_ok=True)
        self._file = self._new.open("xb")  # fails on a link that somebody else has put there
        return self

    def write(self, data: bytes) -> None:
        """Write the next piece."""
        self._file.write(data)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None and self._durable:
                self._file.flush()
                os.fsync(self._file.fileno())
            self._file.close()
            if kind is None:
                self.changed = self._take_effect()
        finally:
            self._new.unlink(missing_ok=True)

    def _take_effect(self) -> bool:
        if self._path.exists():
            if filecmp.cmp(self._new, self._path, shallow=False):
                return False
            Path(self._new).chmod(self._path.stat().st_mode & 0o777)
        self._new.replace(self._path)
        if self._durable:
            sync_directory(self._path.parent)
        return True


def sync_directory(directory: Path) -> None:
    """Wait until the disk has the names in *directory*.

    Raises:
        OSError: it cannot be opened.
    """
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
