"""export: what an index holds, as files that people read and keep under version control.

The result depends on the models alone: no dates, no order of the database. Files that are as they should be
are not touched. Models are read a few hundred at a time.
"""

from __future__ import annotations

import json
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

__all__ = ["ExportReport", "export_ids", "export_jsonl", "export_markdown", "id_lines", "json_lines"]


class ExportReport(NamedTuple):
    """What an export did.

    Attributes:
        models: how many models were exported.
        written: files that are new or have changed.
        unchanged: files that were as they should be.
        removed: pages of models that are gone.
        stale: such pages that were left there.
        failed: ids of models that this version cannot read any more.
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
    store: Store, directory: Path, *, prune: bool = False, progress: Progress | None = None
) -> ExportReport:
    """Write a page for each model to ``text/NAME.md`` below *directory*, and a table of all to ``index.md``.

    With an empty index nothing is written or removed: it is more likely to be the wrong one.

    Args:
        store: the index.
        directory: made where it is missing.
        prune: remove the pages of models that are gone, if an export wrote them and nobody has edited them.
        progress: called with (models done, models).

    Raises:
        OSError: a file cannot be written.
        StoreError: the store failed.
    """
    manifest = [(state.oifm_id, state.path) for state in await store.manifest()]
    names = page_names(manifest)
    if not names:
        return _NOTHING
    pages = Pages(directory)
    failed = await _write_pages(store, pages, names, progress)
    listed = await _write_index(store, directory, names)
    stale = pages.stale()
    removed = len(stale) if prune else 0
    if removed:
        pages.remove(stale)
        stale = []
    pages.finish()
    return ExportReport(
        len(names) - len(failed),
        pages.written + listed,
        pages.unchanged + (not listed),
        removed,
        tuple(stale),
        failed,
    )


async def export_ids(store: Store, file: Path) -> ExportReport:
    """Write to *file* which ids are taken: by models, with their file, and by attributes, with file and name.

    Those are the members ``oifm_ids`` and ``attribute_ids`` that collections of finding models keep. Each id
    has a line of its own, so that lines of a diff are ids that came, went or changed hands. Models are sorted
    by id, attributes stand in the order of the models. With an empty index nothing is written.

    Raises:
        OSError: the file cannot be written.
        StoreError: the store failed.
    """
    count = (await store.counts()).models
    if not count:
        return _NOTHING
    with Replacement(file) as new:
        async for text in id_lines(store):
            new.write(text.encode())
    return ExportReport(count, int(new.changed), int(not new.changed))


async def id_lines(store: Store) -> AsyncIterator[str]:
    """Yield the document that `export_ids` writes, piece by piece."""
    yield '{\n  "oifm_ids": {'
    async for member in _members(store, _model_ids):
        yield member
    yield '\n  },\n  "attribute_ids": {'
    async for member in _members(store, _attribute_ids):
        yield member
    yield "\n  }\n}\n"


async def export_jsonl(store: Store, file: Path) -> ExportReport:
    """Write each model to *file* as a line of JSON, sorted by id. With an empty index nothing is written.

    Raises:
        OSError: the file cannot be written.
        StoreError: the store failed.
    """
    if not (await store.counts()).models:
        return _NOTHING
    count = 0
    with Replacement(file) as new:
        async for line in json_lines(store):
            new.write(line.encode())
            count += 1
    return ExportReport(count, int(new.changed), int(not new.changed))


async def json_lines(store: Store) -> AsyncIterator[str]:
    """Yield each model in one line of JSON, sorted by id; numbers and unknown fields as in its file."""
    ids = sorted(state.oifm_id for state in await store.manifest())
    async for models in iter_models(store, ids):
        for text in models.values():
            yield f"{compact(read(text))}\n"


async def _write_pages(
    store: Store, pages: Pages, names: dict[str, str], progress: Progress | None
) -> tuple[str, ...]:
    """Write the page of each model; return the ids of those that cannot be read."""
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
                pages.put(names[oifm_id], f"{to_markdown(model)}\n")
        done += len(models)
        if progress:
            progress(done, len(names))
    return tuple(failed)


async def _write_index(store: Store, directory: Path, names: dict[str, str]) -> bool:
    """Write the table of all models; return whether it has changed."""
    with Replacement(directory / "index.md") as new:
        new.write(index_page.heading(len(names)).encode())
        async for entries in iter_pages(store, "name"):
            rows = [index_page.row(one, names[one["oifm_id"]]) for one in entries if one["oifm_id"] in names]
            new.write("".join(rows).encode())
    return new.changed


async def _members(store: Store, members: Callable[[EntryRow], dict[str, Any]]) -> AsyncIterator[str]:
    """Yield what *members* gives for each entry as members of an object, one a line."""
    separator = "\n"
    async for entries in iter_pages(store, "oifm_id"):
        for entry in entries:
            for key, value in members(entry).items():
                yield f"{separator}    {json.dumps(key)}: {json.dumps(value, ensure_ascii=False)}"
                separator = ",\n"


def _model_ids(entry: EntryRow) -> dict[str, Any]:
    return {entry["oifm_id"]: entry["filename"]}


def _attribute_ids(entry: EntryRow) -> dict[str, Any]:
    return {one["attribute_id"]: [entry["filename"], one["name"]] for one in entry["attributes"]}
