"""One model at a time: add a file, remove a model, and find the conflicts of models with an index."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from enum import StrEnum
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import DocumentError, MissingFileError, Problem
from findingmodel.model.parse import parse_model
from findingmodel.runtime.tasks import run_to_completion
from findingmodel.stores.records import Credit, FileState, Owner, WriteBatch, unpack
from findingmodel.text.normalize import fold
from findingmodel.update.contributors import Credits
from findingmodel.update.identity import Claim, by_key, identity_keys, identity_word, rivals
from findingmodel.update.lease import writer_lease
from findingmodel.update.load import Loader
from findingmodel.update.options import UpdateOptions
from findingmodel.update.record import contributor_key, contributor_kind
from findingmodel.update.report import Changes
from findingmodel.update.scan import SUFFIX, SourceFile, is_model_name

if TYPE_CHECKING:
    import os
    from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from findingmodel.model.finding import Contributor, FindingModelFull
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import ContributorKind, EntryRow, Record
    from findingmodel.update.lease import WriterLease


class IndexReturnType(StrEnum):
    """What adding a file did to the index."""

    ADDED = "added"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


class WriteContext(NamedTuple):
    """Where and how single entries are written.

    Attributes:
        store: the index; it must be open.
        options: the limits of files and of the lease; nothing else in them applies.
        on_change: called with the models that were changed, after the write.
    """

    store: Store
    options: UpdateOptions = UpdateOptions()
    on_change: Callable[[Changes], None] = lambda _changes: None

    @classmethod
    def of(cls, settings: Settings, store: Store) -> WriteContext:
        """Return a context for *store* with the limits of *settings*."""
        return cls(store, UpdateOptions.of(settings))


@asynccontextmanager
async def exclusive(context: WriteContext) -> AsyncIterator[WriterLease]:
    """Hold the writer's lease within the block, and advance the generation at its end."""
    store = context.store
    await store.setup()
    async with writer_lease(store, lease_seconds=context.options.lease_seconds) as lease:
        inherited, lease.needs_recovery = lease.needs_recovery, True
        try:
            yield lease
            await lease.advance()
        except DocumentError:  # nothing was written
            lease.needs_recovery = inherited
            raise
        lease.needs_recovery = inherited


# files and models


