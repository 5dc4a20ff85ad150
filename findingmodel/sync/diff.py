"""diff: what an update would do, model by model and field by field. Nothing is written."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.sync.changes import ChangeList
from findingmodel.sync.guard import refusal
from findingmodel.sync.options import UpdateHooks
from findingmodel.sync.update import update

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from findingmodel.sync.changes import ModelChange
    from findingmodel.sync.options import UpdateOptions
    from findingmodel.sync.report import FileReport, Refusal

__all__ = ["DiffReport", "diff"]

_KINDS = ("added", "updated", "moved", "removed")


class DiffReport(NamedTuple):
    """What an update would do.

    Attributes:
        changes: in the order of paths.
        failed: files that cannot be indexed; their last good version stays.
        refused: why the update would not write all this unless it were forced, or None.
        unchanged: how many models would stay as they are.
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
        """Return how many changes there are of each kind."""
        found = Counter[str](change.kind for change in self.changes)
        return {kind: found[kind] for kind in _KINDS}

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
    """Return what `findingmodel.sync.update.update` would do to *store*, and write nothing.

    What it would refuse to do is told all the same, with the refusal.

    Args:
        store: the index; it must be open.
        directory: every ``*.fm.json`` below it counts.
        options: of the update.
        progress: called with (files done, files to load).

    Raises:
        DirectoryError: *directory* cannot be listed.
        StoreError: the store failed.
    """
    changes = ChangeList(store, in_detail=True)
    unguarded = options._replace(dry_run=True, force=True, strict=False)
    report = await update(store, directory, unguarded, UpdateHooks(progress=progress, sink=changes))
    refused = refusal(
        known=(await store.counts()).models,
        removed=report.removed,
        failed=len(report.failed),
        strict=options.strict,
        force=options.force,
    )
    return DiffReport(
        tuple(changes.sorted()), report.failed, refused, report.unchanged, report.seconds, store.label
    )
