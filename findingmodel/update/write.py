"""BatchWriter and Spool: what an update writes, held back while the update may still be refused."""

from __future__ import annotations

import json
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import NotWrittenError
from findingmodel.runtime.tasks import run_to_completion
from findingmodel.stores.records import Credit, FileState, Record, WriteBatch
from findingmodel.text.terms import Terms
from findingmodel.update.options import UpdateObserver

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.update.lease import WriterLease

_IN_MEMORY_BYTES = 16_000_000


class Spool:
    """Keeps batches in memory while they are small, else in a temporary file."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, prefix="findingmodel-")  # noqa: SIM115

    def __enter__(self) -> Spool:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def keep(self, batch: WriteBatch) -> None:
        """Append *batch*, unless it is empty."""
        if any(batch):
            header, models = _pack(batch)
            self._file.write(json.dumps(header).encode() + b"\n")
            for model in models:
                self._file.write(model)

    def batches(self) -> Iterator[WriteBatch]:
        """Yield the batches in the order in which they were kept."""
        self._file.seek(0)
        while line := self._file.readline():
            upserts, touches, removals, credit, withdrawn, sizes = json.loads(line)
            models = [self._file.read(size) for size in sizes]
            yield WriteBatch(
                [_unpack_record(fields, model) for fields, model in zip(upserts, models, strict=True)],
                [_unpack_state(fields) for fields in touches],
                removals,
                [Credit(*fields) for fields in credit],
                [(kind, key) for kind, key in withdrawn],
            )


class Rejection(NamedTuple):
    """A file that the store did not write, and why."""

    file: FileState
    credits: tuple[Credit, ...]
    reason: str


class BatchWriter:
    """Writes the batches of an update to the store: at once, or held back until `release`.

    Args:
        lease: the right to write to the index, renewed before each write; None for a dry run, which writes
            nothing.
        held_back: whether it is still open if anything may be written.
        observer: follows the writes. ``before_writing`` is not awaited for batches that only refresh the
            times and paths of files.

    Attributes:
        rejections: files that the store did not write, while it wrote the others.
    """

    def __init__(
        self,
        lease: WriterLease | None,
        *,
        held_back: bool,
        observer: UpdateObserver | None = None,
    ) -> None:
        self._lease = lease
        self._spool = Spool() if held_back and lease is not None else None
        self._observer = observer or UpdateObserver()
        self._has_begun = False
        self._has_written = False
        self.rejections: list[Rejection] = []

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
        if self._observer.on_batch:
            await self._observer.on_batch(batch)
        if self._lease is None:
            return
        if self._observer.before_writing and not self._has_begun and any(batch._replace(touches=())):
            self._has_begun = True
            await self._observer.before_writing()
        await self._lease.renew()
        self._has_written = self._lease.needs_recovery = True
        await run_to_completion(self._write(self._lease, batch))

    async def _write(self, lease: WriterLease, batch: WriteBatch) -> None:
        counts = self._observer.counts
        try:
            with self._observer.timer(_stage(batch), items=sum(map(len, batch))):
                await lease.write(batch)
        except NotWrittenError as error:
            self._reject(batch, error)
            counts.models -= len(error.reasons)
        else:
            counts.removals += len(batch.removals)
        counts.models += len(batch.upserts) + len(batch.touches)

    def _reject(self, batch: WriteBatch, error: NotWrittenError) -> None:
        """Record the files that *error* is about; raise it if it is about anything else."""
        files = {record.file.oifm_id: (record.file, record.credits) for record in batch.upserts}
        files.update((state.oifm_id, (state, ())) for state in batch.touches)
        if not error.reasons.keys() <= files.keys():
            raise error
        self.rejections += [Rejection(*files[oifm_id], reason) for oifm_id, reason in error.reasons.items()]

    async def release(self) -> None:
        """Write what was held back, and from now on write at once."""
        spool, self._spool = self._spool, None
        if spool is not None:
            with spool:
                for batch in spool.batches():
                    await self.write(batch)

    async def finish(self) -> None:
        """Advance the generation if this update, or one that died, has changed the index."""
        if self._lease is not None and (self._has_written or self._lease.needs_recovery):
            with self._observer.timer("sync.finish"):
                await self._lease.advance()
            self._lease.needs_recovery = False


def _stage(batch: WriteBatch) -> str:
    if batch.removals:
        return "sync.remove"
    return "sync.contributors" if batch.credits or batch.withdrawn else "sync.write"


def _pack(batch: WriteBatch) -> tuple[list[object], list[bytes]]:
    models = [record.model for record in batch.upserts]
    upserts = [record[:-1] for record in batch.upserts]
    rest = [list(batch.touches), list(batch.removals), list(batch.credits), list(batch.withdrawn)]
    return [upserts, *rest, [len(model) for model in models]], models


def _unpack_record(fields: list[object], model: bytes) -> Record:
    entry_text, names, keys, identity, terms, facets, credit, file = fields
    return Record(
        entry_text,  # type: ignore[arg-type]  # JSON restores what `_pack` wrote, apart from tuples
        tuple(names),  # type: ignore[arg-type]
        tuple(keys),  # type: ignore[arg-type]
        tuple(identity),  # type: ignore[arg-type]
        Terms(*terms),  # type: ignore[misc]
        tuple(facets),  # type: ignore[arg-type]
        tuple(Credit(*row) for row in credit),  # type: ignore[attr-defined]
        _unpack_state(file),  # type: ignore[arg-type]
        model,
    )


def _unpack_state(fields: list[object]) -> FileState:
    *head, contributors, stamp = fields
    return FileState(*head, tuple(contributors), stamp)  # type: ignore[arg-type,call-arg]
