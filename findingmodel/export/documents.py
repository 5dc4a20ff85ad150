"""An index as files of other formats: CSV tables, FHIR R4 resources, RadElement sets.

The files depend on the models alone, and files that would not change are not touched. Models are read a few
hundred at a time, and documents of the whole index are written model by model.
"""

from __future__ import annotations

import errno
import json
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any, Literal

from findingmodel.export import fhir, tables
from findingmodel.export.files import ExportReport
from findingmodel.export.interchange import convert
from findingmodel.export.pages import page_names
from findingmodel.model.parse import parse_model
from findingmodel.runtime.files import Replacement, replace_file
from findingmodel.stores.paging import iter_models

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Mapping
    from pathlib import Path

    from findingmodel.export.interchange import Format
    from findingmodel.model.finding import FindingModelFull
    from findingmodel.stores.protocol import Store

    Progress = Callable[[int, int], None]

_FORMS: dict[str, tuple[str, Format]] = {
    "fhir": ("questionnaires", "questionnaire"),
    "radelement": ("sets", "radelement"),
}
"""The folder of the documents of single models, and their format."""


async def export_csv(store: Store, directory: Path) -> ExportReport:
    """Write the index to ``models.csv`` and ``attributes.csv`` in *directory*.

    Raises:
        OSError: a file cannot be written.
        StoreError: the store failed.
    """
    count, written = (await store.counts()).models, 0
    if not count:
        return ExportReport(0, 0, 0)
    for table in tables.COLUMNS:
        with Replacement(directory / f"{table}.csv") as new:
            async for part in tables.csv_parts(store, table):
                new.write(part.encode())
        written += new.changed
    return ExportReport(count, written, len(tables.COLUMNS) - written)


async def export_documents(
    store: Store,
    directory: Path,
    form: Literal["fhir", "radelement"],
    *,
    url: str = fhir.DEFAULT_URL,
    progress: Progress | None = None,
) -> ExportReport:
    """Write the index to *directory* in another format.

    For FHIR that is ``CodeSystem.json`` with all codes, ``ValueSets.json``, and a Questionnaire for each
    model in ``questionnaires``; for RadElement a set for each model in ``sets``.

    Args:
        store: the index.
        directory: created if it does not exist.
        form: "fhir" or "radelement".
        url: the start of canonical URLs in FHIR.
        progress: called with (models done, models).

    Raises:
        OSError: a file cannot be written.
        StoreError: the store failed.
    """
    names = page_names((state.oifm_id, state.path) for state in await store.manifest())
    if not names:
        return ExportReport(0, 0, 0)
    folder, kind = _FORMS[form]
    if (directory / folder).is_symlink():
        reason = "is a link: documents are not written through links"
        raise NotADirectoryError(errno.ENOTDIR, reason, str(directory / folder))
    changed: list[bool] = []
    failed: list[str] = []
    with ExitStack() as stack:
        whole = [stack.enter_context(one) for one in _whole(directory, url)] if form == "fhir" else []
        async for oifm_id, model in _models(store, sorted(names)):
            if model is None:
                failed.append(oifm_id)
                continue
            text, _ = convert(model, kind, url=url)
            changed.append(replace_file(directory / folder / f"{names[oifm_id]}.json", text.encode()))
            for one in whole:
                one.add(model)
            if progress:
                progress(len(changed), len(names))
    changed += [one.changed for one in whole]
    models = len(names) - len(failed)
    return ExportReport(models, sum(changed), len(changed) - sum(changed), failed=tuple(failed))


async def _models(store: Store, ids: list[str]) -> AsyncIterator[tuple[str, FindingModelFull | None]]:
    async for texts in iter_models(store, ids):
        for oifm_id, text in texts.items():
            yield oifm_id, parse_model(text).model


def _whole(directory: Path, url: str) -> tuple[_Growing, _Growing]:
    """Return the documents of all models: a CodeSystem, and the ValueSets in a Bundle."""
    return (
        _Growing(
            directory / "CodeSystem.json",
            fhir.code_system([], url=url),
            "concept",
            lambda model: fhir.code_system([model], url=url)["concept"],
            count=lambda concept: sum(1 for _ in fhir.each_concept(concept)),
        ),
        _Growing(
            directory / "ValueSets.json",
            fhir.bundle([]),
            "entry",
            lambda model: fhir.bundle(fhir.value_sets(model, url=url)).get("entry", []),
        ),
    )


class _Growing:
    """A JSON document that is written model by model, one item of its list a line.

    Args:
        path: the file, which is replaced when the block ends without an error.
        head: the members of the document, without items.
        field: the member that is the list.
        items: returns the items of a model.
        count: returns what an item adds to the member ``count``; None if there is no such member.
    """

    def __init__(
        self,
        path: Path,
        head: Mapping[str, Any],
        field: str,
        items: Callable[[FindingModelFull], list[Any]],
        *,
        count: Callable[[Any], int] | None = None,
    ) -> None:
        members = {name: value for name, value in head.items() if name not in (field, "count")}
        self._head = json.dumps(members, ensure_ascii=False).removesuffix("}") + f', "{field}": ['
        self._file = Replacement(path)
        self._items = items
        self._count = count
        self._total = 0
        self._between = "\n"

    @property
    def changed(self) -> bool:
        """Whether the content of the file has changed."""
        return self._file.changed

    def __enter__(self) -> _Growing:
        self._file.__enter__()
        self._file.write(self._head.encode())
        return self

    def add(self, model: FindingModelFull) -> None:
        """Write the items of *model*."""
        for item in self._items(model):
            self._file.write(f"{self._between}{json.dumps(item, ensure_ascii=False)}".encode())
            self._between = ",\n"
            self._total += self._count(item) if self._count else 0

    def __exit__(self, *raised: Any) -> None:
        if raised[0] is None:
            tail = f', "count": {self._total}' if self._count else ""
            self._file.write(f"\n]{tail}}}\n".encode())
        self._file.__exit__(*raised)
