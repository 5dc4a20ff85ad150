"""What a triage writes: stubs of new models for rows without a match, and ids into the list."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.author.collection import ids_below, parsed
from findingmodel.author.edit import Edit, FileChange
from findingmodel.author.edit_names import MAX_STEM
from findingmodel.errors import DocumentError
from findingmodel.model.draft import make_stub
from findingmodel.model.layout import canonical
from findingmodel.text.normalize import fold, slug
from findingmodel.update.scan import SUFFIX

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import Any

    from findingmodel.author.triage import Triage
    from findingmodel.author.triage_list import CuratedList
    from findingmodel.stores.protocol import Store


async def stubs(
    store: Store, directory: Path, source: str, results: Sequence[Triage]
) -> tuple[Edit, dict[int, str]]:
    """Plan a new file in *directory* for each of *results* without a match or a candidate.

    No model or attribute of the index, and no file below *directory*, has any of its ids. A file that exists
    for the same name is left alone, and its id is used. Names that cannot be names of models, and names that
    the list repeats, are in the notes.

    Args:
        store: the index; an organization that it knows as *source* becomes the contributor.
        directory: where the files are written; need not exist.
        source: the code of the organization that assigns the ids.
        results: of the triage.

    Returns:
        The edit, and the ids by the line of the row.

    Raises:
        ConfigError: *source* is not the code of an organization.
        StoreError: the store failed.
    """
    organizations = await store.contributors("organization", [source.upper()])
    contributor = organizations[0].fields if organizations else None
    taken = ids_below(directory)
    changes: list[FileChange] = []
    notes: list[str] = []
    ids: dict[int, str] = {}
    lines: dict[Path, int] = {}
    for one in results:
        finding = one.finding
        if one.status != "none" or not finding.name:
            continue
        path = directory / f"{slug(finding.name)[:MAX_STEM]}{SUFFIX}"
        if path in lines:
            notes.append(f"line {finding.line}: repeats {finding.name!r} of line {lines[path]}")
            if lines[path] in ids:
                ids[finding.line] = ids[lines[path]]
            continue
        lines[path] = finding.line
        if path.exists():
            oifm_id = _own_id(path, finding.name)
            notes.append(
                f"line {finding.line}: {path} exists already{'' if oifm_id else ', of another name'}"
            )
            if oifm_id:
                ids[finding.line] = oifm_id
            continue
        try:
            data, oifm_id = await _stub(store, finding.name, finding.synonyms, source, contributor, taken)
        except DocumentError as error:
            notes.append(f"line {finding.line}: no stub, {error.problems[0].message}")
            continue
        changes.append(FileChange(path, None, data))
        ids[finding.line] = oifm_id
    return Edit(tuple(changes), tuple(notes)), ids


def _own_id(path: Path, name: str) -> str:
    model = parsed(path.read_bytes()) or {}
    return model["oifm_id"] if fold(model.get("name", "")) == fold(name) else ""


async def _stub(
    store: Store,
    name: str,
    synonyms: Sequence[str],
    source: str,
    contributor: Mapping[str, Any] | None,
    taken: set[str],
) -> tuple[bytes, str]:
    """Return the bytes of a stub and its id, and add its ids to *taken*."""
    while True:
        model = make_stub(name, source, synonyms=synonyms, contributor=contributor, taken=taken)
        ids = {model.oifm_id, *(attribute.oifma_id for attribute in model.attributes)}
        in_use = await store.owners(ids)
        taken |= ids
        if not in_use:
            return canonical(model.model_dump_json(exclude_none=True).encode()), model.oifm_id


def write_ids(path: Path, data: bytes, listed: CuratedList, column: str, ids: Mapping[int, str]) -> Edit:
    """Plan to write *ids*, by line, into *column* of the list in *path*; a cell that has text keeps it.

    Args:
        path: the file.
        data: its bytes, which *listed* was read from.
        listed: the list.
        column: its name; a new column becomes the last.
        ids: by the line of the row.

    Raises:
        QueryError: several columns have this name.
    """
    has_column = any(fold(name) == fold(column) for name in listed.columns)
    place = listed.column(column) if has_column else len(listed.columns)
    texts = {
        number: ids[record.line]
        for number, record in enumerate(listed.rows)
        if record.line in ids and not listed.text(record, place)
    }
    new = listed.with_cells(column, texts) if texts else data
    return Edit((FileChange(path, data, new),) if new != data else ())
