"""The repository of finding models: the contract that every store fulfils, on one screen.

A `Store` is the repository (in the sense of the repository pattern) of one branch of an index: all that the
package knows of SQLite and MongoDB. Every store passes tests/stores/contract.py unchanged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Mapping, Sequence
    from contextlib import AbstractAsyncContextManager

    from findingmodel.stores.lease import Lease, LeaseStatus, Writer
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
        PageMark,
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
    def generations(self) -> AsyncGenerator[int, None]: ...  # this one, then each later one as it comes
    async def counts(self) -> Counts: ...
    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]: ...
    async def lookup(self, keys: Collection[str]) -> list[EntryRow]: ...  # entries with any of these keys
    async def models(self, ids: Collection[str]) -> dict[str, bytes]: ...  # the files' own JSON text
    async def page(
        self, *, sort: str, descending: bool, offset: int, limit: int, after: PageMark | None = None
    ) -> list[EntryRow]: ...  # `offset` counts from `after`, if that is given
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
    async def write(self, batch: WriteBatch, writer: Writer | None = None) -> None: ...  # idempotent
    async def advance(self, writer: Writer | None = None) -> int: ...  # the generation, at an update's end
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
    """The writer's lease of the branch: one update writes at a time.

    What a `Writer` writes is checked against it in the same transaction, where the store has transactions:
    one that lost its lease gets LeaseHeldError, and changes nothing.
    """

    async def acquire(self, writer: Writer, seconds: float) -> Lease | None: ...  # else the one that is held
    async def renew(self, writer: Writer, seconds: float) -> bool: ...  # False if it was lost
    async def release(self, writer: Writer) -> None: ...  # no error if it was lost
    async def status(self) -> LeaseStatus | None: ...  # of the lease that was taken and not released
    async def revoke(self, lease: Lease) -> bool: ...  # end it, as if it had expired; False if it has changed
    async def needs_recovery(self) -> bool: ...  # an update died before it was finished; a running one: False
