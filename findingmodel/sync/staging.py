"""Outlet and Spool: what an update writes, held back while it is undecided whether it may."""

from __future__ import annotations

import json
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING

from findingmodel.stores.records import Credit, FileState, Record, Terms, WriteBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.stores.protocol import Store
    from findingmodel.sync.lease import WriterLease

__all__ = ["Outlet", "Spool"]

_IN_MEMORY_BYTES = 16_000_000


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


class Outlet:
    """Where an update writes: to the store as it goes along, or held back until `release`.

    Args:
        store: the index.
        lease: renewed before each write; None for a dry run, which writes nothing.
        held_back: whether it is yet to be decided if anything may be written at all.
    """

    def __init__(self, store: Store, lease: WriterLease | None, *, held_back: bool) -> None:
        self._store = store
        self._lease = lease
        self._spool = Spool() if held_back and lease is not None else None
        self._has_written = False

    def __enter__(self) -> Outlet:
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
        if self._lease is None or not any(batch):
            return
        if self._spool is not None:
            self._spool.keep(batch)
            return
        await self._lease.renew()
        await self._store.write(batch)
        self._has_written = True

    async def release(self) -> None:
        """Write what was held back, and from now on at once."""
        spool, self._spool = self._spool, None
        if spool is not None:
            with spool:
                for batch in spool.batches():
                    await self.write(batch)

    async def finish(self) -> None:
        """Let readers see that the index has changed, if it has."""
        if self._has_written:
            await self._store.advance()


def _packed(batch: WriteBatch) -> tuple[list[object], list[bytes]]:
    models = [record.model for record in batch.upserts]
    upserts = [record[:-1] for record in batch.upserts]
    rest = [list(batch.touches), list(batch.removals), list(batch.credits), list(batch.withdrawn)]
    return [upserts, *rest, [len(model) for model in models]], models


def _record(fields: list[object], model: bytes) -> Record:
    entry, keys, identity, terms, facets, credit, file = fields
    return Record(
        entry,  # type: ignore[arg-type]  # JSON gives back what JSON was given
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
