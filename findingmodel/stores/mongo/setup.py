"""Which branches a MongoDB database has."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from pymongo import IndexModel, ReplaceOne, UpdateOne
from pymongo.errors import BulkWriteError, OperationFailure

from findingmodel.errors import StoreSchemaError
from findingmodel.legacy.archive import has_old_indexes
from findingmodel.settings import server_of
from findingmodel.stores.mongo.documents import NOT_OURS, check_own
from findingmodel.stores.mongo.errors import translated
from findingmodel.stores.mongo.pool import PoolSettings, connect, settled
from findingmodel.stores.mongo.query import FIELD_WEIGHTS, TEXT_FIELDS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.stores.mongo.connection import Collections

__all__ = [
    "SCHEMA_VERSION",
    "STATE",
    "State",
    "branches_in_database",
    "prepare",
    "read_state",
    "searches_any_word",
]

SCHEMA_VERSION = 1
STATE = {"_id": "state"}
_PROBE = {"_id": "probe", "binary": b"\0"}
_ARRAYS = ("keys", "identity", "facets", "credit_keys")
_CONFLICTS = (85, 86)  # a collection can have one text index
_WORDS = ["alpha", "beta"]


class State(NamedTuple):
    """What the index knows of itself.

    Attributes:
        generation: the number of the last finished update; 0 before the first.
        schema: by which version of this module it was prepared; 0 before that.
        text: whether the server searches its text index for any of several words.
        binary: whether the server can replace a document that holds binary values.
    """

    generation: int = 0
    schema: int = 0
    text: bool = False
    binary: bool = True


async def read_state(collections: Collections, *, is_ours: bool) -> State:
    """Read what the index knows of itself: one command, and one more where nothing was ever set up.

    Args:
        collections: the index.
        is_ours: whether its entries have been seen already, and need not be looked at.

    Raises:
        StoreSchemaError: a newer version prepared it, or the collections are another program's.
    """
    document = await collections.meta.find_one(STATE)
    if document is None:
        if not is_ours and (entry := await collections.entries.find_one({}, {"file": 1})) is not None:
            check_own(entry, "file")
        return State()
    state = State(**{name: document[name] for name in State._fields if name in document})
    if state.schema > SCHEMA_VERSION:
        raise StoreSchemaError(
            f"the index has schema {state.schema}, this findingmodel knows schemas up to {SCHEMA_VERSION}: "
            "upgrade findingmodel, or use another branch or database"
        )
    return state


async def prepare(database: Any, collections: Collections) -> State:
    """Create the indexes, find out what the server can do, and note both down; any number of times.

    Raises:
        StoreSchemaError: the collections were made ready for findingmodel 0.3, and may be in use.
    """
    has_text = await _create_indexes(database, collections.entries)
    has_binary = await _note(collections.meta, {"schema": SCHEMA_VERSION, "text": has_text})
    return State(schema=SCHEMA_VERSION, text=has_text, binary=has_binary)


async def _create_indexes(database: Any, entries: Any) -> bool:
    """Create all indexes in one command; without a useful text index, that of the tokens instead."""
    arrays = [IndexModel([(name, 1)], name=name) for name in _ARRAYS]
    has_text = await _was_created(entries, [*arrays, _text_index()])
    if has_text and await _finds_any_word(database, entries.name):
        return True
    await entries.create_indexes([*arrays, IndexModel([("tokens", 1)], name="tokens")])
    return False


async def _was_created(entries: Any, indexes: list[IndexModel]) -> bool:
    """Create *indexes*, unless the server refuses.

    It may have no text index. If it has another reason, the next command will fail for that reason too.
    """
    try:
        await entries.create_indexes(indexes)
    except OperationFailure as error:
        if error.code in _CONFLICTS and await has_old_indexes(entries):
            raise StoreSchemaError(NOT_OURS) from None
        return False
    return True


def _text_index() -> IndexModel:
    """Describe a text index over tokens that are final: no stemming, no stop words, no language."""
    return IndexModel(
        [(f"terms.{name}", "text") for name in TEXT_FIELDS],
        name="terms_text",
        weights={f"terms.{name}": weight for name, weight in FIELD_WEIGHTS.items()},
        default_language="none",
        language_override="no_language",
    )


async def _finds_any_word(database: Any, collection: str) -> bool:
    """Ask the server how it would search for several words."""
    find = {"find": collection, "filter": {"$text": {"$search": " ".join(_WORDS)}}}
    try:
        plan = await database.command({"explain": find, "verbosity": "queryPlanner"})
    except OperationFailure:
        return False
    return searches_any_word(plan)


def searches_any_word(plan: Any) -> bool:
    """Return whether the *plan* of a text search looks for any word, as MongoDB does, and changes none.

    Other servers join the words with AND, and their plans say nothing of terms.

    >>> searches_any_word({"stage": "TEXT_MATCH", "parsedTextQuery": {"terms": ["alpha", "beta"]}})
    True
    """
    return any(sorted(query.get("terms", ())) == _WORDS for query in _parsed_text_queries(plan))


def _parsed_text_queries(plan: Any) -> Iterator[dict[str, Any]]:
    """Yield every ``parsedTextQuery`` in a plan, however deep the server hides it."""
    if isinstance(plan, dict):
        if isinstance(parsed := plan.get("parsedTextQuery"), dict):
            yield parsed
        plan = list(plan.values())
    if isinstance(plan, list):
        for part in plan:
            yield from _parsed_text_queries(part)


async def _note(meta: Any, facts: dict[str, Any]) -> bool:
    """Store *facts*, and whether a document with binary values could be replaced: one command if so."""
    put = ReplaceOne({"_id": _PROBE["_id"]}, _PROBE, upsert=True)
    try:
        await meta.bulk_write([put, put, UpdateOne(STATE, {"$set": {**facts, "binary": True}}, upsert=True)])
    except BulkWriteError:
        await meta.update_one(STATE, {"$set": {**facts, "binary": False}}, upsert=True)
        return False
    return True


_PREFIX = "index_meta_"


async def branches_in_database(uri: str, database: str, pool: PoolSettings) -> list[str]:
    """Return the names of all branches, sorted, by one command of a client of its own.

    Args:
        uri: of the server. database: the name of the database. pool: the driver and its timeouts.

    Raises:
        ConfigError: the driver does not accept the URI.
        StoreError: the server cannot be reached, or refused.
    """
    client = connect(uri, pool)
    try:
        with translated("list the branches of", f"{server_of(uri)}/{database}"):
            names = await client[database].list_collection_names()
    finally:
        await settled(client.close())
    return sorted(name.removeprefix(_PREFIX) for name in names if name.startswith(_PREFIX))
