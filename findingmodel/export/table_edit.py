"""Edits made in a table: an exported CSV, changed in a spreadsheet, goes back into the files.

Each row is compared with what an export of its model would say now. Only cells that differ are applied, so
rows and columns that were removed from the table, and other files, stay as they are.
"""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.author.collection import each_file, parsed
from findingmodel.author.edit import Edit, changed, load, naming
from findingmodel.author.triage_list import CuratedList
from findingmodel.errors import EditError, QueryError
from findingmodel.export.tables import attribute_rows, model_row, unshielded
from findingmodel.model import edit
from findingmodel.model.layout import Digits, compact
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from findingmodel.author.edit import FileChange
    from findingmodel.model.layout import Members


_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][-+]?\d+)?")  # as in JSON


class _TableRow(NamedTuple):
    """A row of the table: its line, and its cells by the names of the columns."""

    line: int
    cells: dict[str, str]


def edit_from_table(directory: Path, data: bytes) -> Edit:
    """Plan to change the models below *directory* as an edited table of models or of attributes says.

    The table is one of `findingmodel.export.tables`, whichever rows and columns are left of it. It tells
    models by ``oifm_id``: their name, which changes in descriptions too, description, synonyms and tags can
    change; or attributes by ``oifma_id``: name, description, unit, minimum, maximum, required, and the names
    of values. An empty cell removes what was there. Changes in other columns are in the notes.

    The column ``version`` tells which state of the file a row was exported from: a row that would change a
    file which was edited since is refused, because it would undo that edit.

    Args:
        directory: of the collection.
        data: the bytes of the CSV file.

    Raises:
        QueryError: *data* is not a table, or has no column of ids.
        DirectoryError: *directory* cannot be listed.
        EditError: a row is repeated or older than its file, a cell cannot be applied, or two models would
            have the same name.
        DocumentError: a file is not valid, or would not be afterwards.
    """
    key, rows = _rows(CuratedList(data))
    changes: list[FileChange] = []
    notes: list[str] = []
    names: dict[str, str] = {}
    for name, text in each_file(directory):
        model = parsed(text)
        if model is None:
            continue
        path = directory / name
        sha256 = hashlib.sha256(text).hexdigest()
        now = [model_row(model, name, sha256)] if key == "oifm_id" else list(attribute_rows(model, sha256))
        differing = [_compared(path, row, rows.pop(row[key])) for row in now if row.get(key) in rows]
        final = model["name"]
        if any(cells for _, cells in differing):
            old, document = load(path)
            before = compact(document)
            with naming(path):
                for row, cells in differing:
                    notes += _apply(document, str(row[key]), cells)
            if compact(document) != before:
                changes.append(changed(path, old, document))
            final = edit.get(document, "name")
        holder = names.setdefault(fold(final), name)
        if holder != name:
            raise EditError(f"{path}: the name {final!r} is that of {holder} as well")
    notes += [f"line {row.line}: no file below {directory} has {found}" for found, row in rows.items()]
    return Edit(tuple(changes), tuple(notes))


def _rows(table: CuratedList) -> tuple[str, dict[str, _TableRow]]:
    """Return the name of the column of ids, and the rows by id."""
    columns = [fold(name) for name in table.columns]
    key = next((name for name in ("oifma_id", "oifm_id") if name in columns), None)
    if key is None:
        raise QueryError("the table has neither a column oifm_id nor oifma_id, which tells what a row is of")
    place = table.column(key)
    rows: dict[str, _TableRow] = {}
    for record in table.rows:
        found = table.text(record, place)
        if not found:
            continue
        if found in rows:
            raise EditError(f"line {record.line}: {found} is in line {rows[found].line} already")
        cells = {name: table.text(record, number) for number, name in enumerate(columns)}
        rows[found] = _TableRow(record.line, cells)
    return key, rows


def _compared(path: Path, now: Mapping[str, Any], row: _TableRow) -> tuple[Mapping[str, Any], dict[str, str]]:
    """Return *now*, what an export would say, and the cells of *row* that differ.

    Raises:
        EditError: there are such cells, but the row was exported from another state of the file.
    """
    cells = dict(_differing(now, row))
    exported = row.cells.get("version", "")
    if cells and exported and exported != now["version"]:
        raise EditError(
            f"line {row.line}: {path} was edited since the table was exported: update the index and export "
            "again, or empty the column version to apply the row nevertheless"
        )
    return now, cells


def _differing(now: Mapping[str, Any], row: _TableRow) -> Iterator[tuple[str, str]]:
    """Yield the columns whose cells differ from what an export would say, with their new texts."""
    for column, text in row.cells.items():
        if column in now and column != "version":
            text = unshielded(text)
            value = "" if now[column] is None else str(now[column]).strip()
            if text != value and not (column == "required" and text.lower() == value):
                yield column, text


def _apply(document: Members, found: str, cells: Mapping[str, str]) -> list[str]:
    """Change *document* as *cells* say of the model or the attribute *found*; return what was not applied."""
    is_attribute = found.startswith("OIFMA")
    part = edit.find_attribute(document, found) if is_attribute else document
    setters = _ATTRIBUTE_SETTERS if is_attribute else _MODEL_SETTERS
    unsaid = []
    for column, text in cells.items():
        if column not in setters:
            unsaid.append(f"{found}: the column {column} cannot be changed in a table")
            continue
        try:
            setters[column](part, text)
        except ValueError as error:
            raise EditError(f"{found}, column {column}: {error}") from None
    return unsaid


def _set_text(field: str) -> Callable[[Members, str], None]:
    return lambda part, text: edit.put(part, field, text or None)


def _set_list(field: str) -> Callable[[Members, str], None]:
    def put(part: Members, text: str) -> None:
        words = [word.strip() for word in text.split(";")]
        edit.put(part, field, list(dict.fromkeys(filter(None, words))))

    return put


def _set_number(field: str) -> Callable[[Members, str], None]:
    def put(part: Members, text: str) -> None:
        if text and not _NUMBER.fullmatch(text):
            raise ValueError(f"{text!r} is not a number such as 3 or 0.5")
        edit.put(part, field, Digits(text) if text else None)

    return put


def _set_required(part: Members, text: str) -> None:
    if text.lower() not in ("true", "false"):
        raise ValueError(f"{text!r} is neither true nor false")
    edit.put(part, "required", text.lower() == "true")


def _set_values(attribute: Members, text: str) -> None:
    names = [name.strip() for name in text.split(";")]
    values = edit.items(attribute, "values")
    if len(names) != len(values):
        raise ValueError(f"{len(values)} values cannot become {len(names)}; add-value adds one")
    for value, name in zip(values, names, strict=True):
        edit.put(value, "name", name)


_MODEL_SETTERS: dict[str, Callable[[Members, str], object]] = {
    "name": edit.rename,
    "description": _set_text("description"),
    "synonyms": _set_list("synonyms"),
    "tags": _set_list("tags"),
}
_ATTRIBUTE_SETTERS: dict[str, Callable[[Members, str], object]] = {
    "name": _set_text("name"),
    "description": _set_text("description"),
    "unit": _set_text("unit"),
    "minimum": _set_number("minimum"),
    "maximum": _set_number("maximum"),
    "required": _set_required,
    "values": _set_values,
}
