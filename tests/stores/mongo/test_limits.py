"""What simple servers and restored databases lack: operators, indexes, a collation; and time limits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymongo
import pytest
from pymongo.errors import OperationFailure

from findingmodel.errors import StoreError, StoreSchemaError
from findingmodel.stores.mongo import setup, terms
from findingmodel.stores.mongo.connection import Collections, login_hint
from findingmodel.stores.records import TermQuery, WriteBatch
from tests.proxy import Proxy
from tests.servers import ServerOptions, running
from tests.stores.contract_support import crowd, ids_of, labels_of
from tests.stores.databases import mongo_store
from tests.stores.listening import listened
from tests.stores.samples import make_id, make_record, make_writer, person, upserts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Server

pytestmark = pytest.mark.mongo

QUERIES = [
    TermQuery((("lung",), ("mass", "nodule"))),
    TermQuery((("lung",), ("mass",)), match="all", excluded=("cyst",), facets=(("tag:ct",),)),
]


async def test_a_server_without_the_operators_gives_the_same_candidates(
    secantus: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store, simple = (mongo_store(secantus.uri, database) for _ in range(2))
    await store.write(WriteBatch(upserts=crowd()))
    expected = [await ids_of(store, query, 7) for query in QUERIES]
    assert all(expected)

    def lacking(*_: Any) -> list[Any]:
        return [{"$project": {"score": {"$noSuchOperator": 1}}}]

    monkeypatch.setattr(terms, "by_tokens", lacking)
    assert [await ids_of(simple, query, 7) for query in QUERIES] == expected
    await store.close()
    await simple.close()


class InGerman:
    """A collection that its owner created with a collation."""

    name = "index_entries_main"

    async def index_information(self) -> dict[str, Any]:
        return {"_id_": {"key": [("_id", 1)], "collation": {"locale": "de", "strength": 1}}}


@pytest.fixture
def as_if_any_word(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take every text search for one that finds any of several words."""

    async def finds(*_: Any) -> bool:
        return True

    monkeypatch.setattr(setup, "_finds_any_word", finds)


@pytest.mark.usefixtures("as_if_any_word")
async def test_searches_do_without_a_text_index_that_vanished(monkeypatch: pytest.MonkeyPatch) -> None:
    async def vanished(*_: Any) -> None:
        asked.append(True)
        raise OperationFailure("text index required for $text query", 27)

    asked: list[bool] = []
    monkeypatch.setattr(terms, "_find_by_text", vanished)
    with running("nx") as server:
        store = mongo_store(server.uri, "findings")
        await store.write(WriteBatch(upserts=crowd()))
        for _ in range(2):
            assert len(await ids_of(store, QUERIES[0])) > 10
        assert len(asked) == 1
        await store.close()


class Restored(InGerman):
    """A collection that was restored from a copy without its text index, or with it."""

    def __init__(self, *names: str) -> None:
        self._names = names

    async def index_information(self) -> dict[str, Any]:
        return {key: {} for key in self._names}


async def test_the_next_update_restores_a_text_index_that_vanished() -> None:
    state = setup.State(generation=7, schema=setup.SCHEMA_VERSION, text=True, indexes=("keys", "terms_text"))
    assert await setup._is_incomplete(Restored("_id_", "keys"), state)
    assert not await setup._is_incomplete(Restored("_id_", "keys", "terms_text"), state)
    assert not await setup._is_incomplete(Restored("_id_"), state._replace(text=False))


async def test_an_index_that_an_older_version_set_up_gets_what_it_lacks(
    secantus: Server, database: str
) -> None:
    store, later = (mongo_store(secantus.uri, database) for _ in range(2))
    await store.setup()
    with pymongo.MongoClient[dict[str, Any]](secantus.uri) as client:
        client[database]["index_meta_main"].update_one({"_id": "state"}, {"$unset": {"indexes": 1}})
        client[database]["index_entries_main"].drop_index("sort_name")
        await later.setup()
        assert "sort_name" in client[database]["index_entries_main"].index_information()
    await store.close()
    await later.close()


