"""One model at a time: add a file, remove a model, say what stands in the way of a model."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import DocumentError, Problem
from findingmodel.limits import LEASE_SECONDS, MAX_FILE_BYTES, MAX_NESTING
from findingmodel.model.attributes import Organization, Person
from findingmodel.model.parse import parse_model
from findingmodel.runtime.tasks import run_to_completion
from findingmodel.stores.records import Credit, FileState, WriteBatch, unpack
from findingmodel.text.normalize import fold
from findingmodel.update.contributors import Credits
from findingmodel.update.decide import conflict_problem
from findingmodel.update.identity import Conflict
from findingmodel.update.lease import writer_lease
from findingmodel.update.load import Loader
from findingmodel.update.record import identity_keys, identity_word
from findingmodel.update.report import Changes
from findingmodel.update.scan import SUFFIX, SourceFile

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Iterator, Sequence
    from pathlib import Path

    from findingmodel.model.attributes import Contributor
    from findingmodel.model.finding import FindingModelFull
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import ContributorKind, EntryRow, Owner, Record

    Models = Sequence[tuple[FindingModelFull, str | None]]

__all__ = [
    "IndexReturnType",
    "WriteContext",
    "add_file",
    "find_conflicts",
    "put_contributors",
    "remove_model",
    "remove_unused",
    "turn",
]


async def put_contributors(context: WriteContext, contributors: Iterable[Contributor]) -> list[str] | None:
    """Write *contributors*; the next update that reads a file which names one believes the file.

    Returns:
        Of whom *contributors* say different things, in which case nothing is written; None if of nobody.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    given = list(contributors)
    if conflicts := [
        *_contributor_conflicts("Person", given, Person),
        *_contributor_conflicts("Organization", given, Organization),
    ]:
        return conflicts
    if given:
        async with turn(context) as store:
            await store.write(WriteBatch(credits=[*{_key(one): _stated(one) for one in given}.values()]))
    return None


def _contributor_conflicts(word: str, given: list[Contributor], kind: type[Contributor]) -> Iterator[str]:
    """Say in one sentence whose data differ."""
    said: dict[str, Contributor] = {}
    differing: dict[str, None] = {}
    for one in given:
        if isinstance(one, kind) and said.setdefault(_key(one), one) != one:
            differing[_key(one)] = None
    if differing:
        yield f"{word} conflicts: {list(differing)}"


def _key(one: Contributor) -> str:
    return one.github_username if isinstance(one, Person) else one.code


def _stated(one: Contributor) -> Credit:
    kind: ContributorKind = "person" if isinstance(one, Person) else "organization"
    return Credit(kind, _key(one), one.model_dump(mode="json", exclude_none=True), 0, "")


class IndexReturnType(StrEnum):
    """What adding a file did to the index."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


def _ignore(changes: Changes) -> None:
    """Tell nobody."""


class WriteContext(NamedTuple):
    """Where and how one writes.

    Attributes:
        store: the index; it must be open.
        lease_seconds: how long another writer waits if this one dies.
        max_file_bytes: larger files fail.
        max_nesting: files that are nested deeper fail.
        tell: called with what was changed, when it is.
    """

    store: Store
    lease_seconds: float = LEASE_SECONDS
    max_file_bytes: int = MAX_FILE_BYTES
    max_nesting: int = MAX_NESTING
    tell: Callable[[Changes], None] = _ignore


async def add_file(
    context: WriteContext, file: Path, *, given: FindingModelFull | None = None
) -> IndexReturnType:
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
    record = await asyncio.to_thread(_load, file, context, given)
    oifm_id = record.oifm_id
    stored = (await context.store.get([oifm_id])).get(oifm_id)
    if stored is not None and _is_same(stored, record, file):
        return IndexReturnType.UNCHANGED
    async with turn(context) as store:
        former = await _former(store, oifm_id, file)
        if former is not None:
            record = _moved(record, former.path)
        await _refuse_conflicts(store, record, file, former)
        await _replace(store, record, former)
    context.tell(_changes(oifm_id, former))
    return IndexReturnType.ADDED if former is None else IndexReturnType.UPDATED


async def remove_model(context: WriteContext, id_or_name: str) -> bool:
    """Remove the model with this id or name, in any case; return whether there was one.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    if not await _named(context.store, id_or_name):
        return False
    async with turn(context) as store:
        found = await _named(store, id_or_name)
        await _remove(store, found)
    if found:
        context.tell(Changes(removed=tuple(state.oifm_id for state in found)))
    return bool(found)


async def remove_unused(context: WriteContext, active: Collection[str]) -> list[str]:
    """Remove every model whose file is not *active*, and return the paths of those files, sorted.

    Args:
        writing: the index.
        active: paths as the index has them, or bare names of files.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    if not await _unused(context.store, active):
        return []
    async with turn(context) as store:
        unused = await _unused(store, active)
        await _remove(store, unused)
    if unused:
        context.tell(Changes(removed=tuple(sorted(state.oifm_id for state in unused))))
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


def _load(file: Path, context: WriteContext, given: FindingModelFull | None) -> Record:
    """Read and check *file*, without the index."""
    if not file.name.endswith(SUFFIX):
        raise DocumentError(str(file), [Problem("", "bad-name", f"the file's name must end with {SUFFIX}")])
    found = file.stat()
    source = SourceFile(file.name, found.st_size, found.st_mtime_ns)
    loader = Loader(
        str(file.parent),
        context.max_file_bytes,
        refuses=context.store.refuses,
        max_nesting=context.max_nesting,
    )
    loaded = loader.load(source)
    if loaded.record is None:
        raise DocumentError(str(file), loaded.problems)
    if given is not None and parse_model(unpack(loaded.record.model)).model != given:
        message = "the file does not hold the model that was given with it: write the model to the file first"
        raise DocumentError(str(file), [Problem("", "other-model", message)])
    return loaded.record


@asynccontextmanager
async def turn(context: WriteContext) -> AsyncIterator[Store]:
    """Lend the store to the one writer; what it did is one step of the generation."""
    store = context.store
    await store.setup()
    async with writer_lease(store, lease_seconds=context.lease_seconds) as lease:
        inherited, lease.needs_recovery = lease.needs_recovery, True
        try:
            yield store
            await store.advance()
        except DocumentError:  # nothing was written
            lease.needs_recovery = inherited
            raise
        lease.needs_recovery = inherited


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
    await run_to_completion(
        store.write(WriteBatch([record], removals=[former.oifm_id] if former and is_gone else []))
    )
    await _credit(store, contributors)


async def _remove(store: Store, states: Iterable[FileState]) -> None:
    contributors = Credits()
    for state in states:
        contributors.remove(state)
    await run_to_completion(store.write(WriteBatch(removals=[state.oifm_id for state in states])))
    await _credit(store, contributors)


async def _credit(store: Store, contributors: Credits) -> None:
    """Write what has changed about contributors; the models are written already."""
    changes = await contributors.changes(store)
    await run_to_completion(store.write(WriteBatch(credits=changes.upserts, withdrawn=changes.withdrawn)))


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
