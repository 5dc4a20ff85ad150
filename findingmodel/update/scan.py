"""scan: which finding model files a directory holds. No file is read."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import DirectoryError, Problem
from findingmodel.stores.records import file_stamp
from findingmodel.update.report import FileReport

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SUFFIX = ".fm.json"

_SIDE_FILES = ("._", ".#", "~$", ".~")  # macOS, Emacs, Office and LibreOffice write these beside a file


def is_model_name(name: str) -> bool:
    """Return whether a file of this name is a finding model file.

    Files that other programs keep beside one are not, although their names may end alike.

    >>> [is_model_name(name) for name in ("pe.fm.json", "._pe.fm.json", ".#pe.fm.json", "pe.fm.json~")]
    [True, False, False, False]
    """
    return name.endswith(SUFFIX) and not name.startswith(_SIDE_FILES)


class SourceFile(NamedTuple):
    """A file that a scan found; fields as in `findingmodel.stores.records.FileState`."""

    path: str
    size: int
    mtime_ns: int
    stamp: int = 0

    @classmethod
    def of(cls, path: str, status: os.stat_result) -> SourceFile:
        """Return the file at *path*, which has this *status*."""
        return cls(path, status.st_size, status.st_mtime_ns, file_stamp(status))


class Scan(NamedTuple):
    """The finding model files of a directory.

    Attributes:
        root: the directory.
        files: sorted by path.
        failed: what cannot be read or is refused, sorted by path.
        unreadable: directories, and links to directories, whose content is unknown; relative, ending in "/".
        skipped: files that are named almost like finding model files, such as backups, sorted.
    """

    root: Path
    files: list[SourceFile]
    failed: tuple[FileReport, ...] = ()
    unreadable: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()


def scan(root: Path) -> Scan:
    """Find every ``*.fm.json`` file below *root*, recursively.

    ``.git`` and side files such as ``._pe.fm.json`` are skipped. Links to directories are not followed, links
    to files only inside *root*.

    Raises:
        DirectoryError: *root* is not a directory, or cannot be listed.
    """
    try:
        entries = os.scandir(root)
    except NotADirectoryError:
        raise DirectoryError(
            f"{root} is not a valid directory: it is a file; name the directory that holds it"
        ) from None
    except FileNotFoundError:
        raise DirectoryError(f"{root} is not a valid directory: it does not exist") from None
    except OSError as error:
        raise DirectoryError(f"{root} cannot be listed: {error.strerror}") from error
    walk = _Walk(os.path.realpath(root))
    walk.run(entries)
    skipped = tuple(sorted(walk.skipped))
    return Scan(root, sorted(walk.files), tuple(sorted(walk.failed)), tuple(walk.unreadable), skipped)


class _Walk:
    """One pass over a tree: lists each directory once, and reads the metadata of each file once."""

    def __init__(self, root: str) -> None:
        self.root = root
        self.files: list[SourceFile] = []
        self.failed: list[FileReport] = []
        self.unreadable: list[str] = []
        self.skipped: list[str] = []

    def run(self, entries: Iterator[os.DirEntry[str]]) -> None:
        """Walk the *entries* of the root and all below; only one directory is open at a time."""
        pending = self._walk_directory(entries, "")
        while pending:
            path = pending.pop()
            try:
                entries = os.scandir(os.path.join(self.root, path))  # noqa: PTH118  # Path is 10 times slower
            except FileNotFoundError:
                continue  # it was removed after its parent was listed
            except OSError as error:
                self._fail_directory(path, error)
                continue
            pending += self._walk_directory(entries, path + "/")

    def _walk_directory(self, entries: Iterator[os.DirEntry[str]], prefix: str) -> list[str]:
        """Add the files among *entries*, and return the directories; *prefix* is empty or ends in "/"."""
        directories = []
        with entries:  # type: ignore[attr-defined]  # the iterator of os.scandir is a context manager
            try:
                for entry in entries:
                    path = prefix + entry.name
                    if entry.is_dir(follow_symlinks=False):
                        if entry.name != ".git":
                            directories.append(path)
                        continue
                    is_model = is_model_name(entry.name)
                    if is_model or entry.is_symlink():
                        self._add(entry, path)
                    if not is_model and SUFFIX in entry.name.lower():
                        self.skipped.append(_shown(path))
            except OSError as error:  # the listing broke off, as on a network; the rest is unknown
                self._fail_directory(prefix.removesuffix("/"), error)
        return directories

    def _add(self, entry: os.DirEntry[str], path: str) -> None:
        if entry.is_symlink() and not self._may_follow(entry, path):
            return
        try:
            status = entry.stat()
        except FileNotFoundError:
            return
        except OSError as error:
            self._fail(path, "unreadable", f"the file's metadata cannot be read: {error.strerror}")
            return
        if not stat.S_ISREG(status.st_mode):
            self._fail(path, "not-a-file", "this is neither a file nor a directory: remove it or rename it")
        elif not _is_text(path):
            self._fail(path, "bad-path", "the path is not UTF-8: rename the file")
        else:
            self.files.append(SourceFile.of(path, status))

    def _may_follow(self, entry: os.DirEntry[str], path: str) -> bool:
        """Return whether a link leads to a finding model file inside the root."""
        target = os.path.realpath(entry.path)
        if os.path.isdir(target):  # noqa: PTH112  # False for a loop of links, where is_dir would raise
            self._fail(path, "link", "this link leads to a directory: links to directories are not followed")
            self.unreadable.append(path + "/")  # the models of a directory that it replaces stay
        elif is_model_name(entry.name):
            if not target.startswith(self.root + os.sep):
                self._fail(path, "link", "this link leads out of the directory: copy the file into it")
            elif not os.path.exists(target):  # noqa: PTH110
                self._fail(path, "link", "the target of this link does not exist: remove it or repair it")
            else:
                return True
        return False

    def _fail_directory(self, path: str, error: OSError) -> None:
        self._fail(path or ".", "unreadable", f"the directory cannot be listed: {error.strerror}")
        self.unreadable.append(path + "/" if path else "")

    def _fail(self, path: str, code: str, message: str) -> None:
        self.failed.append(FileReport(_shown(path), (Problem("", code, message),)))


def _shown(path: str) -> str:
    """Return *path* as text, with bytes that are not UTF-8 escaped."""
    if _is_text(path):
        return path
    return path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _is_text(path: str) -> bool:
    """Return whether *path* can be encoded, so that it holds no bytes that are not text."""
    try:
        path.encode()
    except UnicodeEncodeError:
        return False
    return True
