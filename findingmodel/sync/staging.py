"""Staging: hold back what an update would write until it is decided whether it may."""

from __future__ import annotations

import json
from tempfile import SpooledTemporaryFile
from typing import TYPE_CHECKING, Protocol

from findingmodel.stores.records import Credit, FileState, Record, Terms, WriteBatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.stores.protocol import Store

__all__ = ["Discard", "Sink", "Spool"]

_IN_MEMORY_BYTES = 16_000_000


class Sink(Protocol):
    """Where an update writes: the store itself, or something that holds the batches back."""

    async def write(self, batch: WriteBatch) -> None:
        """Take one batch."""
        ...


class Discard:
    """The sink of a dry run."""

    async def write(self, batch: WriteBatch) -> None:
        """Forget *batch*."""


class Spool:
    """A sink that keeps batches, in memory while they are small and else in a temporary file."""

    def __init__(self) -> None:
        self._file = SpooledTemporaryFile(max_size=_IN_MEMORY_BYTES, prefix="findingmodel-")  # noqa: SIM115  # lives on

    async def write(self, batch: WriteBatch) -> None:
        """Keep *batch*."""
        header, models = _packed(batch)
        self._file.write(json.dumps(header).encode() + b"\n")
        for model in models:
            self._file.write(model)

    async def replay(self, store: Store) -> None:
        """Write everything to *store*, in the order in which it came."""
        self._file.seek(0)
        for batch in self._batches():
            await store.write(batch)

    def close(self) -> None:
        """Forget everything."""
        self._file.close()

    def _batches(self) -> Iterator[WriteBatch]:
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
    return FileState(*head, tuple(contributors))  # type: ignore[arg-type]
