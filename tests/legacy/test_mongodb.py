"""What code for findingmodel 0.3 uses of MongoDB: settings, driver objects, collections, documents."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pymongo
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from findingmodel import Index, IndexEntry
from findingmodel.errors import StoreClosedError
from tests.builders import make_organization, make_person
from tests.legacy.conftest import model_of, save

if TYPE_CHECKING:
    from pathlib import Path

    from tests.servers import Server

pytestmark = pytest.mark.mongo

COLLECTIONS = {
    "index_collection": "index_entries_test",
    "people_collection": "people_test",
    "organizations_collection": "organizations_test",
}


async def test_uri_and_database_come_from_arguments_or_the_environment(
    mongo_server: Server, mongo_database: str, defs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = Index(mongodb_uri=mongo_server.uri, db_name=mongo_database)
    await given.add_or_update_entry_from_file(save(defs, model_of(1)))
    await given.close()
    monkeypatch.setenv("MONGODB_URI", mongo_server.uri)
    monkeypatch.setenv("MONGODB_DB", mongo_database)
    found = Index()
    assert await found.count() == 1
    await found.close()


async def test_settings_come_from_a_file_in_the_current_directory_with_quotes_removed(
    mongo_server: Server, mongo_database: str, tmp_path: Path
) -> None:
    (tmp_path / ".env").write_text(f'MONGODB_URI="{mongo_server.uri}"\nMONGODB_DB={mongo_database}\n')
    index = Index()
    assert index.label.endswith(f"/{mongo_database}")
    assert await index.count() == 0
    await index.close()


@pytest.mark.parametrize("arguments", [{}, {"branch": "test"}])
def test_a_database_without_a_uri_is_on_this_machine(arguments: dict[str, Any]) -> None:
    assert Index(db_name="findings", **arguments).label == "mongodb://localhost:27017/findings"


def test_a_uri_from_the_settings_is_used_with_a_named_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MONGODB_URI", "mongodb://db.example:27017")
    assert Index(db_name="findings").label == "mongodb://db.example:27017/findings"


async def test_the_drivers_objects_are_attributes(mongo_server: Server, mongo_database: str) -> None:
    client: Any = AsyncIOMotorClient(mongo_server.uri)
    index = Index(client=client, db_name=mongo_database, branch="test")
    assert index.client is client
    assert index.db.name == mongo_database
    assert {attribute: getattr(index, attribute).name for attribute in COLLECTIONS} == COLLECTIONS
    client.close()


async def test_an_index_without_a_passed_client_has_one_too(
    mongo_server: Server, mongo_database: str, defs: Path
) -> None:
    async with Index(mongodb_uri=mongo_server.uri, db_name=mongo_database) as index:
        await index.add_or_update_entry_from_file(save(defs, model_of(1)))
        assert await index.index_collection.count_documents({"slug_name": {"$exists": True}}) == 1
        assert mongo_database in await index.client.list_database_names()


async def test_collections_that_were_dropped_are_created_again(
    mongo_server: Server, mongo_database: str, defs: Path
) -> None:
    async with Index(mongodb_uri=mongo_server.uri, db_name=mongo_database, branch="test") as index:
        await index.add_or_update_entry_from_file(save(defs, model_of(1)))
        before = await index.index_collection.index_information()
        await index.index_collection.drop()
        await index.setup_indexes()
        assert await index.index_collection.index_information() == before
        assert await index.count() == 0
        assert await index.search("nodule") == []


async def test_an_index_in_a_file_reports_that_it_has_no_driver_objects() -> None:
    async with Index("sqlite://") as index:
        for name in ("client", "db", *COLLECTIONS):
            with pytest.raises(AttributeError, match="has no client and no collections"):
                getattr(index, name)


def test_the_objects_of_a_passed_client_are_attributes_without_an_event_loop() -> None:
    client: Any = pymongo.AsyncMongoClient("mongodb://localhost:1", connect=False)
    index = Index(client=client, db_name="findings", branch="test")
    assert index.client is client
    assert index.db.name == "findings"
    assert {attribute: getattr(index, attribute).name for attribute in COLLECTIONS} == COLLECTIONS
    asyncio.run(index.close())
    with pytest.raises(StoreClosedError):
        _ = index.client


def test_without_an_event_loop_there_is_no_client() -> None:
    index = Index("mongodb://localhost/findings")
    with pytest.raises(RuntimeError, match="findings has a client only while an event loop runs"):
        _ = index.client


async def test_collections_have_their_old_names_and_documents_their_old_fields(
    mongo_server: Server, mongo_database: str, defs: Path
) -> None:
    model = model_of(1, contributors=[make_person(), make_organization()])
    async with Index(mongodb_uri=mongo_server.uri, db_name=mongo_database) as index:
        await index.add_or_update_entry_from_file(save(defs, model))
        entry = await index.get(model.oifm_id)
    with pymongo.MongoClient[dict[str, Any]](mongo_server.uri) as client:
        database = client[mongo_database]
        document = database["index_entries_main"].find_one({"oifm_id": model.oifm_id})
        person = database["people_main"].find_one({"github_username": "test-reader"})
        organization = database["organizations_main"].find_one({"code": "TEST"})
    assert IndexEntry.model_validate(document) == entry
    assert person is not None
    assert person["email"] == "reader@example.org"
    assert organization is not None
    assert organization["name"] == "Test Radiology Group"
