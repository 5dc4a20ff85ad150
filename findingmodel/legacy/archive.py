"""Archive an index that findingmodel 0.3 or 0.4 left where a new one belongs, and rebuild it there.

The old collections are renamed to those of another branch, with every document and index as it was, so that
the program that made them can still read them there.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.errors import StoreError, StoreSchemaError
from findingmodel.stores import open_store
from findingmodel.update.directory import update

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.runtime.threads import Threads
    from findingmodel.stores.mongo.connection import Collections
    from findingmodel.stores.mongo.store import MongoStore
    from findingmodel.stores.protocol import Store
    from findingmodel.update.options import UpdateObserver, UpdateOptions
    from findingmodel.update.report import UpdateReport

_SUFFIX = "_0_3"  # letters, digits and _ only: some servers rename nothing else
_NOT_OURS = {"file": {"$exists": False}}
_LEGACY_FIELDS = ("oifm_id", "slug_name", "file_hash_sha256")


class LegacyIndex(NamedTuple):
    """An index of findingmodel 0.3 or 0.4."""

    models: int
    branch: str  # under which it can be read once it is archived


async def rebuild(
    store: Store,
    directory: Path,
    options: UpdateOptions,
    observer: UpdateObserver,
    *,
    threads: Threads | None = None,
) -> UpdateReport:
    """As `update`, after archiving an index of findingmodel 0.3 as another branch.

    The index is archived only once the outcome of the update is known. Like any other, the update is refused
    if it would leave none or less than half of the models, or if a file fails and *options* are strict. Only
    the names of the old collections change.

    Raises:
        StoreError: an index was archived before; or as `update`.
        DirectoryError, LeaseHeldError: as `update`.
    """
    found = await archive_legacy(store, dry_run=True)
    if found is None:
        return await update(store, directory, options, observer, threads=threads)
    rehearsed = await _rehearse(directory, options)
    refused = options.refusal(
        known=found.models,
        removed=max(0, found.models - rehearsed.added),
        failed=len(rehearsed.failed),
    )
    report = replace(rehearsed, db=store.label, dry_run=options.dry_run)
    if refused is not None:
        return replace(report, added=0, changes=type(report.changes)(), refused=refused)
    if options.dry_run:
        return replace(report, put_aside=found.branch)
    await archive_legacy(store, dry_run=False)
    report = await update(store, directory, options, observer, threads=threads)
    return replace(report, put_aside=found.branch)


async def _rehearse(directory: Path, options: UpdateOptions) -> UpdateReport:
    """Return the report of an update of an empty index."""
    store = open_store("sqlite://")
    try:
        await store.open()
        return await update(store, directory, options._replace(dry_run=True, strict=False))
    finally:
        await store.close()


async def archive_legacy(store: Store, *, dry_run: bool) -> LegacyIndex | None:
    """Archive the index of findingmodel 0.3 in the place of *store*; with *dry_run* only look for it.

    Returns:
        The index, or None if there is none; there can be none in a file.

    Raises:
        StoreSchemaError: another program wrote the documents.
        StoreError: an index was archived before, or the server failed.
    """
    if store.label.startswith("sqlite:"):
        return None

    from findingmodel.stores.mongo.store import MongoStore

    if not isinstance(store, MongoStore):
        return None
    found = await store.connection.call("archive the old index in", lambda: _archive(store, dry_run=dry_run))
    if found is not None and not dry_run:
        await store.setup()
    return found


async def _archive(store: MongoStore, *, dry_run: bool) -> LegacyIndex | None:
    from findingmodel.stores.mongo.connection import Collections
    from findingmodel.stores.mongo.setup import STATE

    bound = store.connection.reach()
    found = await find_legacy(bound.writing, store.branch)
    if found is not None and not dry_run:
        await bound.writing.meta.update_one(STATE, {"$set": {"schema": 0}})  # its indexes move with the rest
        await _rename(bound.database, bound.writing, Collections.of(bound.database, found.branch))
    return found


async def find_legacy(collections: Collections, branch: str) -> LegacyIndex | None:
    """Return the index of findingmodel 0.3 in *collections*, the ones of *branch*; None if there is none.

    Raises:
        StoreSchemaError: there are documents that no version of this package wrote.
    """
    from findingmodel.stores.mongo.setup import has_legacy_indexes

    document = await collections.entries.find_one(_NOT_OURS)
    if document is None and not await has_legacy_indexes(collections.entries):
        return None
    if document is not None and any(name not in document for name in _LEGACY_FIELDS):
        raise StoreSchemaError("its collections hold documents of another program: use another branch")
    models = await collections.entries.count_documents(_NOT_OURS)
    return LegacyIndex(models, f"{branch}{_SUFFIX}")


async def _rename(database: Any, collections: Collections, to: Collections) -> None:
    """Rename the collections of findingmodel 0.3, entries last, so that an interrupted call can be repeated.

    Raises:
        StoreError: the names are taken, or the server did not rename; no document is lost.
    """
    names = await database.list_collection_names()
    pairs = [
        (source, target.name)
        for source, target in zip(collections[2::-1], to[2::-1], strict=True)
        if source.name in names
    ]
    if taken := [target for _, target in pairs if target in names]:
        raise StoreError(f"an index was archived there before: drop {', '.join(taken)}, or rename them")
    for source, target in pairs:
        await source.rename(target)
    left = set(await database.list_collection_names())
    if any(source.name in left or target not in left for source, target in pairs):
        raise StoreError("the server did not rename its collections: use another branch or database")
