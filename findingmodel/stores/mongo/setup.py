"""Set up a branch in MongoDB: its indexes, its schema version, and what the server supports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pymongo import IndexModel, ReplaceOne, ReturnDocument, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from findingmodel.errors import StoreSchemaError
from findingmodel.settings import server_of
from findingmodel.stores.mongo.connection import META_PREFIX
from findingmodel.stores.mongo.documents import FIELD_WEIGHTS, NOT_OURS, TEXT_FIELDS, check_own
from findingmodel.stores.mongo.errors import translated
from findingmodel.stores.mongo.pool import connect, maybe_await
from findingmodel.stores.records import generation_step

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from findingmodel.stores.mongo.connection import Collections, Connection
    from findingmodel.stores.mongo.pool import PoolSettings

SCHEMA_VERSION = 1
STATE = {"_id": "state"}
_PROBE = {"_id": "probe", "binary": b"\0"}
_TEXT_INDEX = "terms_text"
_ARRAYS = ("keys", "identity", "facets", "credit_keys", "tokens")
_SORTS = ("sort_name", "filename")
_CONFLICTS = (85, 86)  # a collection can have one text index
_LEGACY_INDEXES = {"fts_allfields", "slug_name_1"}
_WORDS = ["alpha", "beta"]


class State(NamedTuple):
    """The stored state of a branch."""

    generation: int = 0  # number of the last finished update; 0 before the first
    schema: int = 0  # version of this module that set the branch up; 0 before that
    text: bool = False  # whether the server's text search finds documents with any of several words
    indexes: tuple[str, ...] = ()  # the names of those that the server created; none before version 2.0.0b2
    binary: bool = True  # whether the server can replace a document that holds binary values


class BranchSetup:
    """The setup of one branch, as one store knows it: read once, and created when something is written."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.state: State | None = None  # until it is read
        self.is_ours = False  # whether entries of this package have been seen in the branch

    @property
    def is_binary(self) -> bool:
        """Whether models are stored as binary values."""
        return self.state is None or self.state.binary

    async def read(self) -> State:
        """Read the stored state; raises as `read_state`."""
        self.state = await read_state(self._connection.reach().reading, is_ours=self.is_ours)
        return self.state

    def miss_text_index(self) -> None:
        """Search by tokens from now on: the text index has gone, until the next update creates it."""
        if self.state is not None:
            self.state = self.state._replace(text=False)

    async def check_empty(self, found: object) -> None:
        """Check once, if nothing was *found*, that the collections are not another program's."""
        if not found and self.state is None:
            await self.read()

    async def ensure(self) -> None:
        """Create collections and indexes unless they are known to exist."""
        if self.state is None or self.state.schema < SCHEMA_VERSION:
            await self.create()

    async def create(self, *, recheck: bool = False) -> None:
        """Create collections and indexes unless the stored state says that they exist, or to *recheck* it."""
        bound = self._connection.reach()
        state = await read_state(bound.writing, is_ours=self.is_ours)
        if recheck or await _is_incomplete(bound.writing.entries, state):
            prepared = await prepare(bound.database, bound.writing)
            state = prepared._replace(generation=state.generation)
        self.state = state


async def advance(collections: Collections) -> int:
    """Increase the generation and return it."""
    step = {"$inc": {"generation": generation_step()}}
    document = await collections.meta.find_one_and_update(
        STATE, step, upsert=True, return_document=ReturnDocument.AFTER
    )
    return int(document["generation"])


async def read_state(collections: Collections, *, is_ours: bool) -> State:
    """Return the stored state of a branch: one command, and one more if it was never set up.

    Raises:
        StoreSchemaError: a newer version set the branch up, or, unless the branch *is_ours* for certain,
            another program wrote its collections.
    """
    document = await collections.meta.find_one(STATE)
    if document is None:
        if not is_ours and (entry := await collections.entries.find_one({}, {"file": 1})) is not None:
            check_own(entry, "file")
        return State()
    state = State(**{name: document[name] for name in State._fields if name in document})
    state = state._replace(indexes=tuple(state.indexes))
    if state.schema > SCHEMA_VERSION:
        raise StoreSchemaError(
            f"the index has schema {state.schema}, this findingmodel knows schemas up to {SCHEMA_VERSION}: "
            "upgrade findingmodel, or use another branch or database"
        )
    return state


async def prepare(database: Any, collections: Collections) -> State:
    """Create the indexes, find out what the server supports, and store that. Idempotent.

    Raises:
        StoreSchemaError: the collections have the indexes of findingmodel 0.3, and may be in use.
    """
    existing = await collections.entries.index_information()
    _refuse_collation(collections.entries.name, existing)
    indexes = await _create_indexes(database, collections.entries, existing)
    has_text = _TEXT_INDEX in indexes
    facts = {"schema": SCHEMA_VERSION, "text": has_text, "indexes": indexes}
    has_binary = await _store_facts(collections.meta, facts)
    return State(schema=SCHEMA_VERSION, text=has_text, indexes=tuple(indexes), binary=has_binary)