async def add_file(
    context: WriteContext, file: Path, *, expected: FindingModelFull | None = None
) -> IndexReturnType:
    """Add the model in *file*, or replace what the index holds for this file.

    A file that the index knows from a directory keeps its path there: ``chest/pe.fm.json`` for
    ``defs/chest/pe.fm.json``; the longest known path wins. Any other file gets its name as its path. What the
    file held before is replaced, even if its id was another, after the new model was checked.

    Args:
        context: the index.
        file: the file.
        expected: the model that the caller expects in the file; a difference is an error.

    Raises:
        MissingFileError: the file or its directory does not exist; it is a FileNotFoundError.
        DocumentError: the file is not a valid model, differs from *expected*, or wants the id, the name or an
            attribute id of a model in another file.
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    record = await asyncio.to_thread(_load, file, context, expected)
    oifm_id, sha256 = record.oifm_id, record.file.sha256
    stored = (await context.store.get([oifm_id])).get(oifm_id)
    if stored and stored["file_hash_sha256"] == sha256 and _is_known_as(file, stored["filename"]):
        return IndexReturnType.UNCHANGED
    async with exclusive(context) as lease:
        store = lease.store
        former = await _former(store, oifm_id, file)
        claim = Claim("", oifm_id, record.identity)  # no file has the path "", so every owner is a rival
        if former is not None:
            record, claim = _at_path(record, former.path), claim._replace(path=former.path)
        conflicts = tuple(rivals(claim, by_key(await store.owners(record.identity))))
        if conflicts:
            raise DocumentError(str(file), [claim.problem(owner) for owner in conflicts])
        replaced = (former.oifm_id,) if former is not None and former.oifm_id != oifm_id else ()
        contributors = Credits()
        contributors.add(record.credits, former)
        # The store writes the new model before it removes the former one.
        await _write(lease, WriteBatch([record], removals=replaced), contributors)
    is_new = former is None or bool(replaced)
    context.on_change(Changes((oifm_id,), (), replaced) if is_new else Changes(updated=(oifm_id,)))
    return IndexReturnType.ADDED if former is None else IndexReturnType.UPDATED


def _load(file: Path, context: WriteContext, expected: FindingModelFull | None) -> Record:
    """Read and check *file*, without the index."""
    if not is_model_name(file.name):
        raise DocumentError(str(file), [Problem("", "bad-name", f"the file's name must end with {SUFFIX}")])
    source = SourceFile.of(file.name, _status(file))
    options = context.options
    refuses, max_nesting = context.store.refuses, options.max_nesting
    loader = Loader(str(file.parent), options.max_file_bytes, refuses=refuses, max_nesting=max_nesting)
    loaded = loader.load(source)
    if loaded.record is None:
        raise DocumentError(str(file), loaded.problems)
    if expected is not None and parse_model(unpack(loaded.record.model)).model != expected:
        message = "the file does not hold the model that was given with it: write the model to the file first"
        raise DocumentError(str(file), [Problem("", "other-model", message)])
    return loaded.record


def _status(file: Path) -> os.stat_result:
    try:
        return file.stat()
    except FileNotFoundError:
        what = "file" if file.parent.is_dir() else f"directory {file.parent}"
        problem = Problem("", "vanished", f"the {what} does not exist")
        raise MissingFileError(str(file), [problem]) from None
    except OSError as error:
        problem = Problem("", "unreadable", f"the file cannot be read: {error.strerror}")
        raise DocumentError(str(file), [problem]) from None


def _is_known_as(file: Path, path: str) -> bool:
    """Return whether *path*, relative to some directory, can be the path of *file*."""
    return f"/{file.absolute().as_posix()}".endswith(f"/{path}")


async def _former(store: Store, oifm_id: str, file: Path) -> FileState | None:
    """Return what the index knows of *file*; the manifest is read only if its model is new."""
    stored = (await store.get([oifm_id])).get(oifm_id)
    states = await store.manifest() if stored is None else [_state(stored)]
    known = [state for state in states if _is_known_as(file, state.path)]
    return max(known, key=lambda state: len(state.path), default=None)


def _at_path(record: Record, path: str) -> Record:
    """Return *record* as that of a file at *path*."""
    return record._replace(
        file=record.file._replace(path=path),
        credits=tuple(credit._replace(path=path) for credit in record.credits),
    )


async def remove_model(context: WriteContext, id_or_name: str) -> bool:
    """Remove the model with this id or name, in any case; return whether it existed.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    return bool(await _remove(context, lambda store: _named(store, id_or_name)))


