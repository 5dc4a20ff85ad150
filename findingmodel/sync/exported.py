"""Which pages an export wrote, so that a later one removes those, and never anything else."""

from __future__ import annotations

import errno
import hashlib
import re
from typing import TYPE_CHECKING

from findingmodel.sync.atomic import replace_file

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["RECORD", "Pages"]

RECORD = ".findingmodel-export"
"""The record's name: lines like those of sha256sum."""

_TEXTS = "text"
_LINE = re.compile(r"([0-9a-f]{64})  (text/[a-z0-9_]+\.md)")


class Pages:
    """The pages below *directory* that exports write: ``text/NAME.md``.

    Raises:
        OSError: ``text`` is a link, and pages would be written, or removed, somewhere else.

    Attributes:
        written: how many this export wrote.
        unchanged: how many were as they should be.
    """

    def __init__(self, directory: Path) -> None:
        if (directory / _TEXTS).is_symlink():
            raise NotADirectoryError(
                errno.ENOTDIR, "is a link: no page is written through one", str(directory / _TEXTS)
            )
        self._directory = directory
        self._known = _read(directory / RECORD)
        self._current: dict[str, str] = {}
        self.written = 0
        self.unchanged = 0

    def put(self, name: str, text: str) -> None:
        """Write the page *name*, if it is not as it should be.

        Raises:
            OSError: it cannot be written.
        """
        data, path = text.encode(), f"text/{name}.md"
        if replace_file(self._directory / path, data):
            self.written += 1
        else:
            self.unchanged += 1
        self._current[path] = hashlib.sha256(data).hexdigest()

    def keep(self, name: str) -> None:
        """Leave the page *name* as it is: there is a model, but nothing new can be said of it."""
        path = f"text/{name}.md"
        if path in self._known:
            self._current[path] = self._known[path]

    def stale(self) -> list[str]:
        """Return the pages that earlier exports wrote, whose models are gone; none that was edited since."""
        gone = sorted(self._known.keys() - self._current.keys())
        return [path for path in gone if self._is_ours(path)]

    def remove(self, paths: list[str]) -> None:
        """Remove pages that are `stale`."""
        for path in paths:
            (self._directory / path).unlink()

    def finish(self) -> None:
        """Write down which pages are there now."""
        pages = self._current | {path: self._known[path] for path in self.stale()}
        lines = [f"{sha256}  {path}\n" for path, sha256 in sorted(pages.items())]
        replace_file(self._directory / RECORD, "".join(lines).encode())

    def _is_ours(self, path: str) -> bool:
        try:
            data = (self._directory / path).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == self._known[path]


def _read(record: Path) -> dict[str, str]:
    """Return by path the fingerprint of each page that was written, without lines that no export writes.

    A record that is a link is none of ours; it may lead to what has no end.
    """
    if record.is_symlink():
        return {}
    try:
        lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    found = [match for match in map(_LINE.fullmatch, lines) if match]
    return {match[2]: match[1] for match in found}
