"""The whole contract of a store, on one screen. Every store passes tests/stores/contract.py unchanged."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from findingmodel.stores.records import (
        Candidate,
        ContributorKind,
        Counts,
        Credit,
        EntryRow,
        FileState,
        Frequencies,
        LabelRow,
        Lease,
        Owner,
        Predecessor,
        Record,
        TermQuery,
        WriteBatch,
    )

# ruff: noqa: D102  # the remark behind each method is its documentation; a screen has room for no more


class Store(Protocol):
    """Where the index lives: one branch in one database. Results come in no order but the stated one."""

    @property
    def label(self) -> str:
        """The database as a user may see it: its URL, never with a password."""

    # life: reading needs no setup; a database that does not exist yet reads as empty
    async def open(self) -> None: ...
    async def setup(self, *, anew: bool = False) -> None: ...  # create what is missing; anew: and look again
    async def put_aside(self, *, dry_run: bool) -> Predecessor | None: ...  # what findingmodel 0.3 left
    async def close(self) -> None: ...  # twice is fine; any other call after it raises StoreClosedError

    # what is there; ids and keys that are absent are left out of the answer
    async def generation(
        self,
    ) -> int: ...  # grows with every finished update; 0 before the first
    async def counts(self) -> Counts: ...
    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]: ...
    async def lookup(self, keys: Collection[str]) -> list[EntryRow]: ...  # entries with any of these keys
    async def models(self, ids: Collection[str]) -> dict[str, bytes]: ...  # the files' own JSON text
    async def page(self, *, sort: str, descending: bool, offset: int, limit: int) -> list[EntryRow]: ...
    async def contributors(
        self, kind: ContributorKind, keys: Collection[str] | None = None
    ) -> list[Credit]: ...  # None for all; ordered by key

    # search
    async def candidates(
        self, query: TermQuery, *, limit: int | None
    ) -> list[Candidate]: ...  # its best first; None for all, in any order
    async def frequencies(
        self, tokens: Collection[str] | None
    ) -> Frequencies | None: ...  # of all tokens there are, if it is None; None: no cheap way
    async def words(self) -> Mapping[str, int] | None: ...  # how often in names and synonyms; None: as above
    def iter_labels(self) -> AsyncIterator[Sequence[LabelRow]]: ...  # every entry, in chunks

    # update
    async def manifest(self) -> list[FileState]: ...  # what files the index was made from
    async def owners(self, identity: Collection[str]) -> list[Owner]: ...  # who holds these identity keys
    async def credits(self, keys: Collection[str]) -> list[Credit]: ...  # as the newest model states them
    def refuses(self, record: Record) -> str | None: ...  # why it can never be written; None if it can
    async def write(self, batch: WriteBatch) -> None: ...  # idempotent
    async def advance(self) -> int: ...  # one generation step, at the end of an update
    async def needs_recovery(self) -> bool: ...  # an update died before its step; one at work does not count
    async def acquire(self, lease: Lease) -> Lease | None: ...  # None: it is yours (again); else who holds it
    async def release(self, lease: Lease) -> None: ...  # no error if it was lost
    def transaction(self) -> AbstractAsyncContextManager[None]: ...  # others see all of the block, or nothing
