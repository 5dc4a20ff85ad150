"""MongoStore: the index in MongoDB, for many readers and writers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo import ReplaceOne, ReturnDocument, UpdateOne

from findingmodel.stores import mongo_documents as documents
from findingmodel.stores import mongo_lease
from findingmodel.stores.mongo_commands import BATCH, delete, find_among, together, upsert
from findingmodel.stores.mongo_connection import Connection
from findingmodel.stores.mongo_errors import translated
from findingmodel.stores.mongo_query import by_text, by_tokens, facet_filter, tokens_of
from findingmodel.stores.mongo_setup import SCHEMA_VERSION, STATE, State, prepare, read_state
from findingmodel.stores.pool import PoolSettings, settled
from findingmodel.stores.records import Counts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Iterator, Sequence

    from findingmodel.stores.records import (
        Candidate,
        ContributorKind,
        Credit,
        EntryRow,
        FileState,
        Frequencies,
        Lease,
        LexiconRow,
        Owner,
        TermQuery,
        WriteBatch,
    )

__all__ = ["MongoStore"]

_LEXICON_CHUNK = 2_000
_SORTS = {"name": "sort_name", "oifm_id": "_id", "filename": "filename"}
_DEFAULT_POOL = PoolSettings()


class MongoStore:
    """The index of one branch in a MongoDB database.

    Nothing is sent before the first question. A database that does not exist yet reads as an empty index;
    `setup` or the first `write` creates it. The store may be used from one event loop after another.

    Args:
        uri: ``mongodb://`` or ``mongodb+srv://``, see
            https://www.mongodb.com/docs/manual/reference/connection-string/
        database: the name of the database. branch: which of the database's indexes. pool: the driver, pool
        sizes and timeouts. client: a Motor client, or pymongo's AsyncMongoClient, to be used instead of the
        pool's; it stays open.

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
        client: Any = None,
    ) -> None:
        self._connection = Connection(uri, database, branch, pool, client)
        self._branch = branch
        self._state: State | None = None
        self._is_ours = False

    def __repr__(self) -> str:
        return f"MongoStore({self.label!r}, branch={self._branch!r})"

    @property
    def label(self) -> str:
        """The database's URI, without its password and options."""
        return self._connection.label

    # life

    async def open(self) -> None:
        """Take a share of the pool's client."""
        self._connection.reach()

    async def setup(self) -> None:
        """Create the collections and indexes where they are missing: one command if nothing is."""
        reached = self._connection.reach()
        with translated("set up", self.label):
            self._state = await read_state(reached.writing, is_ours=self._is_ours)
            if self._state.schema < SCHEMA_VERSION:
                prepared = await prepare(reached.database, reached.writing)
                self._state = prepared._replace(generation=self._state.generation)

    async def close(self) -> None:
        """Give the share of the client back."""
        await self._connection.close()

    # what is there

    async def generation(self) -> int:
        """Return the number of finished updates."""
        reading = self._connection.reach().reading
        with translated("read the generation of", self.label):
            self._state = await read_state(reading, is_ours=self._is_ours)
        return self._state.generation

    async def counts(self) -> Counts:
        """Return how much is stored."""
        reading = self._connection.reach().reading
        every_id = {"_id": {"$gte": ""}}  # counted in the index; an empty filter would read the documents
        with translated("count the documents of", self.label):
            found = (reading.entries, reading.people, reading.organizations)
            return Counts(*await together(*(collection.count_documents(every_id) for collection in found)))

    async def get(self, ids: Collection[str]) -> dict[str, EntryRow]:
        """Return entries by id."""
        reading = self._connection.reach().reading
        with translated("read entries of", self.label):
            found = await find_among(reading.entries, "_id", ids, documents.ENTRY_FIELDS)
            return {document["_id"]: documents.entry_row(document) for document in found}

    async def lookup(self, keys: Collection[str]) -> list[EntryRow]:
        """Return the entries that have any of these folded keys."""
        reading = self._connection.reach().reading
        with translated("look up names in", self.label):
            found = await find_among(reading.entries, "keys", keys, documents.ENTRY_FIELDS)
            return [documents.entry_row(document) for document in found]

    async def models(self, ids: Collection[str]) -> dict[str, bytes]:
        """Return the JSON texts of models by id."""
        reading = self._connection.reach().reading
        with translated("read models of", self.label):
            found = await find_among(reading.entries, "_id", ids, {"model": 1})
            return {document["_id"]: documents.model_text(document) for document in found}

    async def page(self, *, sort: str, descending: bool, offset: int, limit: int) -> list[EntryRow]:
        """Return one page of the sorted entries."""
        reading = self._connection.reach().reading
        if limit <= 0:
            return []  # to the server, no limit at all
        direction = -1 if descending else 1
        order = dict.fromkeys((_SORTS[sort], "_id"), direction)
        with translated("list the entries of", self.label):
            cursor = reading.entries.find({}, documents.ENTRY_FIELDS, batch_size=limit + 1)
            found = await cursor.sort(list(order.items())).skip(offset).limit(limit).to_list(None)
            return [documents.entry_row(document) for document in found]

    async def contributors(self, kind: ContributorKind, keys: Collection[str] | None = None) -> list[Credit]:
        """Return people or organizations, by key."""
        reading = self._connection.reach().reading
        collection = reading.people if kind == "person" else reading.organizations
        with translated("read the contributors of", self.label):
            if keys is None:
                found = await collection.find({}, batch_size=BATCH).to_list(None)
            else:
                found = await find_among(collection, "_id", keys, None)
            rows = [documents.contributor(kind, document) for document in found]
        return sorted(rows, key=lambda row: row.key)

    # search

    async def candidates(self, query: TermQuery, *, limit: int) -> list[Candidate]:
        """Return the best entries for *query*, by the weights of the fields that have its tokens."""
        if limit <= 0 or not (any(query.groups) or any(query.facets)):
            return []
        if self._state is None:
            await self.generation()
        entries = self._connection.reach().reading.entries
        with translated("search", self.label):
            found = await self._propose(entries, query, limit)
            return [documents.candidate(document) for document in found]

    async def frequencies(self, tokens: Collection[str]) -> Frequencies | None:
        """Return None: a server counts one token a command, and `lexicon` needs one for them all."""
        self._connection.reach()
        return None

    async def lexicon(self) -> AsyncIterator[Sequence[LexiconRow]]:
        """Yield every entry's names and terms, in chunks."""
        entries = self._connection.reach().reading.entries
        cursor = entries.find({}, documents.LEXICON_FIELDS, batch_size=BATCH)
        try:
            while True:
                with translated("read the names of", self.label):
                    found = await cursor.to_list(_LEXICON_CHUNK)
                    rows = [documents.lexicon_row(document) for document in found]
                if not rows:
                    return
                yield rows
        finally:
            await settled(cursor.close())

    # update

    async def manifest(self) -> list[FileState]:
        """Return what files the index was made from."""
        writing = self._connection.reach().writing
        with translated("read the manifest of", self.label):
            found = await writing.entries.find({}, documents.FILE_FIELDS, batch_size=BATCH).to_list(None)
            states = [documents.file_state(document) for document in found]
        self._is_ours = True
        return states

    async def owners(self, identity: Collection[str]) -> list[Owner]:
        """Return who holds these identity keys."""
        writing = self._connection.reach().writing
        wanted = set(identity)
        with translated("read the owners of names in", self.label):
            found = await find_among(writing.entries, "identity", wanted, documents.OWNER_FIELDS)
            return [owner for document in found for owner in documents.owners_in(document, wanted)]

    async def credits(self, keys: Collection[str]) -> list[Credit]:
        """Return these contributors as each stored model states them."""
        writing = self._connection.reach().writing
        wanted = set(keys)
        with translated("read the credits of", self.label):
            found = await find_among(writing.entries, "credit_keys", wanted, documents.CREDIT_FIELDS)
            return [credit for document in found for credit in documents.credits_in(document, wanted)]

    async def write(self, batch: WriteBatch) -> None:
        """Apply *batch*: first all that is put, then all that is removed, so that nothing is ever missing."""
        if self._state is None or self._state.schema < SCHEMA_VERSION:
            await self.setup()
        writing = self._connection.reach().writing
        by_kind: tuple[tuple[ContributorKind, Any], ...] = (
            ("person", writing.people),
            ("organization", writing.organizations),
        )
        with translated("write to", self.label):
            await together(
                upsert(writing.entries, self._replacements(batch)),
                *(upsert(place, _credit_replacements(batch, kind)) for kind, place in by_kind),
            )
            await together(
                delete(writing.entries, batch.removals),
                *(
                    delete(place, [key for of, key in batch.withdrawn if of == kind])
                    for kind, place in by_kind
                ),
            )

    async def advance(self) -> int:
        """Count one finished update."""
        writing = self._connection.reach().writing
        with translated("finish the update of", self.label):
            document = await writing.meta.find_one_and_update(
                STATE, {"$inc": {"generation": 1}}, upsert=True, return_document=ReturnDocument.AFTER
            )
        return int(document["generation"])

    async def acquire(self, lease: Lease) -> Lease | None:
        """Take or renew the lease."""
        meta = self._connection.reach().writing.meta
        with translated("take the lease of", self.label):
            return await mongo_lease.acquire(meta, lease)

    async def release(self, lease: Lease) -> None:
        """Give the lease back, if it is still held."""
        meta = self._connection.reach().writing.meta
        with translated("give back the lease of", self.label):
            await mongo_lease.release(meta, lease)

    # within

    async def _propose(self, entries: Any, query: TermQuery, limit: int) -> list[dict[str, Any]]:
        """Ask for candidates in the way that suits the query and the server."""
        has_text = self._state is not None and self._state.text
        if has_text and (words := by_text(query)) is not None:
            score = {"$meta": "textScore"}
            cursor = entries.find(words, {"terms": 1, "score": score}, batch_size=limit + 1)
            cursor = cursor.sort([("score", score), ("_id", 1)]).limit(limit)
        elif tokens_of(query):
            cursor = await settled(entries.aggregate(by_tokens(query, limit), batchSize=limit + 1))
        else:
            cursor = entries.find(facet_filter(query), {"terms": 1}, batch_size=limit + 1)
            cursor = cursor.sort([("_id", 1)]).limit(limit)
        found: list[dict[str, Any]] = await cursor.to_list(None)
        return found

    def _replacements(self, batch: WriteBatch) -> Iterator[ReplaceOne[Any] | UpdateOne]:
        binary = self._state is None or self._state.binary
        for record in batch.upserts:
            document = documents.entry_document(record, binary=binary)
            yield ReplaceOne({"_id": document["_id"]}, document, upsert=True)
        for state in batch.touches:
            yield UpdateOne({"_id": state.oifm_id}, {"$set": documents.file_fields(state)})


def _credit_replacements(batch: WriteBatch, kind: ContributorKind) -> Iterator[ReplaceOne[Any]]:
    for credit in batch.credits:
        if credit.kind == kind:
            yield ReplaceOne({"_id": credit.key}, documents.contributor_document(credit), upsert=True)