async def remove_unused(context: WriteContext, active: Collection[str]) -> list[str]:
    """Remove every model whose file is not *active*; return the sorted paths of their files.

    Args:
        context: the index.
        active: paths as the index has them, or file names.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    states = await _remove(context, lambda store: _unused(store, active))
    return sorted(state.path for state in states)


async def _remove(
    context: WriteContext, find: Callable[[Store], Awaitable[list[FileState]]]
) -> list[FileState]:
    """Remove the models that *find* returns under the lease; no lease is taken if there are none before."""
    if not await find(context.store):
        return []
    async with exclusive(context) as lease:
        states = await find(lease.store)
        contributors = Credits()
        for state in states:
            contributors.remove(state)
        ids = sorted(state.oifm_id for state in states)
        await _write(lease, WriteBatch(removals=ids), contributors)
    if ids:
        context.on_change(Changes(removed=tuple(ids)))
    return states


async def _named(store: Store, id_or_name: str) -> list[FileState]:
    key = fold(id_or_name)
    entries = await store.lookup([key]) if key else []
    return [_state(entry) for entry in entries if key in (fold(entry["oifm_id"]), fold(entry["name"]))]


async def _unused(store: Store, active: Collection[str]) -> list[FileState]:
    return [
        state
        for state in await store.manifest()
        if state.path not in active and PurePosixPath(state.path).name not in active
    ]


def _state(entry: EntryRow) -> FileState:
    """Return what an entry says of its file; sizes and times are unknown."""
    contributors = tuple(entry["contributors"] or ())
    return FileState(entry["filename"], 0, 0, entry["file_hash_sha256"], 0, entry["oifm_id"], contributors)


async def _write(lease: WriterLease, batch: WriteBatch, contributors: Credits) -> None:
    """Write models, and then what changed about contributors."""
    await run_to_completion(lease.write(batch))
    changes = await contributors.changes(lease.store)
    await run_to_completion(lease.write(WriteBatch(credits=changes.upserts, withdrawn=changes.withdrawn)))


# contributors


async def put_contributors(context: WriteContext, contributors: Iterable[Contributor]) -> list[str] | None:
    """Write *contributors*; the next update that reads a file which names one of them believes the file.

    Returns:
        A sentence for each kind of contributor that *contributors* describes in two ways, in which case
        nothing is written; None if there are none.

    Raises:
        LeaseHeldError: another update is running.
        StoreError: the store failed.
    """
    distinct: dict[tuple[ContributorKind, str], Contributor] = {}
    conflicts: dict[str, dict[str, None]] = {"person": {}, "organization": {}}
    for contributor in contributors:
        kind, key = contributor_kind(contributor), contributor_key(contributor)
        if distinct.setdefault((kind, key), contributor) != contributor:
            conflicts[kind][key] = None
    if any(conflicts.values()):
        return [f"{kind.title()} conflicts: {list(keys)}" for kind, keys in conflicts.items() if keys]
    if distinct:
        rows = [
            Credit(*key, c.model_dump(mode="json", exclude_none=True), 0, "") for key, c in distinct.items()
        ]
        async with exclusive(context) as lease:
            await lease.write(WriteBatch(credits=rows))
    return None


# conflicts


async def find_conflicts(
    store: Store, models: Sequence[tuple[FindingModelFull, str | None]]
) -> dict[str, list[str]]:
    """Return by id the conflicts of each model with the index and with the other models.

    The rule is that of `findingmodel.update.identity`, the words are those of findingmodel 0.3.

    Args:
        store: the index.
        models: each with the id of the stored model, or the path of the file, that it would replace.
    """
    # No file has a NUL character in its path: these paths distinguish the claims from files and each other.
    claims = [Claim(f"\0{n}", model.oifm_id, identity_keys(model)) for n, (model, _) in enumerate(models)]
    new = by_key(Owner(key, claim.oifm_id, claim.path) for claim in claims for key in claim.keys)
    stored = by_key(await store.owners(new.keys()))
    new_ids = {claim.oifm_id for claim in claims}
    errors: dict[str, list[str]] = {claim.oifm_id: [] for claim in claims}
    for claim, (_, replaced) in zip(claims, models, strict=True):
        id_key, name_key, *_ = claim.keys
        is_stored = any(owner.oifm_id == claim.oifm_id for owner in stored.get(name_key, ()))
        for owner in rivals(claim, stored):
            is_superseded = owner.oifm_id in new_ids if owner.key != id_key else is_stored
            if not is_superseded and replaced not in (owner.oifm_id, owner.path):
                errors[claim.oifm_id].append(_message(_STORED, owner))
        for owner in rivals(claim, new):
            if owner.key == id_key or owner.oifm_id != claim.oifm_id:
                errors[claim.oifm_id].append(_message(_IN_BATCH, owner))
    return errors


_STORED = {
    "id": "Duplicate ID '{value}' (also in {path})",
    "name": "Duplicate name '{value}' (also in {oifm_id})",
    "attribute id": "Attribute ID conflict: '{value}' also in {oifm_id} ({path})",
}
_IN_BATCH = {
    "id": "Duplicate ID '{value}' in batch",
    "name": "Duplicate name '{value}' in batch (also in {oifm_id})",
    "attribute id": "Attribute ID conflict: '{value}' in batch (also in {oifm_id})",
}


def _message(messages: dict[str, str], owner: Owner) -> str:
    word, value = identity_word(owner.key)
    return messages[word].format(value=value, oifm_id=owner.oifm_id, path=owner.path)
