"""scan: what finding-model files a directory holds. Nothing is read yet."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import DirectoryError, Problem
from findingmodel.update.report import FileReport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["SUFFIX", "Scan", "SourceFile", "scan"]

SUFFIX = ".fm.json"


class SourceFile(NamedTuple):
    """One file as it was found.

    Attributes:
        path: POSIX path relative to the scanned directory.
        size: bytes.
        mtime_ns: modification time, nanoseconds since the epoch.
    """

    path: str
    size: int
    mtime_ns: int


class Scan(NamedTuple):
    """What a directory holds.

    Attributes:
        root: the directory.
        files: sorted by path.
        failed: what cannot be read or is refused, sorted by path.
        unreadable: directories, and links to directories, relative and ending in "/", of whose content
            nothing is known.
    """

    root: Path
    files: list[SourceFile]
    failed: tuple[FileReport, ...] = ()
    unreadable: tuple[str, ...] = ()


def scan(root: Path) -> Scan:
    """Find every ``*.fm.json`` below *root*, recursively.

    ``.git`` is passed over. Links to directories are not followed, links to files only inside *root*.

    Raises:
        DirectoryError: *root* is no directory, or cannot be listed.
    """
    try:
        top = os.scandir(root)
    except NotADirectoryError:
        raise DirectoryError(
            f"{root} is not a valid directory: it is a file; name the directory that holds it"
        ) from None
    except FileNotFoundError:
        raise DirectoryError(f"{root} is not a valid directory: it does not exist") from None
    except OSError as error:
        raise DirectoryError(f"{root} cannot be listed: {error.strerror}") from error
    walk = _Walk(os.path.realpath(root))
    walk.into(top)
    return Scan(root, sorted(walk.files), tuple(sorted(walk.failed)), tuple(walk.unreadable))


class _Walk:
    """One pass over a tree; a directory is listed once and each file's metadata read once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.files: list[SourceFile] = []
        self.failed: list[FileReport] = []
        self.unreadable: list[str] = []

    def into(self, entries: Iterator[os.DirEntry[str]]) -> None:
        """Take in the *entries* of the top, and all that is below; one directory is open at a time."""
        pending = self._below(entries, "")
        while pending:
            path = pending.pop()
            if (entries_below := self._list(path)) is not None:
                pending += self._below(entries_below, path + "/")

    def _below(self, entries: Iterator[os.DirEntry[str]], prefix: str) -> list[str]:
        """Take in the *entries* of one directory; *prefix* ends in "/". Return the directories among them."""
        directories = []
        with entries:  # type: ignore[attr-defined]  # os.scandir's iterator closes itself
            for entry in self._each(entries, prefix):
                path = prefix + entry.name
                if entry.is_dir(follow_symlinks=False):
                    if entry.name != ".git":
                        directories.append(path)
                elif entry.name.endswith(SUFFIX) or entry.is_symlink():
                    self._take(entry, path)
        return directories

    def _each(self, entries: Iterator[os.DirEntry[str]], prefix: str) -> Iterator[os.DirEntry[str]]:
        """Yield *entries*; where the listing breaks off, as on a network, nothing is known of the rest."""
        try:
            yield from entries
        except OSError as error:
            self._cannot_list(prefix.removesuffix("/"), error)

    def _list(self, path: str) -> Iterator[os.DirEntry[str]] | None:
        try:
            return os.scandir(os.path.join(self.root, path))  # noqa: PTH118  # strings, not Path: 10 times faster
        except FileNotFoundError:
            return None  # it vanished since its parent was listed
        except OSError as error:
            self._cannot_list(path, error)
            return None

    def _cannot_list(self, path: str, error: OSError) -> None:
        self._fail(path or ".", "unreadable", f"the directory cannot be listed: {error.strerror}")
        self.unreadable.append(path + "/" if path else "")

    def _take(self, entry: os.DirEntry[str], path: str) -> None:
        if entry.is_symlink() and not self._follow(entry, path):
            return
        try:
            found = entry.stat()
        except FileNotFoundError:
            return
        except OSError as error:
            self._fail(path, "unreadable", f"the file cannot be looked at: {error.strerror}")
            return
        if not stat.S_ISREG(found.st_mode):
            self._fail(path, "not-a-file", "this is neither a file nor a directory: remove it or rename it")
        elif not _is_text(path):
            self._fail(path, "bad-path", "the path is not UTF-8: rename the file")
        else:
            self.files.append(SourceFile(path, found.st_size, found.st_mtime_ns))

    def _follow(self, entry: os.DirEntry[str], path: str) -> bool:
        """Return whether a link may be read; links that are none of our business are passed over."""
        named = entry.name.endswith(SUFFIX)
        target = os.path.realpath(entry.path)
        if os.path.isdir(target):  # noqa: PTH112  # False where a link leads round in a circle: is_dir would raise
            self._fail(path, "link", "this link leads to a directory: links to directories are not followed")
            self.unreadable.append(path + "/")  # it may stand where a directory stood, and its models stay
            return False
        if not named:
            return False
        if not target.startswith(self.root + os.sep):
            self._fail(path, "link", "this link leads out of the directory: copy the file into it")
            return False
        if not os.path.exists(target):  # noqa: PTH110
            self._fail(path, "link", "this link leads nowhere: remove it or mend it")
            return False
        return True

    def _fail(self, path: str, code: str, message: str) -> None:
        shown = (
            path
            if _is_text(path)
            else path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
        )
        self.failed.append(FileReport(shown, (Problem("", code, message),)))


def _is_text(path: str) -> bool:
    """Return whether *path* is text in any encoding, not bytes that the file system smuggled through."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
