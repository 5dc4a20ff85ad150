"""MongoStore on real servers: the contract with each driver, the stored documents, foreign documents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pymongo
import pytest

from findingmodel.errors import StoreSchemaError
from findingmodel.stores.lease import Lease
from findingmodel.stores.mongo import lease as mongo_lease
from findingmodel.stores.records import TermQuery, WriteBatch
from tests.stores.contract import StoreContract
from tests.stores.contract_support import OpenStore, labels_of
from tests.stores.databases import mongo_store, opening
from tests.stores.listening import listened
from tests.stores.samples import NOW_NS, make_id, make_record, make_writer, person, upserts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine

    from findingmodel.stores.mongo.store import MongoStore
    from tests.servers import Server

pytestmark = pytest.mark.mongo

Driver = Literal["motor", "pymongo"]


@pytest.mark.parametrize("driver", ["motor", "pymongo"])
class TestContract(StoreContract):
    """Every rule, on each server, with each driver."""

    @pytest.fixture
    async def open_store(
        self, mongo_server: Server, mongo_database: str, driver: Driver
    ) -> AsyncIterator[OpenStore]:
        def make(branch: str) -> MongoStore:
            return mongo_store(mongo_server.uri, mongo_database, branch, driver)

        async with opening(make) as open_store:
            yield open_store


async def test_indexes_serve_every_lookup_and_none_is_unique(secantus: Server, database: str) -> None:
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        await (await open_store()).setup()
    with pymongo.MongoClient[dict[str, Any]](secantus.uri) as client:
        indexes = client[database]["index_entries_main"].index_information()
    fields = {index["key"][0][0] for index in indexes.values()}
    assert fields == {
        "_id",
        "keys",
        "identity",
        "facets",
        "credit_keys",
        "tokens",
        "sort_name",
        "filename",
    }
    assert not any(index.get("unique") for index in indexes.values())


async def test_documents_are_readable_for_other_programs(secantus: Server, database: str) -> None:
    record = make_record(1, "mass", synonyms=["lump"], contributors=[person("ann", email="ann@example.org")])
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        await (await open_store()).write(WriteBatch(upserts=[record], credits=record.credits))
    with pymongo.MongoClient[dict[str, Any]](secantus.uri) as client:
        entry = client[database]["index_entries_main"].find_one({"oifm_id": make_id(1)})
        ann = client[database]["people_main"].find_one({"github_username": "ann"})
    assert entry is not None
    assert {name: entry[name] for name in record.entry} == record.entry
    assert entry["_id"] == make_id(1)
    assert entry["file"]["mtime_ns"] == NOW_NS + 1
    assert entry["model"] == record.model
    assert ann is not None
    assert (ann["_id"], ann["email"]) == ("ann", "ann@example.org")


async def test_a_write_sets_up_the_database(secantus: Server, database: str) -> None:
    async with listened(secantus.uri, database) as (store, commands):
        assert "createIndexes" in await commands.of(store.write(upserts(make_record(1))))
        assert "createIndexes" not in await commands.of(store.write(upserts(make_record(2))))
        assert (await store.counts()).models == 2


class JustReleased:
    """A collection whose lease was released a moment ago."""

    def __init__(self) -> None:
        self.asked = 0

    async def find_one_and_update(self, _: Any, change: dict[str, Any], **__: Any) -> dict[str, Any] | None:
        self.asked += 1
        return None if self.asked == 1 else change["$set"]

    async def find_one(self, _: Any) -> None:
        return None


async def test_a_lease_released_during_the_request_is_taken() -> None:
    meta = JustReleased()
    assert await mongo_lease.acquire(meta, Lease(make_writer("mine"), 1), 0) is None
    assert meta.asked == 2


def put_foreign_entry(uri: str, database: str) -> Callable[[], list[Any]]:
    """Store an entry as findingmodel 0.3 did; return a function that reads everything in its collection."""
    with pymongo.MongoClient[dict[str, Any]](uri) as client:
        entry = {**make_record(1).entry, "filename": "old.fm.json"}
        client[database]["index_entries_main"].insert_one(entry)

    def everything() -> list[Any]:
        with pymongo.MongoClient[dict[str, Any]](uri) as client:
            collection = client[database]["index_entries_main"]
            return [
                client[database].list_collection_names(),
                collection.index_information(),
                *collection.find(),
            ]

    return everything


@pytest.mark.parametrize(
    "use",
    [
        lambda store: store.generation(),
        lambda store: store.setup(),
        lambda store: store.manifest(),
        lambda store: store.write(upserts(make_record(1))),
        lambda store: store.page(sort="name", descending=False, offset=0, limit=5),
        lambda store: store.terms.candidates(TermQuery((("mass",),)), limit=5),
        labels_of,
    ],
    ids=["generation", "setup", "manifest", "write", "page", "candidates", "labels"],
)
async def test_another_programs_collection_is_refused_and_left_alone(
    mongo_server: Server, mongo_database: str, use: Callable[[MongoStore], Coroutine[Any, Any, Any]]
) -> None:
    everything = put_foreign_entry(mongo_server.uri, mongo_database)
    before = everything()
    async with opening(lambda branch: mongo_store(mongo_server.uri, mongo_database, branch)) as open_store:
        with pytest.raises(StoreSchemaError, match=r"findingmodel 0\.3.*use another branch") as raised:
            await use(await open_store())  # type: ignore[arg-type]
    assert mongo_database in str(raised.value)
    assert everything() == before


async def test_a_newer_index_is_refused(secantus: Server, database: str) -> None:
    with pymongo.MongoClient[dict[str, Any]](secantus.uri) as client:
        client[database]["index_meta_main"].insert_one({"_id": "state", "schema": 99, "generation": 7})
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        store = await open_store()
        for call in (store.generation(), store.setup(), store.write(upserts(make_record(1)))):
            with pytest.raises(StoreSchemaError, match=r"schema 99.*upgrade findingmodel"):
                await call
        with pymongo.MongoClient[dict[str, Any]](secantus.uri) as client:
            assert client[database].list_collection_names() == ["index_meta_main"]
