"""Models and attributes as tables: rows for a spreadsheet or a data frame, made from the models' JSON.

Lists become one text, joined by ``"; "``; ontology codes are ``SYSTEM CODE``. Absent fields are empty cells.
A text that a spreadsheet would run as a formula begins with an apostrophe, which spreadsheets hide.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any, Literal

from findingmodel.batch.write import no_formula
from findingmodel.stores.paging import iter_models

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Iterator, Mapping

    from findingmodel.stores.protocol import Store

    Table = Literal["models", "attributes"]
    Row = dict[str, Any]

MODEL_COLUMNS = (
    *("oifm_id", "name", "description", "synonyms", "tags", "contributors", "index_codes"),
    *("replaces", "attributes", "file", "version"),
)
ATTRIBUTE_COLUMNS = (
    *("oifm_id", "model", "oifma_id", "name", "description", "type", "values", "value_codes"),
    *("max_selected", "minimum", "maximum", "unit", "required", "index_codes", "version"),
)
COLUMNS: dict[Table, tuple[str, ...]] = {"models": MODEL_COLUMNS, "attributes": ATTRIBUTE_COLUMNS}

_BETWEEN = "; "
_VERSION_LENGTH = 12


def version(sha256: str) -> str:
    """Return the version of a file in a table: the first digits of its SHA-256, in hexadecimal."""
    return sha256[:_VERSION_LENGTH]


def model_row(model: Mapping[str, Any], file: str = "", sha256: str = "") -> Row:
    """Return the row of a model.

    Args:
        model: its parsed JSON.
        file, sha256: the path and the fingerprint of its file, if known.

    >>> row = model_row({"name": "edema", "attributes": [{"name": "presence"}], "tags": ["CT", "MR"]})
    >>> row["tags"], row["attributes"], row["synonyms"]
    ('CT; MR', 'presence', '')
    """
    contributors = [one.get("github_username") or one.get("code") for one in model.get("contributors") or ()]
    return {
        "oifm_id": model.get("oifm_id"),
        "name": model.get("name"),
        "description": model.get("description"),
        "synonyms": _joined(model.get("synonyms")),
        "tags": _joined(model.get("tags")),
        "contributors": _joined(contributors),
        "index_codes": _codes(model),
        "replaces": _joined(model.get("replaces")),
        "attributes": _joined(one.get("name") for one in model.get("attributes") or ()),
        "file": file,
        "version": version(sha256),
    }


def attribute_rows(model: Mapping[str, Any], sha256: str = "") -> Iterator[Row]:
    """Yield a row for each attribute of *model*, its parsed JSON; *sha256* is that of its file, if known."""
    for attribute in model.get("attributes") or ():
        values = attribute.get("values") or ()
        yield {
            "oifm_id": model.get("oifm_id"),
            "model": model.get("name"),
            **{name: attribute.get(name) for name in ("oifma_id", "name", "description", "type")},
            "values": _joined(value.get("name") for value in values),
            "value_codes": _joined(value.get("value_code") for value in values),
            **{name: attribute.get(name) for name in ("max_selected", "minimum", "maximum", "unit")},
            "required": str(bool(attribute.get("required"))).lower(),
            "index_codes": _codes(attribute),
            "version": version(sha256),
        }


def _joined(texts: Iterable[Any] | None) -> str:
    return _BETWEEN.join(map(str, texts or ()))


def _codes(part: Mapping[str, Any]) -> str:
    return _joined(f"{code.get('system')} {code.get('code')}" for code in part.get("index_codes") or ())


def unshielded(text: str) -> str:
    """Return the text of a cell without the apostrophe that keeps a spreadsheet from running it.

    >>> unshielded("'=1+1"), unshielded("'tis")
    ('=1+1', "'tis")
    """
    return text[1:] if text[:1] == "'" and no_formula(text[1:]) == text else text


def to_csv(table: Table, rows: Iterable[Row], *, heading: bool = True) -> str:
    r"""Return *rows* as CSV (RFC 4180, with line feeds), with a heading.

    >>> to_csv("models", [model_row({"name": 'a "b", c'})]).splitlines()[1]
    ',"a ""b"", c",,,,,,,,,'
    """
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS[table], lineterminator="\n")
    if heading:
        writer.writeheader()
    for row in rows:
        writer.writerow(
            {name: no_formula(cell) if isinstance(cell, str) else cell for name, cell in row.items()}
        )
    return text.getvalue()


async def csv_parts(store: Store, table: Table) -> AsyncIterator[str]:
    """Yield a table of the whole index as CSV, in pieces, sorted by id.

    Raises:
        StoreError: the store failed.
    """
    files = {state.oifm_id: state for state in await store.manifest()}
    yield to_csv(table, ())
    async for texts in iter_models(store, sorted(files)):
        rows: list[Row] = []
        for oifm_id, text in texts.items():
            model, file = json.loads(text), files[oifm_id]
            if table == "models":
                rows.append(model_row(model, file.path, file.sha256))
            else:
                rows += attribute_rows(model, file.sha256)
        yield to_csv(table, rows, heading=False)
