"""export: the content of an index as files that people read and keep under version control.

The files depend on the models alone: not on dates, and not on the order of the database. Files that would not
change are not touched. Models are read a few hundred at a time.
"""

from __future__ import annotations

import json
import os
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.export import pages as index_page
from findingmodel.export.pages import Pages, page_names
from findingmodel.model.layout import compact, read
from findingmodel.runtime.files import Replacement
from findingmodel.stores.paging import iter_models, iter_pages

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

    Progress = Callable[[int, int], None]


class ExportReport(NamedTuple):
    """The result of an export.

    Attributes:
        models: the number of exported models.
        written: the number of files that are new or changed.
        unchanged: the number of files that were not touched.
        removed: the number of pages removed, whose models are gone.
        stale: pages whose models are gone, and that were not removed.
        failed: ids of models that this version cannot parse.
    """

    models: int
    written: int
    unchanged: int
    removed: int = 0
    stale: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {**self._asdict(), "stale": list(self.stale), "failed": list(self.failed)}


_NOTHING = ExportReport(0, 0, 0)


async def export_markdown(
    store: Store,
    directory: Path,
    *,
    files: Path | None = None,
    prune: bool = False,
    progress: Progress | None = None,
) -> ExportReport:
    """Write a page for each model to ``text/NAME.md`` below *directory*, and a table of all to ``index.md``.

    With more than `ROWS_PER_TABLE` models, ``index.md`` lists tables of so many rows, ``index_1.md`` and so
    on. If the index is empty, nothing is written or removed: it is probably the wrong one.

    Args:
        store: the index.
        directory: created if it does not exist.
        files: the directory of the models' files, which the table links to; by default the first of ``defs``
            below *directory*, *directory*, and the same beside it, that has them. Without, it has no links.
        prune: remove pages whose models are gone, if an export wrote them and they were not edited since.
        progress: called with (models done, models).

    Raises:
        OSError: a file cannot be written.
        StoreError: the store failed.
    """
    manifest = await store.manifest()
    if not manifest:
        return _NOTHING
    names = page_names((state.oifm_id, state.path) for state in manifest)
    pages = Pages(directory)
    failed = await _write_pages(store, pages, names, progress)
    await _write_tables(store, pages, names, _link_to(files, directory, manifest[0].path))
    stale = pages.stale()
    removed = len(stale) if prune else 0
    if prune:
        pages.remove(stale)
        stale = []
    pages.finish()
    return ExportReport(
        len(names) - len(failed),
        pages.written,
        pages.unchanged,
        removed,
        tuple(stale),
        failed,
    )


def _link_to(files: Path | None, directory: Path, example: str) -> str | None:
    """Return the path from *directory* to the one that has the file *example*; None if that is not known."""
    candidates = (
        [files] if files else [directory / "defs", directory, directory / "../defs", directory / ".."]
    )
    for candidate in candidates:
        if (candidate / example).is_file():
            path = PurePath(os.path.relpath(candidate, directory)).as_posix()
            return "" if path == "." else f"{path}/"
    return None


async def _write_tables(store: Store, pages: Pages, names: dict[str, str], link: str | None) -> None:
    """Write the table of all models, in parts if it is long."""
    size = index_page.ROWS_PER_TABLE
    is_split = len(names) > size
    tables: list[tuple[str, str]] = []
    rows: list[tuple[str, str]] = []

    def write_table() -> None:
        text = index_page.heading(len(names)) + "".join(row for _, row in rows)
        tables.append((rows[0][0], rows[-1][0]))
        pages.put(index_page.table_name(len(tables)) if is_split else "index.md", text)
        rows.clear()

    async for entries in iter_pages(store, "name"):
        for one in entries:
            if one["oifm_id"] in names:
                rows.append((one["name"], index_page.row(one, names[one["oifm_id"]], link)))
            if len(rows) == size:
                write_table()
    if rows:
        write_table()
    if is_split:
        pages.put("index.md", index_page.contents(len(names), tables))


async def _write_pages(
    store: Store, pages: Pages, names: dict[str, str], progress: Progress | None
) -> tuple[str, ...]:
    """Write the page of each model; return the ids of those that cannot be parsed."""
    from findingmodel.model.parse import parse_model
    from findingmodel.render.markdown import to_markdown

    failed: list[str] = []
    done = 0
    async for models in iter_models(store, sorted(names)):
        for oifm_id, text in models.items():
            model = parse_model(text).model
            if model is None:
                failed.append(oifm_id)
                pages.keep(names[oifm_id])
            else:
                pages.put(f"text/{names[oifm_id]}.md", f"{to_markdown(model)}\n")
        done += len(models)
        if progress:
            progress(done, len(names))
    return tuple(failed)


async def export_ids(store: Store, file: Path) -> ExportReport:
    """Write all ids in use to *file*: of models, with their file, and of attributes, with file and name.

    The members are called ``oifm_ids`` and ``attribute_ids``, as in collections of finding models. Each id is
    one line, so that a diff shows ids that were added, removed or given to another model. Models are sorted
    by id, attributes are in the order of the models. If the index is empty, nothing is written.

    Raises:
        OSError: the file cannot be written.
        StoreError: the store failed.
    """
    return await _write(store, file, id_lines(store))


async def export_jsonl(store: Store, file: Path) -> ExportReport:
    """Write each model to *file* as a line of JSON, sorted by id. If the index is empty, nothing is written.

    Raises:
        OSError: the file cannot be written.
        StoreError: the store failed.
    """
    return await _write(store, file, json_lines(store))


async def _write(store: Store, file: Path, texts: AsyncIterator[str]) -> ExportReport:
    count = (await store.counts()).models
    if not count:
        return _NOTHING
    with Replacement(file) as new:
        async for text in texts:
            new.write(text.encode())
    return ExportReport(count, int(new.changed), int(not new.changed))


async def id_lines(store: Store) -> AsyncIterator[str]:
    """Yield the document that `export_ids` writes, in pieces."""
    yield '{\n  "oifm_ids": {'
    async for member in _members(store, lambda entry: {entry["oifm_id"]: entry["filename"]}):
        yield member
    yield '\n  },\n  "attribute_ids": {'
    async for member in _members(store, _attribute_ids):
        yield member
    yield "\n  }\n}\n"


def _attribute_ids(entry: EntryRow) -> dict[str, Any]:
    return {one["attribute_id"]: [entry["filename"], one["name"]] for one in entry["attributes"]}


async def _members(store: Store, members_of: Callable[[EntryRow], dict[str, Any]]) -> AsyncIterator[str]:
    """Yield the members of a JSON object that *members_of* returns for each entry, one a line."""
    separator = "\n"
    async for entries in iter_pages(store, "oifm_id"):
        for entry in entries:
            for key, value in members_of(entry).items():
                yield f"{separator}    {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
                separator = ",\n"


async def json_lines(store: Store) -> AsyncIterator[str]:
    """Yield each model as a line of JSON, sorted by id; numbers and unknown fields are as in its file."""
    ids = sorted(state.oifm_id for state in await store.manifest())
    async for models in iter_models(store, ids):
        for text in models.values():
            yield f"{compact(read(text))}\n"
