"""The commands that MongoStore sends: few, and a text search where the server has one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pymongo
import pytest
from motor.motor_asyncio import AsyncIOMotorDatabase
from pymongo import errors

from findingmodel.search.searcher import Searcher
from findingmodel.stores.mongo.setup import searches_any_word
from findingmodel.stores.mongo.terms import by_text
from findingmodel.stores.records import TermQuery, WriteBatch
from findingmodel.text.query import parse_query
from tests.servers import running
from tests.stores.contract_support import crowd, ids_of, labels_of
from tests.stores.databases import own_database
from tests.stores.listening import listened
from tests.stores.samples import (
    LONG_SECONDS,
    make_id,
    make_record,
    make_writer,
    organization,
    person,
    upserts,
)
from tests.stores.test_search_parity import RECORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from findingmodel.stores.mongo.store import MongoStore
    from tests.servers import Server

pytestmark = pytest.mark.mongo


async def learned(store: MongoStore) -> None:
    """Let *store* find out that the server cannot add up weights, as FerretDB 1 cannot."""
    await store.terms.candidates(TermQuery((("lung",),)), limit=1)


async def test_a_read_is_one_command(mongo_server: Server, mongo_database: str) -> None:
    lease = make_writer("mine")
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        await store.setup()
        await store.write(WriteBatch(upserts=crowd(), credits=[person("ann")]))
        await learned(store)
        ids = [make_id(number) for number in range(900)]
        assert await commands.of(store.open()) == []
        assert await commands.of(store.setup()) == ["find"]
        assert await commands.of(store.generation()) == ["find"]
        assert await commands.of(store.get(ids)) == ["find"]
        assert await commands.of(store.lookup(ids)) == ["find"]
        assert await commands.of(store.models(ids)) == ["find"]
        assert await commands.of(store.page(sort="name", descending=True, offset=3, limit=33)) == ["find"]
        assert await commands.of(store.contributors("person")) == ["find"]
        assert await commands.of(store.contributors("person", ["ann"])) == ["find"]
        assert len(await commands.of(store.terms.candidates(TermQuery((("lung",),)), limit=200))) == 1
        assert (
            len(await commands.of(store.terms.candidates(TermQuery((), facets=(("tag:ct",),)), limit=9))) == 1
        )
        assert await commands.of(store.terms.candidates(TermQuery(()), limit=200)) == []
        assert await commands.of(store.owners(ids)) == ["find"]
        assert await commands.of(store.credits(["ann"])) == ["find"]
        assert await commands.of(store.advance()) == ["findAndModify"]
        assert await commands.of(store.leases.status()) == ["find"]
        assert await commands.of(store.leases.acquire(lease, LONG_SECONDS)) == ["findAndModify", "hello"]
        assert await commands.of(store.leases.renew(lease, LONG_SECONDS)) == ["findAndModify"]
        assert await commands.of(store.leases.status()) == ["find"]
        assert await commands.of(store.leases.release(lease)) == ["delete"]
        assert len(await commands.of(store.counts())) == 3


async def test_a_search_is_one_command(mongo_server: Server, mongo_database: str) -> None:
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        await store.setup()
        await store.write(upserts(*RECORDS))
        searcher = Searcher(store)
        await searcher.search(parse_query("nephrolithasis"))  # which needs the list of all words
        generation = await store.generation()
        for text in (
            "pneumothorax",
            "bone mass",
            "big hart",
            "skeletal mass of the lung",
            "tag:CT cyst",
            "PVT",
        ):
            sent = await commands.of(searcher.search(parse_query(text), generation=generation))
            assert len(sent) == 1, (text, sent)


async def test_many_rows_are_one_reply(mongo_server: Server, mongo_database: str) -> None:
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        await store.setup()
        records = [make_record(number) for number in range(1_000)]
        assert await commands.of(store.write(WriteBatch(upserts=records))) == ["update"]
        assert await commands.of(store.manifest()) == ["find"]
        assert await commands.of(labels_of(store)) == ["find"]
        assert await commands.of(store.page(sort="oifm_id", descending=False, offset=0, limit=1_000)) == [
            "find"
        ]
        query = TermQuery((("finding",),))
        await learned(store)
        assert len(await commands.of(store.terms.candidates(query, limit=200))) == 1


async def test_a_batch_is_one_command_for_each_collection_and_kind(secantus: Server, database: str) -> None:
    batch = WriteBatch(
        upserts=[make_record(number) for number in range(20)],
        touches=[make_record(number).file for number in range(20, 40)],
        removals=[make_id(number) for number in range(40, 60)],
        credits=[person("ann"), person("bob"), organization("ACR")],
        withdrawn=[("person", "zoe"), ("organization", "RSNA")],
    )
    async with listened(secantus.uri, database) as (store, commands):
        await store.setup()
        assert await commands.of(store.write(batch)) == ["delete"] * 3 + ["update"] * 3
        assert await commands.of(store.write(WriteBatch())) == []


async def test_a_first_update_needs_few_commands_besides_its_writes(secantus: Server, database: str) -> None:
    async def update(store: MongoStore) -> None:
        lease = make_writer("mine")
        assert await store.manifest() == []
        assert await store.leases.acquire(lease, LONG_SECONDS) is None
        await store.manifest()
        await store.setup()
        await store.write(WriteBatch(upserts=crowd(), credits=[person("ann"), organization("ACR")]))
        await store.advance()
        await store.leases.release(lease)

    async with listened(secantus.uri, database) as (store, commands):
        sent = await commands.of(update(store))
        assert len(sent) <= 14, sent


async def test_entries_are_fetched_without_their_models(secantus: Server, database: str) -> None:
    async with listened(secantus.uri, database) as (store, commands):
        await store.write(upserts(make_record(1, "mass")))
        await store.generation()
        for call in (store.get([make_id(1)]), store.lookup(["mass"]), store.manifest(), labels_of(store)):
            await commands.of(call)
            assert "model" not in commands.sent[0].command["projection"]


async def test_the_text_index_takes_tokens_as_they_are(mongo_server: Server, mongo_database: str) -> None:
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        await commands.of(store.setup())
        sent = [event.command for event in commands.sent if event.command_name == "createIndexes"]
    text = next(index for index in sent[0]["indexes"] if "text" in index["key"].values())
    assert list(text["key"]) == ["terms.name", "terms.synonyms", "terms.description", "terms.other"]
    assert text["default_language"] == "none"
    assert text["language_override"] not in ("language", *make_record(1).entry)
    assert len(text["weights"]) <= 3
    assert len(sent[0]["indexes"]) == 8


async def test_text_search_selects_the_same_as_tokens(mongo_server: Server, mongo_database: str) -> None:
    if mongo_server.name != "nx":
        pytest.skip("this server has no text index")
    queries = [
        TermQuery((("lung",),)),
        TermQuery((("lung",),), match="all", excluded=("mass",)),
        TermQuery((("lung",),), facets=(("tag:ct", "tag:mr"), ("code:radlex:rid1@model",))),
    ]
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        await store.setup()
        await store.write(WriteBatch(upserts=crowd()))
        by_tokens = [sorted(await ids_of(store, query)) for query in queries]
        with pymongo.MongoClient[dict[str, Any]](mongo_server.uri) as client:
            state = {"$set": {"text": True}}
            client[mongo_database]["index_meta_main"].update_one({"_id": "state"}, state)
        await store.generation()
        for query, expected in zip(queries, by_tokens, strict=True):
            for limit in (200, None):
                await commands.of(store.terms.candidates(query, limit=limit))
                assert commands.sent[0].command["filter"]["$text"] == {"$search": "lung"}
                assert sorted(await ids_of(store, query, limit)) == expected != []


ANY_WORD = {"stage": "TEXT_MATCH", "parsedTextQuery": {"terms": ["beta", "alpha"], "negatedTerms": []}}


@pytest.fixture(scope="session")
def with_text() -> Iterator[Server]:
    """A server that has text indexes, though it joins words with AND."""
    with running("nx") as server:
        yield server


async def is_text_index_kept_where_plans_are(
    plan: Callable[[], Any], uri: str, monkeypatch: pytest.MonkeyPatch
) -> bool:
    """Set up a store on a server that explains searches by *plan*; return whether it has a text index."""

    async def command(*_: Any, **__: Any) -> Any:
        return plan()

    monkeypatch.setattr(AsyncIOMotorDatabase, "command", command)
    with own_database(uri) as name:
        async with listened(uri, name) as (store, commands):
            sent = await commands.of(store.setup())
            is_kept = "createIndexes" in sent and "dropIndexes" not in sent
            await store.write(WriteBatch(upserts=crowd()))
            await commands.of(store.terms.candidates(TermQuery((("lung",),)), limit=9))
            assert ("$text" in str(commands.sent[0].command)) is is_kept
    return is_kept


async def test_a_text_index_is_kept_where_the_server_searches_for_any_word(
    with_text: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan() -> Any:
        return {"queryPlanner": {"winningPlan": ANY_WORD}}

    assert await is_text_index_kept_where_plans_are(plan, with_text.uri, monkeypatch)


async def test_a_text_index_that_is_not_used_is_dropped(
    with_text: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def plan() -> Any:
        raise errors.OperationFailure("no such command: explain", 59)

    assert not await is_text_index_kept_where_plans_are(plan, with_text.uri, monkeypatch)


def test_a_text_search_finds_any_word_and_conditions_do_the_rest() -> None:
    groups = (("lung", "pulmonary"), ("mass",))
    assert by_text(TermQuery(groups)) == {"$text": {"$search": "lung pulmonary mass"}}
    assert by_text(TermQuery(groups, "all", ("cyst",), (("tag:ct",),))) == {
        "$text": {"$search": "lung pulmonary mass"},
        "$and": [
            {"tokens": {"$in": ["lung", "pulmonary"]}},
            {"tokens": {"$in": ["mass"]}},
            {"facets": {"$in": ["tag:ct"]}},
            {"name_tokens": {"$nin": ["cyst"]}},
        ],
    }


@pytest.mark.parametrize("token", ["-mass", '"mass"', "a b", "o'neill", "x-ray", "c++", ""])
def test_tokens_that_are_not_words_are_not_searched_in_the_text_index(token: str) -> None:
    assert by_text(TermQuery((("lung",), (token,)))) is None


@pytest.mark.parametrize(
    ("plan", "expected"),
    [
        ({"queryPlanner": {"winningPlan": ANY_WORD}}, True),
        ({"queryPlanner": {"winningPlan": {"queryPlan": {"stage": "FETCH", "inputStage": ANY_WORD}}}}, True),
        ({"queryPlanner": {"winningPlan": {"shards": [{"winningPlan": ANY_WORD}]}}}, True),
        ({"queryPlanner": {"winningPlan": {"parsedTextQuery": {"terms": ["alpha"]}}}}, False),
        ({"queryPlanner": {"winningPlan": {"parsedTextQuery": "alpha beta"}}}, False),
        ({"queryPlanner": {"winningPlan": [{"detail": "SCAN terms VIRTUAL TABLE"}]}}, False),
        ({}, False),
    ],
)
def test_a_plan_shows_whether_a_text_search_finds_any_word(plan: dict[str, Any], expected: bool) -> None:
    assert searches_any_word(plan) is expected