async def test_a_collection_that_does_not_tell_case_apart_is_refused() -> None:
    with pytest.raises(StoreSchemaError, match="was created with the collation de, and ids need the simple"):
        await setup.prepare(None, Collections(InGerman(), None, None, None))


async def test_labels_continue_where_the_connection_was_lost(
    secantus: Server, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(terms, "BATCH", 10)
    monkeypatch.setattr(terms, "_LABELS_PER_CHUNK", 10)
    with Proxy(secantus.uri) as proxy:
        store = mongo_store(proxy.uri, database)
        await store.write(WriteBatch(upserts=crowd()))
        lost = proxy.lose_reply(b"getMore\0")
        assert list(await labels_of(store)) == [make_id(number) for number in range(36)]
        assert lost.is_set()
        await store.close()


async def test_every_command_has_a_time_limit_in_the_server(
    mongo_server: Server, mongo_database: str
) -> None:
    writer = make_writer("mine")
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        await store.setup()
        calls = [
            store.leases.acquire(writer, 60),
            store.write(WriteBatch(upserts=crowd(), credits=[person("ann")])),
            store.write(WriteBatch(removals=[make_id(1)])),
            store.advance(writer),
            store.leases.release(writer),
            store.generation(),
            store.counts(),
            store.get([make_id(1)]),
            store.lookup(["mass"]),
            store.models([make_id(1)]),
            store.page(sort="name", descending=False, offset=0, limit=5),
            store.contributors("person"),
            store.manifest(),
            store.owners([make_id(1)]),
            store.credits(["ann"]),
            store.terms.candidates(QUERIES[0], limit=9),
            store.terms.candidates(QUERIES[0], limit=None),
            labels_of(store),
        ]
        for call in calls:
            await commands.of(call)
            for event in commands.sent:
                is_free = event.command_name in ("hello", "getMore", "commitTransaction")
                assert is_free or event.command["maxTimeMS"] > 0, event
                assert event.command.get("maxTimeMS", 0) <= 600_000


def test_a_refused_login_says_where_the_user_was_looked_for(tmp_path: Path) -> None:
    import asyncio

    async def ask(uri: str) -> None:
        store = mongo_store(uri, "findings")
        try:
            await store.counts()
        finally:
            await store.close()

    with running("secantus", ServerOptions(storage=tmp_path, user=("ann", "s3cret"))) as server:
        wrong = server.uri.replace("s3cret", "wr0ng")
        with pytest.raises(
            StoreError, match=r"looked for the user in the database findings.*authSource=admin$"
        ):
            asyncio.run(ask(f"{wrong}/findings"))
        with pytest.raises(StoreError, match=r"did not accept the user name and password$"):
            asyncio.run(ask(f"{wrong}/findings?authSource=admin"))


@pytest.mark.parametrize(
    "uri",
    [
        "mongodb://db/findings",
        "mongodb://me:secret@db",
        "mongodb://me:secret@db/?tls=true",
        "mongodb://me:secret@db/findings?AUTHSOURCE=admin",
        "mongodb://me:se@cr/et@db/findings",
    ],
)
def test_other_uris_give_no_hint(uri: str) -> None:
    assert login_hint(uri) == ""


async def test_a_page_can_start_after_an_entry_of_an_index_that_was_written_since(
    mongo_server: Server, mongo_database: str
) -> None:
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        await store.write(WriteBatch(upserts=crowd()))
        await store.write(upserts(make_record(99)))
        await commands.of(store.page(sort="name", descending=False, offset=0, limit=5))
        assert list(commands.sent[0].command["sort"]) == ["sort_name", "oifm_id"]
        with pymongo.MongoClient[dict[str, Any]](mongo_server.uri) as client:
            indexes = client[mongo_database]["index_entries_main"].index_information()
        assert [("sort_name", 1), ("oifm_id", 1)] in [list(index["key"]) for index in indexes.values()]
