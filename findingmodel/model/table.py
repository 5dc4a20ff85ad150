"""Entries and hits as rows of a table: for a data frame, a CSV file or a spreadsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.model.entry import IndexEntry, SearchHit

if TYPE_CHECKING:
    from collections.abc import Iterable

    Row = dict[str, str | float | bool | None]

__all__ = ["ENTRY_COLUMNS", "HIT_COLUMNS", "to_dicts"]

ENTRY_COLUMNS = tuple(IndexEntry.model_fields)
HIT_COLUMNS = tuple(SearchHit.model_fields)
_BETWEEN = "; "


def to_dicts(entries: Iterable[IndexEntry]) -> list[Row]:
    """Return a flat row for each of *entries*, by the names of its fields, in their order.

    The items of a list become one text with ``"; "`` between them, which is empty where there are none:
    ``synonyms``, ``tags``, ``contributors``, the names of ``attributes``, and why a hit ``matched``, as in
    ``name: lung nodule``. `csv.DictWriter` and libraries of data frames take the rows as they are.
    """
    return [_row(entry) for entry in entries]


def _row(entry: IndexEntry) -> Row:
    row: Row = {
        "oifm_id": entry.oifm_id,
        "name": entry.name,
        "slug_name": entry.slug_name,
        "filename": entry.filename,
        "file_hash_sha256": entry.file_hash_sha256,
        "description": entry.description,
        "synonyms": _joined(entry.synonyms),
        "tags": _joined(entry.tags),
        "contributors": _joined(entry.contributors),
        "attributes": _joined(attribute.name for attribute in entry.attributes),
    }
    if isinstance(entry, SearchHit):
        row["score"] = entry.score
        row["matched"] = _joined(f"{match.field}: {' '.join(match.terms)}" for match in entry.matched)
        row["negated"] = entry.negated
    return row


def _joined(texts: Iterable[str] | None) -> str:
    return _BETWEEN.join(texts or ())
