"""One model at a time: add a file, remove a model, say what stands in the way of a model."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import DocumentError, Problem
from findingmodel.model.parse import parse_model
from findingmodel.stores.packing import unpack
from findingmodel.stores.records import FileState, WriteBatch
from findingmodel.sync.batch import to_its_end
from findingmodel.sync.credits import Credits
from findingmodel.sync.identity import Conflict
from findingmodel.sync.lease import writer_lease
from findingmodel.sync.load import Loader
from findingmodel.sync.reconcile import conflict_problem
from findingmodel.sync.record import identity_keys, identity_word
from findingmodel.sync.report import Changes
from findingmodel.sync.scan import SUFFIX, SourceFile
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from findingmodel.model.finding import FindingModelFull
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow, Owner, Record

    Models = Sequence[tuple[FindingModelFull, str | None]]

__all__ = [
    "IndexReturnType",
    "Writing",
    "add_file",
    "find_conflicts",
    "remove_model",
    "remove_unused",
    "turn",
]


class IndexReturnType(StrEnum):
    """What adding a file did to the index."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


def _untold(changes: Changes) -> None:
    """Tell nobody."""


class Writing(NamedTuple):
    """Where and how one writes.

    Attributes:
        store: the index; it must be open.
        lease_seconds: how long another writer waits if this one dies.
        max_file_bytes: larger files fail.
        max_nesting: files that are nested deeper fail.
        tell: called with what was changed, when it is.
    """

    store: Store
    lease_seconds: float = 60.0
    max_file_bytes: int = 20_000_000
    max_nesting: int = 200
    tell: Callable[[Changes], None] = _untold


async def add_file(writing: Writing, file: Path, *, given: FindingModelFull | None = None) -> IndexReturnType:
    """Make the index hold the model in *file*, under the path that it is known by, else under its name.

    A file that is in the index below a directory is known by the longest path there that ends the path of
    *file*: ``chest/pe.fm.json`` for ``defs/chest/pe.fm.json``. What it held before is replaced, whatever its
    id was, and only once the new model has been checked.

    Args:
        writing: the index.
        file: the file.
        given: what the caller believes the file to hold.

    Raises:
        FileNotFoundError: there is no such file.
        DocumentError: it is no valid model, not the one *given*, or another file holds its id, its name or
            the id of one of its attributes.
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    record = await asyncio.to_thread(_load, file, writing, given)
    oifm_id = record.oifm_id
    stored = (await writing.store.get([oifm_id])).get(oifm_id)
    if stored is not None and _is_same(stored, record, file):
        return IndexReturnType.UNCHANGED
    async with turn(writing) as store:
        former = await _former(store, oifm_id, file)
        if former is not None:
            record = _moved(record, former.path)
        await _refuse_conflicts(store, record, file, former)
        await _replace(store, record, former)
    writing.tell(_changes(oifm_id, former))
    return IndexReturnType.ADDED if former is None else IndexReturnType.UPDATED


async def remove_model(writing: Writing, id_or_name: str) -> bool:
    """Remove the model with this id or name, in any case; return whether there was one.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    if not await _named(writing.store, id_or_name):
        return False
    async with turn(writing) as store:
        found = await _named(store, id_or_name)
        await _remove(store, found)
    if found:
        writing.tell(Changes(removed=tuple(state.oifm_id for state in found)))
    return bool(found)


