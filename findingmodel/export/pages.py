"""The pages of an export: their names, the table of all models, and the record of the pages written."""

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
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from findingmodel.stores.records import EntryRow

RECORD = ".findingmodel-export"
"""The file that records the pages written, in lines like those of sha256sum."""

_PLAIN = re.compile(r"[a-z0-9_]+")
_MAX_STEM = 180  # a stem and an id must fit into a file name of at most 255 bytes
_RECORD_LINE = re.compile(r"([0-9a-f]{64})  (text/[a-z0-9_]+\.md|index(?:_[0-9]+)?\.md)")
ROWS_PER_TABLE = 500
"""A longer table is split: web pages of code repositories show no larger files, and browsers are slow."""


def page_names(files: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return by id the name of each model's page, without suffix.

    It is made from the name of the model's file, in lower-case ASCII letters, digits and underscores. If
    several files have the same name, the id is appended, so a name does not depend on the order of models.

    Args:
        files: id and path of each model.

    >>> page_names([("OIFM_T_1", "chest/Mass.fm.json"), ("OIFM_T_2", "neck/mass.fm.json"), ("OIFM_T_3", "x")])
    {'OIFM_T_1': 'mass_oifm_t_1', 'OIFM_T_2': 'mass_oifm_t_2', 'OIFM_T_3': 'x'}
    """
    stems = {oifm_id: _stem(basename(path).removesuffix(SUFFIX)) for oifm_id, path in files}
    counts = Counter(stems.values())
    ids = set(map(slug, stems))

    def is_safe(stem: str) -> bool:
        if not stem or counts[stem] > 1:
            return False
        # A file named like the id of another model could get the name of its page.
        return "oifm_" not in stem or stem[stem.rindex("oifm_") :] not in ids

    return {
        oifm_id: stem if is_safe(stem) else f"{stem}_{slug(oifm_id)}".lstrip("_")
        for oifm_id, stem in stems.items()
    }


def _stem(name: str) -> str:
    return (name if _PLAIN.fullmatch(name) else slug(name))[:_MAX_STEM]


_TITLE = "# Finding Model Index\n\n"


def heading(count: int) -> str:
    """Return the text above the rows of the table of *count* models."""
    return (
        f"{_TITLE}{_entries(count)}\n\n"
        "| ID | Name | Synonyms | Tags | Contributors | Attributes |\n"
        "|----|------|----------|------|--------------|------------|\n"
    )


def contents(count: int, tables: Sequence[tuple[str, str]]) -> str:
    """Return the page that lists *tables*, each with its first and its last name, of *count* models."""
    lines = [
        f"{number}. [{escape_text(first)} to {escape_text(last)}]({table_name(number)})\n"
        for number, (first, last) in enumerate(tables, 1)
    ]
    return f"{_TITLE}{_entries(count)}\n\n{''.join(lines)}"


def table_name(number: int) -> str:
    """Return the file of one of several tables, which are numbered from 1."""
    return f"index_{number}.md"


def _entries(count: int) -> str:
    return f"{count} {'entry' if count == 1 else 'entries'}"


def row(entry: EntryRow, page: str, files: str | None = "defs/") -> str:
    """Return the row of *entry*, whose page is ``text/PAGE.md`` and whose file is below *files*.

    Text of the entry is escaped, so that it cannot become markup or a column.

    Args:
        entry: the entry.
        page: the name of its page.
        files: where the files are, seen from the table: empty or with a slash at the end; None for no links.
    """
    name = f"{_cell(entry['name'])}<br/>[Text](text/{page}.md)"
    if files is not None:
        file = escape_destination(files + entry["filename"]).replace("|", "%7C")
        name += f" [JSON]({file})"
    attributes = [attribute["name"] for attribute in entry["attributes"]]
    lists = (entry["synonyms"], entry["tags"], entry["contributors"], attributes)
    cells = [_cell(entry["oifm_id"]), name, *(", ".join(map(_cell, texts or ())) for texts in lists)]
    return f"| {' | '.join(cells)} |\n"


def _cell(text: str) -> str:
    return escape_text(text).replace("|", r"\|")


class Pages:
    """The pages ``text/NAME.md`` that exports write below *directory*.

    Raises:
        OSError: ``text`` is a link, so that pages would be written or removed elsewhere.

    Attributes:
        written: the number of pages that this export wrote.
        unchanged: the number of pages that it did not touch.
    """

    def __init__(self, directory: Path) -> None:
        if (directory / "text").is_symlink():
            raise NotADirectoryError(
                errno.ENOTDIR, "is a link: pages are not written through links", str(directory / "text")
            )
        self._directory = directory
        self._known = _read_record(directory / RECORD)
        self._current: dict[str, str] = {}
        self.written = 0
        self.unchanged = 0

    def put(self, path: str, text: str) -> None:
        """Write the page at *path*, ``text/NAME.md`` or a table, if it changes.

        Raises:
            OSError: it cannot be written.
        """
        data = text.encode()
        if replace_file(self._directory / path, data):
            self.written += 1
        else:
            self.unchanged += 1
        self._current[path] = hashlib.sha256(data).hexdigest()

    def keep(self, name: str) -> None:
        """Leave the page *name* as it is, because its model cannot be parsed."""
        path = f"text/{name}.md"
        if path in self._known:
            self._current[path] = self._known[path]

    def stale(self) -> list[str]:
        """Return the pages of earlier exports whose models are gone and that were not edited since."""
        gone = sorted(self._known.keys() - self._current.keys())
        return [path for path in gone if self._is_unedited(path)]

    def remove(self, paths: list[str]) -> None:
        """Remove pages that are `stale`."""
        for path in paths:
            (self._directory / path).unlink()

    def finish(self) -> None:
        """Record which pages exist now."""
        pages = self._current | {path: self._known[path] for path in self.stale()}
        lines = [f"{sha256}  {path}\n" for path, sha256 in sorted(pages.items())]
        replace_file(self._directory / RECORD, "".join(lines).encode())

    def _is_unedited(self, path: str) -> bool:
        try:
            data = (self._directory / path).read_bytes()
        except OSError:
            return False
        return hashlib.sha256(data).hexdigest() == self._known[path]


def _read_record(record: Path) -> dict[str, str]:
    """Return the SHA-256 of each recorded page by path; lines that no export writes are ignored.

    A record that is a link is ignored too: it was not written by an export, and its target may be endless.
    """
    if record.is_symlink():
        return {}
    try:
        lines = record.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    matches = [match for match in map(_RECORD_LINE.fullmatch, lines) if match]
    return {match[2]: match[1] for match in matches}
