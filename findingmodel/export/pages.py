"""The pages of an export: their names, the table of all, and which of them an export wrote."""

from __future__ import annotations

import errno
import hashlib
import re
from collections import Counter
from posixpath import basename
from typing import TYPE_CHECKING

from findingmodel.render.markdown import escape_destination, escape_text
from findingmodel.runtime.files import replace_file
from findingmodel.text.normalize import slug
from findingmodel.update.scan import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from findingmodel.stores.records import EntryRow

__all__ = ["Pages", "RECORD", "heading", "page_names", "row"]

_PLAIN = re.compile(r"[a-z0-9_]+")
_LONGEST = 180  # a name and an id must fit where file names have at most 255 bytes


def page_names(files: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return by id the name of each model's page, without ending: small ASCII letters, digits, underscores.

    It is the name of the model's file; one with other characters is made plain. Models whose files are called
    alike get their ids behind the name. So a name depends on no order.

    Args:
        files: id and path of each model.

    >>> page_names([("OIFM_T_1", "chest/Mass.fm.json"), ("OIFM_T_2", "neck/mass.fm.json"), ("OIFM_T_3", "x")])
    {'OIFM_T_1': 'mass_oifm_t_1', 'OIFM_T_2': 'mass_oifm_t_2', 'OIFM_T_3': 'x'}
    """
    stems = {oifm_id: _stem(basename(path).removesuffix(SUFFIX)) for oifm_id, path in files}
    holders = Counter(stems.values())
    ids = set(map(slug, stems))  # a file that is called like a model's id could be taken for its page
    return {
        oifm_id: stem if stem and holders[stem] == 1 and not _ends_in(stem, ids) else _with_id(stem, oifm_id)
        for oifm_id, stem in stems.items()
    }


def _stem(name: str) -> str:
    return (name if _PLAIN.fullmatch(name) else slug(name))[:_LONGEST]


def _with_id(stem: str, oifm_id: str) -> str:
    return f"{stem}_{slug(oifm_id)}".lstrip("_")


def _ends_in(stem: str, ids: set[str]) -> bool:
    return "oifm_" in stem and stem[stem.rindex("oifm_") :] in ids


def heading(count: int) -> str:
    """Return what stands above the rows of *count* models."""
    return "\n".join(
        [
            "# Finding Model Index",
            "",
            f"{count} {'entry' if count == 1 else 'entries'}",
            "",
            "| ID | Name | Synonyms | Tags | Contributors | Attributes |",
            "|----|------|----------|------|--------------|------------|",
            "",
        ]
    )


def row(entry: EntryRow, page: str) -> str:
    """Return the line of *entry*, whose page is ``text/PAGE.md`` and whose file is below ``defs/``.

    Text of the entry is escaped, so that nothing in it can become markup or a column.
    """
    name = f"{_cell(entry['name'])}<br/>[Text](text/{page}.md) [JSON](defs/{_link(entry['filename'])})"
    attributes = [attribute["name"] for attribute in entry["attributes"]]
    lists = (entry["synonyms"], entry["tags"], entry["contributors"], attributes)
    cells = [_cell(entry["oifm_id"]), name, *(", ".join(map(_cell, texts or ())) for texts in lists)]
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    return escape_text(text).replace("|", r"\|")


def _link(path: str) -> str:
    return escape_destination(path).replace("|", "%7C")


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
