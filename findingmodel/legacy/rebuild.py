"""rebuild: an update in a place where findingmodel 0.3 or 0.4 left its index, which is put aside first."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from findingmodel.stores import open_store
from findingmodel.update.directory import update
from findingmodel.update.options import refusal

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.runtime.threads import Threads
    from findingmodel.stores.protocol import Store
    from findingmodel.update.options import UpdateHooks, UpdateOptions
    from findingmodel.update.report import UpdateReport

__all__ = ["rebuild"]

_EMPTY = "sqlite://"


async def rebuild(
    store: Store,
    directory: Path,
    options: UpdateOptions,
    hooks: UpdateHooks,
    *,
    threads: Threads | None = None,
) -> UpdateReport:
    """As `update`; an index of findingmodel 0.3 in its place becomes another branch.

    That happens only once it is known what the update will do: it is refused, as any other, if it would leave
    none or less than half of the models, or if a file fails and *options* are strict. Nothing of the old
    index is changed but the names of its collections.

    Raises:
        StoreError: the old index cannot be put aside, because there is one already; or as `update`.
        DirectoryError, LeaseHeldError: as `update`.
    """
    found = await store.put_aside(dry_run=True)
    if found is None:
        return await update(store, directory, options, hooks, threads=threads)
    rehearsed = await _rehearse(directory, options)
    refused = refusal(
        known=found.models,
        removed=max(0, found.models - rehearsed.added),
        failed=len(rehearsed.failed),
        strict=options.strict,
        force=options.force,
    )
    told = replace(rehearsed, db=store.label, dry_run=options.dry_run)
    if refused is not None:
        return replace(told, added=0, changes=type(told.changes)(), refused=refused)
    if options.dry_run:
        return replace(told, put_aside=found.branch)
    await store.put_aside(dry_run=False)
    report = await update(store, directory, options, hooks, threads=threads)
    return replace(report, put_aside=found.branch)


async def _rehearse(directory: Path, options: UpdateOptions) -> UpdateReport:
    """Return what an update would do to an index without a model."""
    store = open_store(_EMPTY)
    try:
        await store.open()
        return await update(store, directory, options._replace(dry_run=True, strict=False))
    finally:
        await store.close()
