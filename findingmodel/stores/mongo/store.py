"""MongoStore: the index in MongoDB, for many readers and writers."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from pymongo import ReplaceOne, UpdateOne

from findingmodel.errors import NotWrittenError
from findingmodel.stores.mongo import documents
from findingmodel.stores.mongo.commands import (
    BATCH,
    BulkWriter,
    DocumentWrite,
    delete,
    find_among,
    gather_all,
    iter_among,
)
from findingmodel.stores.mongo.connection import Connection, operation
from findingmodel.stores.mongo.errors import unwritten
from findingmodel.stores.mongo.lease import MongoLeases
from findingmodel.stores.mongo.live import Alarm
from findingmodel.stores.mongo.pool import PoolSettings
from findingmodel.stores.mongo.retry import RetryPolicy
from findingmodel.stores.mongo.setup import BranchSetup, advance
from findingmodel.stores.mongo.terms import MongoTerms
from findingmodel.stores.records import Counts, newest

if TYPE_CHECKING:
    from collections.abc import AsyncGenerator, AsyncIterator, Collection, Iterator

    from findingmodel.stores.lease import Writer
    from findingmodel.stores.mongo.connection import Collections
    from findingmodel.stores.records import (
        ContributorKind,
        Credit,
        EntryRow,
        FileState,
        Owner,
        PageMark,
        Record,
        WriteBatch,
    )

# ruff: noqa: D102  # protocol.py describes the methods of a store

_SORTS = {"name": ("sort_name", "oifm_id"), "oifm_id": ("_id",), "filename": ("filename", "oifm_id")}
_DEFAULT_POOL = PoolSettings()
_DEFAULT_RETRY = RetryPolicy()


class MongoStore:
    """The index of one branch in a MongoDB database.

    Nothing is sent before the first read or write. A database that does not exist yet reads as an empty
    index; `setup` or the first `write` creates it. The store may be used from one event loop after another.

    Args:
        uri: ``mongodb://`` or ``mongodb+srv://``, see
            https://www.mongodb.com/docs/manual/reference/connection-string/
        database: the name of the database.
        branch: the branch of the database.
        pool: the driver, pool sizes and timeouts.
        retry: limits of retries and of the circuit breaker.
        client: a Motor client, or pymongo's AsyncMongoClient, used instead of the pool's; it stays open.

    Raises:
        ConfigError: *client* is a blocking one.
    """

    def __init__(
        self,
        uri: str,
        *,
        database: str,
        branch: str = "main",
        pool: PoolSettings = _DEFAULT_POOL,
        retry: RetryPolicy = _DEFAULT_RETRY,
        client: Any = None,
    ) -> None:
        self.connection = Connection(uri, database, branch, pool, retry, client)
        self._setup = BranchSetup(self.connection)
        self.terms = MongoTerms(self.connection, self._setup)
        self.leases = MongoLeases(self.connection)
        self.branch = branch
        self._bulk = BulkWriter()

    def __repr__(self) -> str:
        return f"MongoStore({self.label!r}, branch={self.branch!r})"

    @property
    def label(self) -> str:
        return self.connection.label

    async def open(self) -> None:
        """Take a share of the pool's client."""
        self.connection.reach()

    @operation("set up")
    async def setup(self, *, recheck: bool = False) -> None:
        """Create collections and indexes where they are missing: one command if nothing is."""
        await self._setup.create(recheck=recheck)

    async def close(self) -> None:
        """Release the share of the client."""
        await self.connection.close()

    # Reading

    @operation("read the generation of")
    async def generation(self) -> int:
        return (await self._setup.read()).generation

    async def generations(self) -> AsyncGenerator[int, None]:
        """Yield the generation, and each later one: at once where the server has change streams."""
        alarm, known = Alarm(self.connection), None
        try:
            while True:
                await alarm.set()
                generation = await self.generation()
                if generation != known:
                    known = generation
                    yield generation
                await alarm.wait()
        finally:
            await alarm.close()

    @operation("count the documents of")
    async def counts(self) -> Counts:
        reading = self.connection.reach().reading
        found = (reading.entries, reading.people, reading.organizations)
        counts = Counts(*await gather_all(*(_count(collection) for collection in found)))
        await self._setup.check_empty(counts.models)
        return counts

    @operation("read entries of")
    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]:
        reading = self.connection.reach().reading
        found = await find_among(reading.entries, "_id", ids, documents.ENTRY_FIELDS)
        await self._setup.check_empty(found)
        return {document["_id"]: documents.entry_row(document) for document in found}

    @operation("look up names in")
    async def lookup(self, keys: Collection[str]) -> list[EntryRow]:
        reading = self.connection.reach().reading
        found = await find_among(reading.entries, "keys", keys, documents.ENTRY_FIELDS)
        await self._setup.check_empty(found)
        return [documents.entry_row(document) for document in found]

    @operation("read models of")
    async def models(self, ids: Collection[str]) -> dict[str, bytes]:
        reading = self.connection.reach().reading
        found = await find_among(reading.entries, "_id", ids, {"model": 1})
        await self._setup.check_empty(found)
        return {document["_id"]: documents.model_text(document) for document in found}

    @operation("list the entries of")
    async def page(
        self, *, sort: str, descending: bool, offset: int, limit: int, after: PageMark | None = None
    ) -> list[EntryRow]:
        reading = self.connection.reach().reading
        if limit <= 0:
            return []  # the server takes 0 for no limit
        fields = _SORTS[sort]
        order = dict.fromkeys(fields, -1 if descending else 1)
        beyond = {} if after is None else documents.beyond(after, fields, descending=descending)
        cursor = reading.entries.find(beyond, documents.ENTRY_FIELDS, batch_size=limit + 1)
        found = await cursor.sort(list(order.items())).skip(offset).limit(limit).to_list(None)
        return [documents.entry_row(document) for document in found]

    @operation("read the contributors of")
    async def contributors(self, kind: ContributorKind, keys: Collection[str] | None = None) -> list[Credit]:
        reading = self.connection.reach().reading
        collection = reading.people if kind == "person" else reading.organizations
        if keys is None:
            found = await collection.scan({}, batch_size=BATCH).to_list(None)
        else:
            found = await find_among(collection, "_id", keys, None)
        rows = [documents.contributor(kind, document) for document in found]
        return sorted(rows, key=lambda row: row.key)

    # Updating

    @operation("read the manifest of")
    async def manifest(self) -> list[FileState]:
        writing = self.connection.reach().writing
        found = await writing.entries.scan({}, documents.FILE_FIELDS, batch_size=BATCH).to_list(None)
        states = [documents.file_state(document) for document in found]
        self._setup.is_ours = True
        return states

    @operation("read the owners of names in")
    async def owners(self, identity: Collection[str]) -> list[Owner]:
        writing = self.connection.reach().writing
        keys = set(identity)
        found = await find_among(writing.entries, "identity", keys, documents.OWNER_FIELDS)
        return [owner for document in found for owner in documents.owners_in(document, keys)]

    @operation("read the credits of")
    async def credits(self, keys: Collection[str]) -> list[Credit]:
        writing = self.connection.reach().writing
        keys = set(keys)
        found: dict[tuple[ContributorKind, str], Credit] = {}  # every document may credit one organization
        async for document in iter_among(writing.entries, "credit_keys", keys, documents.CREDIT_FIELDS):
            newest(documents.credits_in(document, keys), found)
        return list(found.values())

    def refuses(self, record: Record) -> str | None:
        """Return why *record* can never be written: a document holds no more than 16 MB."""
        return documents.excess(record, binary=self._setup.is_binary)

    @operation("write to")
    async def write(self, batch: WriteBatch, writer: Writer | None = None) -> None:
        """Apply *batch*: first all upserts, then all removals, so that no model is ever missing.

        Raises:
            LeaseHeldError: *writer* has lost the lease, and nothing was written.
            NotWrittenError: some documents were not written; all the others were, and nothing was removed.
        """
        await self._setup.ensure()
        if any(batch):
            await self.leases.fenced(writer, lambda writing: self._apply(writing, batch))

    async def _apply(self, writing: Collections, batch: WriteBatch) -> None:
        by_kind: tuple[tuple[ContributorKind, Any], ...] = (
            ("person", writing.people),
            ("organization", writing.organizations),
        )
        reasons = {
            record.oifm_id: reason for record in batch.upserts if (reason := self.refuses(record)) is not None
        }
        for unwritten_ids in await gather_all(
            self._bulk.send(writing.entries, self._replacements(batch, reasons)),
            *(self._bulk.send(collection, _credit_replacements(batch, kind)) for kind, collection in by_kind),
        ):
            reasons |= unwritten_ids
        if reasons:
            raise NotWrittenError(unwritten(list(reasons), next(iter(reasons.values()))), reasons)
        await gather_all(
            delete(writing.entries, batch.removals),
            *(
                delete(collection, [key for of, key in batch.withdrawn if of == kind])
                for kind, collection in by_kind
            ),
        )

    @operation("finish the update of")
    async def advance(self, writer: Writer | None = None) -> int:
        return await self.leases.fenced(writer, advance)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Make what this task writes within the block visible together, at its end, or never.

        Raises:
            TransactionError: the server has no transactions, they would nest, or this one was rolled back.
        """
        await self.setup()  # because a transaction cannot create indexes
        async with self.connection.transaction():
            yield

    def _replacements(self, batch: WriteBatch, excluded: Collection[str]) -> Iterator[DocumentWrite]:
        for record in batch.upserts:
            if record.oifm_id not in excluded:
                document = documents.entry_document(record, binary=self._setup.is_binary)
                yield _replacement(document)
        for state in batch.touches:
            update = UpdateOne({"_id": state.oifm_id}, {"$set": documents.file_fields(state)})
            yield DocumentWrite(state.oifm_id, update)


def _credit_replacements(batch: WriteBatch, kind: ContributorKind) -> Iterator[DocumentWrite]:
    for credit in batch.credits:
        if credit.kind == kind:
            yield _replacement(documents.contributor_document(credit))


def _replacement(document: dict[str, Any]) -> DocumentWrite:
    return DocumentWrite(document["_id"], ReplaceOne({"_id": document["_id"]}, document, upsert=True))


async def _count(collection: Any) -> int:
    """Count by the index of ids; with an empty filter the server would read the documents."""
    number: int = await collection.count_documents({"_id": {"$gte": ""}})
    return number
