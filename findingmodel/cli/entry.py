"""One entry of the index as text."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from findingmodel.cli.text import one_line

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.stores.records import EntryRow

__all__ = ["entry_lines", "field_lines"]

_LABEL_WIDTH = 16


def entry_lines(entry: EntryRow, *, width: int | None) -> list[str]:
    """Return *entry* as lines: id and name, then one labelled field after the other.

    Args:
        entry: what the index holds.
        width: columns of the terminal; None leaves each field on one line.
    """
    return [f"{entry['oifm_id']}  {one_line(entry['name'])}", *field_lines(_fields(entry), width=width)]


def field_lines(fields: Iterable[tuple[str, str]], *, width: int | None) -> list[str]:
    """Return a line for each label and text, or as many as it needs on a terminal of *width* columns."""
    lines: list[str] = []
    for label, text in fields:
        whole = f"  {label:<{_LABEL_WIDTH - 2}}{one_line(text)}"
        lines += [whole] if width is None else _wrapped(whole, width)
    return lines


def _fields(entry: EntryRow) -> Iterator[tuple[str, str]]:
    yield "slug", entry["slug_name"]
    yield "file", entry["filename"]
    for label, texts in (
        ("synonyms", entry["synonyms"]),
        ("tags", entry["tags"]),
        ("contributors", entry["contributors"]),
    ):
        if texts:
            yield label, ", ".join(texts)
    if entry["description"]:
        yield "description", entry["description"]
    for number, attribute in enumerate(entry["attributes"]):
        label = "" if number else "attributes"
        yield label, f"{attribute['attribute_id']} {attribute['name']} ({attribute['type']})"


def _wrapped(line: str, width: int) -> list[str]:
    return textwrap.wrap(
        line, max(width - 1, 2 * _LABEL_WIDTH), subsequent_indent=" " * _LABEL_WIDTH, break_on_hyphens=False
    )
