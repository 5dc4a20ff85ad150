"""The page ``index.md``: a Markdown table of all models, as in the repositories of finding models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.model.escape import escape_destination, escape_text

if TYPE_CHECKING:
    from findingmodel.stores.records import EntryRow

__all__ = ["heading", "row"]


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
