"""Outlet and Spool: what an update writes, held back while it is undecided whether it may."""

from __future__ import annotations

import json
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import NotWrittenError
from findingmodel.runtime.tasks import run_to_completion
from findingmodel.stores.records import Credit, FileState, Record, Terms, WriteBatch
from findingmodel.update.options import UpdateHooks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.stores.protocol import Store
    from findingmodel.update.lease import WriterLease

__all__ = ["Loss", "BatchWriter", "Spool"]

_IN_MEMORY_BYTES = 16_000_000
_NO_HOOKS = UpdateHooks()


class Spool:
    """Keeps batches: in memory while they are small, else in a temporary file."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, prefix="findingmodel-")  # noqa: SIM115

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def keep(self, batch: WriteBatch) -> None:
        """Keep *batch*."""
        if any(batch):
            header, models = _packed(batch)
            self._file.write(json.dumps(header).encode() + b"\n")
            for model in models:
                self._file.write(model)

    def batches(self) -> Iterator[WriteBatch]:
        """Yield what was kept, in the order in which it came."""
        self._file.seek(0)
        while line := self._file.readline():
            upserts, touches, removals, credit, withdrawn, sizes = json.loads(line)
            models = [self._file.read(size) for size in sizes]
            yield WriteBatch(
                [_record(fields, model) for fields, model in zip(upserts, models, strict=True)],
                [_state(fields) for fields in touches],
                removals,
                [Credit(*fields) for fields in credit],
                [(kind, key) for kind, key in withdrawn],
            )


class Loss(NamedTuple):
    """A file that the store did not take, and why."""

    file: FileState
    credits: tuple[Credit, ...]
    reason: str


class BatchWriter:
    """Where an update writes: to the store as it goes along, or held back until `release`.

    Args:
        store: the index.
        lease: renewed before each write; None for a dry run, which writes nothing.
        held_back: whether it is yet to be decided if anything may be written at all.
        hooks: ``timer`` measures each write; ``begun`` is awaited before the first that is more than a note
            of the times and paths of files; ``sink`` is awaited before each.

    Attributes:
        losses: files that the store did not take, while it took the others.
    """

    def __init__(
        self,
        store: Store,
        lease: WriterLease | None,
        *,
        held_back: bool,
        hooks: UpdateHooks = _NO_HOOKS,
    ) -> None:
        self._store = store
        self._hooks = hooks
        self._lease = lease
        self._spool = Spool() if held_back and lease is not None else None
        self._has_begun = False
        self._has_written = False
        self.losses: list[Loss] = []

    def __enter__(self) -> BatchWriter:
        return self

    def __exit__(self, *error: object) -> None:
        if self._spool is not None:
            self._spool.__exit__()

    @property
    def holds_back(self) -> bool:
        """True until `release`."""
        return self._spool is not None

    async def write(self, batch: WriteBatch) -> None:
        """Write *batch*, or hold it back."""
        if not any(batch):
            return
        if self._spool is not None:
            self._spool.keep(batch)
            return
        if self._hooks.sink:
            await self._hooks.sink(batch)
        if self._lease is None:
            return
        if self._hooks.begun and not self._has_begun and any(batch._replace(touches=())):
            self._has_begun = True
            await self._hooks.begun()
        await self._lease.renew()
        self._has_written = self._lease.needs_recovery = True
        await run_to_completion(self._write(batch))

    async def _write(self, batch: WriteBatch) -> None:
        try:
            with self._hooks.timer(_stage(batch), items=sum(map(len, batch))):
                await self._store.write(batch)
        except NotWrittenError as error:
            self._lose(batch, error)
            self._count(len(batch.upserts) + len(batch.touches) - len(error.reasons), 0)
        else:
            self._count(len(batch.upserts) + len(batch.touches), len(batch.removals))

    async def release(self) -> None:
        """Write what was held back, and from now on at once."""
        spool, self._spool = self._spool, None
        if spool is not None:
            with spool:
                for batch in spool.batches():
                    await self.write(batch)

    async def finish(self) -> None:
        """Let readers see that the index has changed, if it has, be it by one that died."""
        if self._lease is not None and (self._has_written or self._lease.needs_recovery):
            with self._hooks.timer("sync.finish"):
                await self._store.advance()
            self._lease.needs_recovery = False

    def _count(self, models: int, removals: int) -> None:
        if self._hooks.written is not None:
            self._hooks.written.models += models
            self._hooks.written.removals += removals

    def _lose(self, batch: WriteBatch, error: NotWrittenError) -> None:
        """Take note of the files that *error* is about; raise it if it is about anything else."""
        stated = {record.file.oifm_id: (record.file, record.credits) for record in batch.upserts}
        stated.update((state.oifm_id, (state, ())) for state in batch.touches)
        if not error.reasons.keys() <= stated.keys():
            raise error
        self.losses += [Loss(*stated[oifm_id], reason) for oifm_id, reason in error.reasons.items()]


def _stage(batch: WriteBatch) -> str:
    if batch.removals:
        return "sync.remove"
    return "sync.contributors" if batch.credits or batch.withdrawn else "sync.write"


def _packed(batch: WriteBatch) -> tuple[list[object], list[bytes]]:
    models = [record.model for record in batch.upserts]
    upserts = [record[:-1] for record in batch.upserts]
    rest = [list(batch.touches), list(batch.removals), list(batch.credits), list(batch.withdrawn)]
    return [upserts, *rest, [len(model) for model in models]], models


def _record(fields: list[object], model: bytes) -> Record:
    entry_text, names, keys, identity, terms, facets, credit, file = fields
    return Record(
        entry_text,  # type: ignore[arg-type]  # JSON gives back what JSON was given
        tuple(names),  # type: ignore[arg-type]
        tuple(keys),  # type: ignore[arg-type]
        tuple(identity),  # type: ignore[arg-type]
        Terms(*terms),  # type: ignore[misc]
        tuple(facets),  # type: ignore[arg-type]
        tuple(Credit(*row) for row in credit),  # type: ignore[attr-defined]
        _state(file),  # type: ignore[arg-type]
        model,
    )


def _state(fields: list[object]) -> FileState:
    *head, contributors = fields
    return FileState(*head, tuple(contributors))  # type: ignore[arg-type,call-arg]
