"""The repository of finding models: the contract that every store fulfils, on one screen.

A `Store` is the repository (in the sense of the repository pattern) of one branch of an index: all that the
package knows of SQLite and MongoDB. Every store passes tests/stores/contract.py unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from findingmodel.stores.lease import Lease
    from findingmodel.stores.records import (
        Candidate,
        ContributorKind,
        Counts,
        Credit,
        EntryRow,
        FileState,
        Frequencies,
        LabelRow,
        Owner,
        Record,
        TermQuery,
        WriteBatch,
    )

# ruff: noqa: D102  # the remark after each method is its documentation; a screen has room for no more


class Store(Protocol):
    """One branch of one database. Results have no order unless one is stated; absent ids are left out."""

    @property
    def label(self) -> str: ...  # the database's URL for display, never with a password
    @property
    def terms(self) -> TermIndex: ...  # what a search reads
    @property
    def leases(self) -> Leases: ...  # who may write

    # Lifecycle: reading needs no setup; a database that does not exist yet reads as empty
    async def open(self) -> None: ...
    async def setup(
        self, *, recheck: bool = False
    ) -> None: ...  # create what is missing; recheck: look again
    async def close(self) -> None: ...  # idempotent; any later call raises StoreClosedError

    # Reading
    async def generation(self) -> int: ...  # grows with every finished update; 0 before the first
    async def counts(self) -> Counts: ...
    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]: ...
    async def lookup(self, keys: Collection[str]) -> list[EntryRow]: ...  # entries with any of these keys
    async def models(self, ids: Collection[str]) -> dict[str, bytes]: ...  # the files' own JSON text
    async def page(self, *, sort: str, descending: bool, offset: int, limit: int) -> list[EntryRow]: ...
    async def contributors(
        self, kind: ContributorKind, keys: Collection[str] | None = None
    ) -> list[Credit]: ...  # all contributors if keys is None; ordered by key

    # Updating
    async def manifest(self) -> list[FileState]: ...  # the files that the index was made from
    async def owners(
        self, identity: Collection[str]
    ) -> list[Owner]: ...  # the holders of these identity keys
    async def credits(self, keys: Collection[str]) -> list[Credit]: ...  # as the newest model states them
    def refuses(self, record: Record) -> str | None: ...  # why it can never be written; None if it can
    async def write(self, batch: WriteBatch) -> None: ...  # idempotent
    async def advance(self) -> int: ...  # increment the generation, at the end of an update
    def transaction(self) -> AbstractAsyncContextManager[None]: ...  # others see all of the block, or nothing


class TermIndex(Protocol):
    """The analysed text of all entries. Methods that return None are not cheap in this store."""

    async def candidates(
        self, query: TermQuery, *, limit: int | None
    ) -> list[Candidate]: ...  # best first; all matches in any order if limit is None
    async def frequencies(self, tokens: Collection[str] | None) -> Frequencies | None: ...  # None: all tokens
    async def words(self) -> Mapping[str, int] | None: ...  # how often each word occurs in names and synonyms
    def iter_labels(self) -> AsyncIterator[Sequence[LabelRow]]: ...  # every entry, in chunks


class Leases(Protocol):
    """The writer's lease of the branch: one update writes at a time."""

    async def acquire(self, lease: Lease) -> Lease | None: ...  # take or renew; else the lease that is held
    async def release(self, lease: Lease) -> None: ...  # no error if it was lost
    async def needs_recovery(self) -> bool: ...  # an update died before it was finished; a running one: False
