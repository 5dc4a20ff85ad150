"""MongoStore: the index in MongoDB, for many readers and writers."""

from __future__ import annotations

from contextlib import asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING, Any

from pymongo import ReplaceOne, ReturnDocument, UpdateOne

from findingmodel.errors import NotWrittenError
from findingmodel.legacy.archive import find_predecessor, put_aside
from findingmodel.stores.lease import is_orphaned
from findingmodel.stores.mongo import documents
from findingmodel.stores.mongo import lease as mongo_lease
from findingmodel.stores.mongo.commands import BATCH, delete, each_among, find_among, together, upsert
from findingmodel.stores.mongo.connection import Collections, Connection, operation
from findingmodel.stores.mongo.errors import unwritten
from findingmodel.stores.mongo.pool import PoolSettings, settled
from findingmodel.stores.mongo.query import by_text, by_tokens, selection, tokens_of
from findingmodel.stores.mongo.retry import RetryPolicy
from findingmodel.stores.mongo.setup import SCHEMA_VERSION, STATE, State, prepare, read_state
from findingmodel.stores.records import Counts, first_generation, newest

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Mapping, Sequence

    from findingmodel.stores.mongo.connection import BoundCollections
    from findingmodel.stores.records import (
        Candidate,
        ContributorKind,
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

__all__ = ["MongoStore"]

_LEXICON_CHUNK = 2_000
_MOST_WITH_ENTRIES = (
    600  # candidates; of more than a search ranks, entries are better sent for when they are known
)
_SORTS = {"name": "sort_name", "oifm_id": "_id", "filename": "filename"}
_DEFAULT_POOL = PoolSettings()
_DEFAULT_PATIENCE = RetryPolicy()


class MongoStore:
    """The index of one branch in a MongoDB database.

    Nothing is sent before the first question. A database that does not exist yet reads as an empty index;
    `setup` or the first `write` creates it. The store may be used from one event loop after another.

    Args:
        uri: ``mongodb://`` or ``mongodb+srv://``, see
            https://www.mongodb.com/docs/manual/reference/connection-string/
        database: the name of the database. branch: which of the database's indexes. pool: the driver, pool
        sizes and timeouts. patience: how long a server that fails is put up with. client: a Motor client, or
        pymongo's AsyncMongoClient, to be used instead of the pool's; it stays open.

    Raises:
        ConfigError: the client is a blocking one.
    """

    def __init__(
        self,
        uri: str,
        *,
        database: str,
        branch: str = "main",
        pool: PoolSettings = _DEFAULT_POOL,
        patience: RetryPolicy = _DEFAULT_PATIENCE,
        client: Any = None,
    ) -> None:
        self._connection = Connection(uri, database, branch, pool, patience, client)
        self._branch = branch
        self._state: State | None = None
        self._has_generation = False  # as of the last time that it was looked at before a write
        self._is_ours = False

    def __repr__(self) -> str:
        return f"MongoStore({self.label!r}, branch={self._branch!r})"

    @property
    def label(self) -> str:
        """The database's URI, without its password and options."""
        return self._connection.label

    @property
    def reached(self) -> BoundCollections:
        """The branch as the running event loop reaches it: the driver's own objects."""
        return self._connection.reach()

    # life

    async def open(self) -> None:
        """Take a share of the pool's client."""
        self._connection.reach()

    @operation("set up")
    async def setup(self, *, anew: bool = False) -> None:
        """Create the collections and indexes where they are missing: one command if nothing is."""
        await self._prepare(anew=anew)

    @operation("put aside the old index in")
    async def put_aside(self, *, dry_run: bool) -> Predecessor | None:
        """Give the collections of findingmodel 0.3 the names of another branch, with all that is in them."""
        reached = self._connection.reach()
        found = await find_predecessor(reached.writing, self._branch)
        if found is not None and not dry_run:
            to = Collections.of(reached.database, found.branch)
            await put_aside(reached.database, reached.writing, to)
            await reached.writing.meta.update_one(STATE, {"$set": {"schema": 0}})  # its indexes are gone
            self._state = None
        return found

    async def close(self) -> None:
        """Give the share of the client back."""
        await self._connection.close()

    # what is there

    @operation("read the generation of")
    async def generation(self) -> int:
        """Return the number of the last finished update."""
        reading = self._connection.reach().reading
        self._state = await read_state(reading, is_ours=self._is_ours)
        return self._state.generation

    @operation("count the documents of")
    async def counts(self) -> Counts:
        """Return how much is stored."""
        reading = self._connection.reach().reading
        found = (reading.entries, reading.people, reading.organizations)
        counts = Counts(*await together(*(_count(collection) for collection in found)))
        await self._check_nothing(counts.models)
        return counts

    @operation("read entries of")
    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]:
        """Return entries by id."""
        reading = self._connection.reach().reading
        found = await find_among(reading.entries, "_id", ids, documents.ENTRY_FIELDS)
        await self._check_nothing(found)
        return {document["_id"]: documents.entry_row(document) for document in found}

    @operation("look up names in")
    async def lookup(self, keys: Collection[str]) -> list[EntryRow]:
        """Return the entries that have any of these folded keys."""
        reading = self._connection.reach().reading
        found = await find_among(reading.entries, "keys", keys, documents.ENTRY_FIELDS)
        await self._check_nothing(found)
        return [documents.entry_row(document) for document in found]

    @operation("read models of")
    async def models(self, ids: Collection[str]) -> dict[str, bytes]:
        """Return the JSON texts of models by id."""
        reading = self._connection.reach().reading
        found = await find_among(reading.entries, "_id", ids, {"model": 1})
        await self._check_nothing(found)
        return {document["_id"]: documents.model_text(document) for document in found}

    @operation("list the entries of")
    async def page(self, *, sort: str, descending: bool, offset: int, limit: int) -> list[EntryRow]:
        """Return one page of the sorted entries."""
        reading = self._connection.reach().reading
        if limit <= 0:
            return []  # to the server, no limit at all
        direction = -1 if descending else 1
        order = dict.fromkeys((_SORTS[sort], "_id"), direction)
        cursor = reading.entries.find({}, documents.ENTRY_FIELDS, batch_size=limit + 1)
        found = await cursor.sort(list(order.items())).skip(offset).limit(limit).to_list(None)
        return [documents.entry_row(document) for document in found]

    @operation("read the contributors of")
    async def contributors(self, kind: ContributorKind, keys: Collection[str] | None = None) -> list[Credit]:
        """Return people or organizations, by key."""
        reading = self._connection.reach().reading
        collection = reading.people if kind == "person" else reading.organizations
        if keys is None:
            found = await collection.find({}, batch_size=BATCH).to_list(None)
        else:
            found = await find_among(collection, "_id", keys, None)
        rows = [documents.contributor(kind, document) for document in found]
        return sorted(rows, key=lambda row: row.key)

    # search

    async def candidates(self, query: TermQuery, *, limit: int | None) -> list[Candidate]:
        """Return the best entries for *query*, by the weights of the fields that have its tokens.

        Without a *limit* these are all of them, in any order.
        """
        if limit == 0 or not (any(query.groups) or any(query.facets)):
            return []
        return await self._propose(query, limit)

    async def frequencies(self, tokens: Collection[str] | None) -> Frequencies | None:
        """Return None: a server counts one token a command, and `iter_labels` needs one for them all."""
        self._connection.reach()
        return None

    async def words(self) -> Mapping[str, int] | None:
        """Return None: a server has no list of words, and `iter_labels` gives the names to make one of."""
        self._connection.reach()
        return None

    async def iter_labels(self) -> AsyncIterator[Sequence[LabelRow]]:
        """Yield every entry's names and terms, in chunks."""
        cursor, rows = await self._first_names()
        try:
            while rows:
                yield rows
                rows = await self._connection.call("read the names of", partial(_names, cursor), once=True)
        finally:
            await settled(cursor.close())

    # update

    @operation("read the manifest of")
    async def manifest(self) -> list[FileState]:
        """Return what files the index was made from."""
        writing = self._connection.reach().writing
        found = await writing.entries.find({}, documents.FILE_FIELDS, batch_size=BATCH).to_list(None)
        states = [documents.file_state(document) for document in found]
        self._is_ours = True
        return states

    @operation("read the owners of names in")
    async def owners(self, identity: Collection[str]) -> list[Owner]:
        """Return who holds these identity keys."""
        writing = self._connection.reach().writing
        wanted = set(identity)
        found = await find_among(writing.entries, "identity", wanted, documents.OWNER_FIELDS)
        return [owner for document in found for owner in documents.owners_in(document, wanted)]

    @operation("read the credits of")
    async def credits(self, keys: Collection[str]) -> list[Credit]:
        """Return these contributors as each stored model states them."""
        writing = self._connection.reach().writing
        wanted = set(keys)
        found: dict[tuple[ContributorKind, str], Credit] = {}  # an organization may stand in every document
        async for document in each_among(writing.entries, "credit_keys", wanted, documents.CREDIT_FIELDS):
            newest(documents.credits_in(document, wanted), found)
        return list(found.values())

    def refuses(self, record: Record) -> str | None:
        """Say why *record* can never be written: one document holds no more than 16 MB."""
        return documents.excess(record, binary=self._is_binary)

    @operation("write to")
    async def write(self, batch: WriteBatch) -> None:
        """Apply *batch*: first all that is put, then all that is removed, so that nothing is ever missing.

        Raises:
            NotWrittenError: some documents were not put; all the others were, and nothing was removed.
        """
        if self._state is None or self._state.schema < SCHEMA_VERSION:
            await self._prepare()
        writing = self._connection.reach().writing
        by_kind: tuple[tuple[ContributorKind, Any], ...] = (
            ("person", writing.people),
            ("organization", writing.organizations),
        )
        reasons = {
            record.oifm_id: reason for record in batch.upserts if (reason := self.refuses(record)) is not None
        }
        for unput in await together(
            upsert(writing.entries, self._replacements(batch, reasons)),
            *(upsert(place, _credit_replacements(batch, kind)) for kind, place in by_kind),
        ):
            reasons |= unput
        if reasons:
            raise NotWrittenError(unwritten(list(reasons), next(iter(reasons.values()))), reasons)
        await together(
            delete(writing.entries, batch.removals),
            *(delete(place, [key for of, key in batch.withdrawn if of == kind]) for kind, place in by_kind),
        )

    @operation("finish the update of")
    async def advance(self) -> int:
        """Count one finished update."""
        writing = self._connection.reach().writing
        step = 1 if self._has_generation else first_generation()
        document = await writing.meta.find_one_and_update(
            STATE, {"$inc": {"generation": step}}, upsert=True, return_document=ReturnDocument.AFTER
        )
        self._has_generation = True
        return int(document["generation"])

    @operation("look at the lease of")
    async def needs_recovery(self) -> bool:
        """Return whether an update died before it was done, and left its lease."""
        return is_orphaned(await mongo_lease.held(self._connection.reach().writing.meta))

    @operation("take the lease of")
    async def acquire(self, lease: Lease) -> Lease | None:
        """Take or renew the lease."""
        meta = self._connection.reach().writing.meta
        return await mongo_lease.acquire(meta, lease, looks_first=self._connection.is_in_transaction)

    @operation("give back the lease of")
    async def release(self, lease: Lease) -> None:
        """Give the lease back, if it is still held."""
        meta = self._connection.reach().writing.meta
        await mongo_lease.release(meta, lease)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        """Let what this task writes within the block be seen together, at its end, or never.

        Raises:
            TransactionError: the server has no transactions, or they would nest, or this one was given up.
        """
        await self.setup()  # no index can be made within
        async with self._connection.transaction():
            yield

    # within

    @property
    def _is_binary(self) -> bool:
        return self._state is None or self._state.binary

    async def _check_nothing(self, found: object) -> None:
        """Look once, where nothing was *found*, whether the index is one of ours at all."""
        if not found and self._state is None:
            self._state = await read_state(self._connection.reach().reading, is_ours=self._is_ours)

    async def _prepare(self, *, anew: bool = False) -> None:
        reached = self._connection.reach()
        state = await read_state(reached.writing, is_ours=self._is_ours)
        if anew or state.schema < SCHEMA_VERSION:
            prepared = await prepare(reached.database, reached.writing)
            state = prepared._replace(generation=state.generation)
        self._state, self._has_generation = state, state.generation > 0

    @operation("search")
    async def _propose(self, query: TermQuery, limit: int | None) -> list[Candidate]:
        """Ask for candidates in the way that suits the query and the server."""
        reading = self._connection.reach().reading
        if self._state is None:
            self._state = await read_state(reading, is_ours=self._is_ours)
        fields = documents.CANDIDATE_FIELDS
        if limit is None or limit <= _MOST_WITH_ENTRIES:
            fields = fields | documents.ENTRY_FIELDS
        words = by_text(query) if self._state.text else None
        if limit is None:
            cursor = reading.entries.find(words or selection(query), fields, batch_size=BATCH)
        elif words:
            score = {"$meta": "textScore"}
            cursor = reading.entries.find(words, {**fields, "score": score}, batch_size=limit + 1)
            cursor = cursor.sort([("score", score), ("_id", 1)]).limit(limit)
        elif tokens_of(query):
            pipeline = by_tokens(query, limit, fields)
            cursor = await settled(reading.entries.aggregate(pipeline, batchSize=limit + 1))
        else:
            cursor = reading.entries.find(selection(query), fields, batch_size=limit + 1)
            cursor = cursor.sort([("_id", 1)]).limit(limit)
        return [documents.candidate(document) for document in await cursor.to_list(None)]

    @operation("read the names of")
    async def _first_names(self) -> tuple[Any, list[LabelRow]]:
        """Return a cursor over the names of all entries, and what it gives first."""
        entries = self._connection.reach().reading.entries
        cursor = entries.find({}, documents.LEXICON_FIELDS, batch_size=BATCH)
        try:
            return cursor, await _names(cursor)
        except BaseException:
            await settled(cursor.close())
            raise

    def _replacements(
        self, batch: WriteBatch, excluded: Collection[str]
    ) -> Iterator[ReplaceOne[Any] | UpdateOne]:
        for record in batch.upserts:
            if record.oifm_id not in excluded:
                document = documents.entry_document(record, binary=self._is_binary)
                yield ReplaceOne({"_id": document["_id"]}, document, upsert=True)
        for state in batch.touches:
            yield UpdateOne({"_id": state.oifm_id}, {"$set": documents.file_fields(state)})


def _credit_replacements(batch: WriteBatch, kind: ContributorKind) -> Iterator[ReplaceOne[Any]]:
    for credit in batch.credits:
        if credit.kind == kind:
            yield ReplaceOne({"_id": credit.key}, documents.contributor_document(credit), upsert=True)


async def _names(cursor: Any) -> list[LabelRow]:
    return [documents.lexicon_row(document) for document in await cursor.to_list(_LEXICON_CHUNK)]


async def _count(collection: Any) -> int:
    """Count in the index of ids; an empty filter would read the documents."""
    number: int = await collection.count_documents({"_id": {"$gte": ""}})
    return number