async def remove_unused(writing: Writing, active: Collection[str]) -> list[str]:
    """Remove every model whose file is not *active*, and return the paths of those files, sorted.

    Args:
        writing: the index.
        active: paths as the index has them, or bare names of files.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    if not await _unused(writing.store, active):
        return []
    async with turn(writing) as store:
        unused = await _unused(store, active)
        await _remove(store, unused)
    if unused:
        writing.tell(Changes(removed=tuple(sorted(state.oifm_id for state in unused))))
    return sorted(state.path for state in unused)


async def find_conflicts(store: Store, models: Models) -> dict[str, list[str]]:
    """Return, by id, why the index could not take each of *models* beside what it holds and the others.

    Args:
        store: the index.
        models: each with the id of the stored model, or the path of the file, that it is to replace.
    """
    wanted = [_Wanted(model.oifm_id, identity_keys(model), replaced) for model, replaced in models]
    holders: dict[str, list[Owner]] = defaultdict(list)
    rivals: dict[str, list[_Wanted]] = defaultdict(list)
    for owner in await store.owners({key for one in wanted for key in one.keys}):
        holders[owner.key].append(owner)
    for one in wanted:
        for key in one.keys:
            rivals[key].append(one)
    new_ids = {one.oifm_id for one in wanted}
    errors: dict[str, list[str]] = {one.oifm_id: [] for one in wanted}
    for one in wanted:
        errors[one.oifm_id] += _stored_conflicts(one, holders, new_ids)
        errors[one.oifm_id] += _batch_conflicts(one, rivals)
    return errors


class _Wanted(NamedTuple):
    """The identity that a model wants, and what it may take it from."""

    oifm_id: str
    keys: tuple[str, ...]
    replaced: str | None

    def replaces(self, owner: Owner) -> bool:
        return self.replaced is not None and self.replaced in (owner.oifm_id, owner.path)


def _changes(oifm_id: str, former: FileState | None) -> Changes:
    if former is None:
        return Changes(added=(oifm_id,))
    if former.oifm_id == oifm_id:
        return Changes(updated=(oifm_id,))
    return Changes(added=(oifm_id,), removed=(former.oifm_id,))


def _load(file: Path, writing: Writing, given: FindingModelFull | None) -> Record:
    """Read and check *file*, without the index."""
    if not file.name.endswith(SUFFIX):
        raise DocumentError(str(file), [Problem("", "bad-name", f"the file's name must end with {SUFFIX}")])
    found = file.stat()
    source = SourceFile(file.name, found.st_size, found.st_mtime_ns)
    loader = Loader(
        str(file.parent),
        writing.max_file_bytes,
        refuses=writing.store.refuses,
        max_nesting=writing.max_nesting,
    )
    loaded = loader.load(source)
    if loaded.record is None:
        raise DocumentError(str(file), loaded.problems)
    if given is not None and parse_model(unpack(loaded.record.model)).model != given:
        message = "the file does not hold the model that was given with it: write the model to the file first"
        raise DocumentError(str(file), [Problem("", "other-model", message)])
    return loaded.record


@asynccontextmanager
async def turn(writing: Writing) -> AsyncIterator[Store]:
    """Lend the store to the one writer; what it did is one step of the generation."""
    store = writing.store
    await store.setup()
    async with writer_lease(store, lease_seconds=writing.lease_seconds) as lease:
        inherited, lease.owes = lease.owes, True
        try:
            yield store
            await store.advance()
        except DocumentError:  # nothing was written
            lease.owes = inherited
            raise
        lease.owes = inherited


async def _former(store: Store, oifm_id: str, file: Path) -> FileState | None:
    """Return what the index knows of *file*; the manifest is read only where its model is new."""
    stored = (await store.get([oifm_id])).get(oifm_id)
    states = await store.manifest() if stored is None else [_state(stored)]
    known = [state for state in states if _is_known_as(file, state.path)]
    return max(known, key=lambda state: len(state.path), default=None)


async def _refuse_conflicts(store: Store, record: Record, file: Path, former: FileState | None) -> None:
    own_path = None if former is None else former.path
    owners = [owner for owner in await store.owners(record.identity) if owner.path != own_path]
    if owners:
        conflicts = [Conflict(owner.key, owner.path, owner.oifm_id) for owner in owners]
        raise DocumentError(str(file), [conflict_problem(record.identity, one) for one in conflicts])


async def _replace(store: Store, record: Record, former: FileState | None) -> None:
    """Write *record*; the store puts it in before the former model, where that had another id, goes."""
    is_gone = former is not None and former.oifm_id != record.oifm_id
    contributors = Credits()
    contributors.add(record.credits, former)
    await to_its_end(
        store.write(WriteBatch([record], removals=[former.oifm_id] if former and is_gone else []))
    )
    await _credit(store, contributors)


async def _remove(store: Store, states: Iterable[FileState]) -> None:
    contributors = Credits()
    for state in states:
        contributors.remove(state)
    await to_its_end(store.write(WriteBatch(removals=[state.oifm_id for state in states])))
    await _credit(store, contributors)


async def _credit(store: Store, contributors: Credits) -> None:
    """Write what has changed about contributors; the models are written already."""
    changes = await contributors.changes(store)
    await to_its_end(store.write(WriteBatch(credits=changes.upserts, withdrawn=changes.withdrawn)))


async def _named(store: Store, id_or_name: str) -> list[FileState]:
    key = fold(id_or_name)
    found = await store.lookup([key]) if key else []
    return [_state(entry) for entry in found if key in (fold(entry["oifm_id"]), fold(entry["name"]))]


async def _unused(store: Store, active: Collection[str]) -> list[FileState]:
    return [
        state
        for state in await store.manifest()
        if state.path not in active and PurePosixPath(state.path).name not in active
    ]


def _is_same(entry: EntryRow, record: Record, file: Path) -> bool:
    return entry["file_hash_sha256"] == record.file.sha256 and _is_known_as(file, entry["filename"])


def _is_known_as(file: Path, path: str) -> bool:
    """Return whether *path*, which is relative to some directory, can be that of *file*."""
    return f"/{file.absolute().as_posix()}".endswith(f"/{path}")


def _moved(record: Record, path: str) -> Record:
    """Return *record* as that of a file at *path*."""
    return record._replace(
        file=record.file._replace(path=path),
        credits=tuple(credit._replace(path=path) for credit in record.credits),
    )


def _state(entry: EntryRow) -> FileState:
    """Return what an entry says of its file: who is credited, and no times."""
    contributors = tuple(entry["contributors"] or ())
    return FileState(entry["filename"], 0, 0, entry["file_hash_sha256"], 0, entry["oifm_id"], contributors)


def _stored_conflicts(
    one: _Wanted, holders: dict[str, list[Owner]], new_ids: Collection[str]
) -> Iterator[str]:
    """Say which of its keys stored models hold; those that it replaces, or that come anew, hold none."""
    id_key, name_key, *_ = one.keys
    if not any(owner.oifm_id == one.oifm_id for owner in holders[name_key]):
        for owner in holders[id_key]:
            if not one.replaces(owner):
                yield f"Duplicate ID '{one.oifm_id}' (also in {owner.path})"
    for key in one.keys[1:]:
        word, value = identity_word(key)
        for owner in holders[key]:
            if owner.oifm_id in new_ids or one.replaces(owner):
                continue
            if word == "name":
                yield f"Duplicate name '{value}' (also in {owner.oifm_id})"
            else:
                yield f"Attribute ID conflict: '{value}' also in {owner.oifm_id} ({owner.path})"


def _batch_conflicts(one: _Wanted, rivals: dict[str, list[_Wanted]]) -> Iterator[str]:
    """Say which of its keys other models of the batch want too."""
    for key in one.keys:
        word, value = identity_word(key)
        for other in rivals[key]:
            if other is one or (word != "id" and other.oifm_id == one.oifm_id):
                continue
            if word == "id":
                yield f"Duplicate ID '{value}' in batch"
            elif word == "name":
                yield f"Duplicate name '{value}' in batch (also in {other.oifm_id})"
            else:
                yield f"Attribute ID conflict: '{value}' in batch (also in {other.oifm_id})"