async def _is_incomplete(entries: Any, state: State) -> bool:
    """Return whether the branch was never set up, or has lost its text index, as a restored copy may."""
    if state.schema < SCHEMA_VERSION or not state.indexes:
        return True
    return state.text and _TEXT_INDEX not in await entries.index_information()


def _refuse_collation(name: str, indexes: Mapping[str, Any]) -> None:
    """Check that the collection, if it exists, compares strings byte by byte.

    A collection keeps the collation that it was created with, and so does the index of its ids: another one
    can take two models for one, and forbids a text index.
    """
    locale = indexes.get("_id_", {}).get("collation", {}).get("locale", "simple")
    if locale != "simple":
        raise StoreSchemaError(
            f"the collection {name} was created with the collation {locale}, and ids need the simple "
            "one: drop it, and the next update creates it again; or use another branch"
        )


async def _create_indexes(database: Any, entries: Any, existing: Collection[str]) -> list[str]:
    """Create the indexes that the server has a use for, in one command if it can; return all their names.

    Those that are *existing* are not asked for again: FerretDB 1.24 breaks the connection if it is asked for
    some of them and for one that it does not support.
    """
    arrays = [IndexModel([(name, 1)], name=name) for name in _ARRAYS]
    sorts = [IndexModel([(name, 1), ("oifm_id", 1)], name=name) for name in _SORTS]
    for wanted in ([*arrays, *sorts, _text_index()], [*arrays, *sorts]):
        missing = [index for index in wanted if index.document["name"] not in existing]
        if not missing or await _was_created(entries, missing):
            break
    else:
        wanted = arrays
        await entries.create_indexes(wanted)
    names = [index.document["name"] for index in wanted]
    if _TEXT_INDEX in names and not await _finds_any_word(database, entries.name):
        await entries.drop_index(_TEXT_INDEX)  # it would only cost time and space
        names.remove(_TEXT_INDEX)
    return names


async def _was_created(entries: Any, indexes: list[IndexModel]) -> bool:
    """Create *indexes* and return whether the server did.

    It may not support text indexes. If it refuses for another reason, so will it the next command.
    """
    try:
        await entries.create_indexes(indexes)
    except OperationFailure as error:
        if error.code in _CONFLICTS and await has_legacy_indexes(entries):
            raise StoreSchemaError(NOT_OURS) from None
        return False
    return True


async def has_legacy_indexes(entries: Any) -> bool:
    """Return whether *entries* has the indexes of findingmodel 0.3; its unique ones would refuse models."""
    return not _LEGACY_INDEXES.isdisjoint(await entries.index_information())


def _text_index() -> IndexModel:
    """Return a text index over tokens as they are: no stemming, no stop words, no language."""
    return IndexModel(
        [(f"terms.{name}", "text") for name in TEXT_FIELDS],
        name=_TEXT_INDEX,
        weights={f"terms.{name}": weight for name, weight in FIELD_WEIGHTS.items()},
        default_language="none",
        language_override="no_language",
    )


async def _finds_any_word(database: Any, collection: str) -> bool:
    """Return whether the server plans to search for any of several words."""
    find = {"find": collection, "filter": {"$text": {"$search": " ".join(_WORDS)}}}
    try:
        plan = await database.command({"explain": find, "verbosity": "queryPlanner"})
    except OperationFailure:
        return False
    return searches_any_word(plan)


def searches_any_word(plan: Any) -> bool:
    """Return whether the *plan* of a text search finds any of the words unchanged, as MongoDB's does.

    Other servers join the words with AND, and their plans do not mention terms.

    >>> searches_any_word({"stage": "TEXT_MATCH", "parsedTextQuery": {"terms": ["alpha", "beta"]}})
    True
    """
    return any(sorted(query.get("terms", ())) == _WORDS for query in _parsed_text_queries(plan))


def _parsed_text_queries(plan: Any) -> Iterator[dict[str, Any]]:
    """Yield every ``parsedTextQuery`` in a plan, at any depth."""
    if isinstance(plan, dict):
        if isinstance(parsed := plan.get("parsedTextQuery"), dict):
            yield parsed
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from _parsed_text_queries(part)


async def _store_facts(meta: Any, facts: dict[str, Any]) -> bool:
    """Store *facts* and return whether the server can replace binary values: one command if it can."""
    put = ReplaceOne({"_id": _PROBE["_id"]}, _PROBE, upsert=True)
    try:
        await meta.bulk_write([put, put, UpdateOne(STATE, {"$set": {**facts, "binary": True}}, upsert=True)])
    except BulkWriteError:
        await meta.update_one(STATE, {"$set": {**facts, "binary": False}}, upsert=True)
        return False
    return True


async def branches_in_database(uri: str, database: str, pool: PoolSettings) -> list[str]:
    """Return the names of all branches, sorted, by one command of a client of its own.

    Raises:
        ConfigError: the driver does not accept the URI.
        StoreError: the server cannot be reached, or refused.
    """
    client = connect(uri, pool)
    try:
        with translated("list the branches of", f"{server_of(uri)}/{database}"):
            names = await client[database].list_collection_names()
    finally:
        await maybe_await(client.close())
    return sorted(name.removeprefix(META_PREFIX) for name in names if name.startswith(META_PREFIX))
