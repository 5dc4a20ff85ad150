"""diff: what an update would do, model by model and field by field. Nothing is written."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, get_args

from findingmodel.model.difference import differences
from findingmodel.stores.records import unpack
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateObserver

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    from findingmodel.model.difference import Difference
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow, FileState, Record, WriteBatch
    from findingmodel.update.options import UpdateOptions
    from findingmodel.update.report import FileReport, Refusal

_Kind = Literal["added", "updated", "moved", "removed"]
_MODELS_PER_READ = 200


class ModelChange(NamedTuple):
    """The change of one model.

    Attributes:
        kind: "added", "updated", "moved" (another path, the same bytes) or "removed".
        oifm_id: the model's id.
        name: its name after the update; of a removed model, before.
        path: its file, likewise.
        former_path: the path of its file before, if it was another.
        fields: the differences of an updated model; empty if only the layout of the file differs.
    """

    kind: _Kind
    oifm_id: str
    name: str
    path: str
    former_path: str | None = None
    fields: tuple[Difference, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        """Return the change ready for JSON."""
        return {**self._asdict(), "fields": [field._asdict() for field in self.fields]}


class ChangeList:
    """Collects the changes of one update, as its observer's ``on_batch``.

    Args:
        store: the index that is updated.
        in_detail: whether to compare the fields of updated models.
    """

    def __init__(self, store: Store, *, in_detail: bool = False) -> None:
        self._store = store
        self._in_detail = in_detail
        self._changes: dict[str, ModelChange] = {}

    def sorted(self) -> list[ModelChange]:
        """Return all changes, sorted by path."""
        return sorted(self._changes.values(), key=lambda change: (change.path, change.oifm_id))

    async def __call__(self, batch: WriteBatch) -> None:
        """Collect the changes of a batch that is about to be written."""
        ids = {record.oifm_id for record in batch.upserts}
        ids.update(state.oifm_id for state in batch.touches)
        stored = await self._store.get(ids.union(batch.removals)) if ids or batch.removals else {}
        for state in batch.touches:
            self._touch(state, stored)
        for oifm_id in batch.removals:
            if oifm_id in stored:
                entry = stored[oifm_id]
                self._add(ModelChange("removed", oifm_id, entry["name"], entry["filename"]))
        for start in range(0, len(batch.upserts), _MODELS_PER_READ):
            await self._upsert(batch.upserts[start : start + _MODELS_PER_READ], stored)

    async def _upsert(self, records: Sequence[Record], stored: Mapping[str, EntryRow]) -> None:
        """Collect the changes of *records*, reading the stored models of updated ones only."""
        updated = {record.oifm_id for record in records if _is_update(record, stored)}
        texts = await self._store.models(sorted(updated)) if updated and self._in_detail else {}
        for record in records:
            oifm_id, name, path = record.oifm_id, record.names[0], record.file.path
            former = stored.get(oifm_id)
            if former is None:
                self._add(ModelChange("added", oifm_id, name, path))
            elif oifm_id in updated:
                fields: Sequence[Difference] = ()
                if oifm_id in texts:
                    fields = differences(json.loads(texts[oifm_id]), json.loads(unpack(record.model)))
                former_path = former["filename"] if former["filename"] != path else None
                self._add(ModelChange("updated", oifm_id, name, path, former_path, tuple(fields)))
            else:
                self._touch(record.file, stored)

    def _touch(self, state: FileState, stored: Mapping[str, EntryRow]) -> None:
        former = stored.get(state.oifm_id)
        if former is not None and former["filename"] != state.path:
            self._add(ModelChange("moved", state.oifm_id, former["name"], state.path, former["filename"]))

    def _add(self, change: ModelChange) -> None:
        self._changes[change.oifm_id] = change


def _is_update(record: Record, stored: Mapping[str, EntryRow]) -> bool:
    former = stored.get(record.oifm_id)
    return former is not None and former["file_hash_sha256"] != record.file.sha256


class DiffReport(NamedTuple):
    """What an update would do.

    Attributes:
        changes: sorted by path.
        failed: files that cannot be indexed; their last good version stays.
        refused: why the update would not write the changes unless forced, or None.
        unchanged: the number of models that would not change.
        seconds: wall time.
        db: the database, never with a password.
    """

    changes: tuple[ModelChange, ...]
    failed: tuple[FileReport, ...]
    refused: Refusal | None
    unchanged: int
    seconds: float
    db: str

    @property
    def ok(self) -> bool:
        """True if the update would index every file and would not be refused."""
        return not self.failed and self.refused is None

    def counts(self) -> dict[str, int]:
        """Return the number of changes of each kind."""
        counter = Counter[str](change.kind for change in self.changes)
        return {kind: counter[kind] for kind in get_args(_Kind)}

    def as_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {
            **self.counts(),
            "unchanged": self.unchanged,
            "changes": [change.as_dict() for change in self.changes],
            "failed": [report.as_dict() for report in self.failed],
            "refused": self.refused and self.refused._asdict(),
            "seconds": round(self.seconds, 3),
            "db": self.db,
        }


async def diff(
    store: Store,
    directory: Path,
    options: UpdateOptions,
    *,
    progress: Callable[[int, int], None] | None = None,
) -> DiffReport:
    """Return what `findingmodel.update.directory.update` would do to *store*, and write nothing.

    A refusal does not hide the changes.

    Args:
        store: the index; it must be open.
        directory: every ``*.fm.json`` file below it counts.
        options: the options of the update.
        progress: called with (files loaded, files to load).

    Raises:
        DirectoryError: *directory* cannot be listed.
        StoreError: the store failed.
    """
    changes = ChangeList(store, in_detail=True)
    unguarded = options._replace(dry_run=True, force=True, strict=False)
    observer = UpdateObserver(progress=progress, on_batch=changes)
    report = await update(store, directory, unguarded, observer)
    refused = options.refusal(
        known=(await store.counts()).models, removed=report.removed, failed=len(report.failed)
    )
    return DiffReport(
        tuple(changes.sorted()), report.failed, refused, report.unchanged, report.seconds, store.label
    )
