"""Code as it was written for findingmodel 0.3: it runs, and gets what it got, or better.

Only what such code can see is tested here: names, keyword arguments, what is returned, what is raised.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import pymongo
import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from findingmodel import FindingModelFull, Index, IndexEntry, Organization, Person
from findingmodel.index import IndexReturnType
from tests.builders import make_choice, make_model, make_organization, make_person
from tests.servers import mongo_server
from tests.stores.conftest import mongo_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers import Server

__all__ = ["mongo_database", "mongo_server"]  # fixtures are found by their names here

pytestmark = pytest.mark.mongo


@pytest.fixture
async def index(mongo_server: Server, mongo_database: str) -> AsyncIterator[Index]:
    """An index with a client of the caller's, never closed by itself: 0.3 had no way to."""
    client: Any = AsyncIOMotorClient(mongo_server.uri)
    index = Index(client=client, db_name=mongo_database, branch="main")
    await index.setup_indexes()
    await index.setup_indexes()
    yield index
    client.close()


@pytest.fixture
async def populated(index: Index, tmp_path: Path) -> Index:
    for number in range(1, 7):
        await index.add_or_update_entry_from_file(save(tmp_path, model_of(number)))
    return index


def model_of(number: int, /, **changes: Any) -> FindingModelFull:
    return FindingModelFull(**make_model(number, **changes))


def save(directory: Path, model: FindingModelFull) -> Path:
    path = directory / f"{model.oifm_id.lower()}.fm.json"
    path.write_text(model.model_dump_json(indent=2, exclude_none=True))
    return path


async def test_a_model_is_added_and_retrieved(index: Index, tmp_path: Path) -> None:
    model = model_of(1, contributors=[make_person(), make_organization()])
    result = await index.add_or_update_entry_from_file(save(tmp_path, model), model)
    assert result == IndexReturnType.ADDED == "added"
    entry = await index.get(model.oifm_id)
    assert isinstance(entry, IndexEntry)
    assert entry.name == model.name
    assert entry.filename == "oifm_test_000001.fm.json"
    assert entry.match("PN1")
    assert [info.attribute_id for info in entry.attributes] == [a.oifma_id for a in model.attributes]
    assert await index.contains(model.name)
    assert await index.contains(model.oifm_id)
    assert not await index.contains("no such name")
    assert await index.count() == 1
    assert await index.count_people() == 1
    assert await index.count_organizations() == 1
    assert isinstance(await index.get_person("test-reader"), Person)
    assert isinstance(await index.get_organization("TEST"), Organization)


async def test_a_file_is_added_once_and_updated_when_it_changes(index: Index, tmp_path: Path) -> None:
    path = save(tmp_path, model_of(1))
    assert await index.add_or_update_entry_from_file(filename=str(path)) == IndexReturnType.ADDED
    assert await index.add_or_update_entry_from_file(path) == IndexReturnType.UNCHANGED
    changed = model_of(1, description="It says something else now.")
    save(tmp_path, changed)
    status = await index.add_or_update_entry_from_file(path, changed, allow_duplicate_synonyms=True)
    assert status == IndexReturnType.UPDATED
    entry = await index.get(changed.name)
    assert entry is not None
    assert entry.file_hash_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert await index.count() == 1


async def test_files_that_cannot_be_indexed_raise_what_they_did(index: Index, tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await index.add_or_update_entry_from_file(tmp_path / "none.fm.json")
    with pytest.raises(ValueError, match=r"\.fm\.json"):
        await index.add_or_update_entry_from_file(tmp_path / "none.json")
    for content in ("{ no json", '{"name": "a model without the rest"}'):
        broken = tmp_path / "broken.fm.json"
        broken.write_text(content)
        with pytest.raises(ValueError, match=r"broken\.fm\.json"):
            await index.add_or_update_entry_from_file(broken)


async def test_models_added_at_once_all_land(index: Index, tmp_path: Path) -> None:
    paths = [save(tmp_path, model_of(number)) for number in (1, 2, 3)]
    results = await asyncio.gather(*[index.add_or_update_entry_from_file(path) for path in paths])
    assert results == [IndexReturnType.ADDED] * 3


async def test_entries_are_removed(populated: Index) -> None:
    assert await populated.remove_entry("OIFM_TEST_000001") is True
    assert await populated.remove_entry("pulmonary nodule of type 2") is True
    assert await populated.remove_entry("never heard of") is False
    kept = [f"oifm_test_{number:06d}.fm.json" for number in (3, 4, 5)]
    assert set(await populated.remove_unused_entries(kept)) == {"oifm_test_000006.fm.json"}
    assert list(await populated.remove_unused_entries(active_filenames=iter(kept))) == []
    assert await populated.get("OIFM_TEST_000006") is None
    assert await populated.count() == 3


async def test_validation_returns_sentences(populated: Index) -> None:
    assert await populated.validate_model(model_of(7)) == []
    first = (await populated.validate_model(model_of(7, oifm_id="OIFM_TEST_000001")))[0]
    assert first.startswith("Duplicate ID")
    first = (await populated.validate_model(model_of(7, name="PULMONARY NODULE OF TYPE 1")))[0]
    assert first.startswith("Duplicate name")
    first = (await populated.validate_model(model_of(7, attributes=[make_choice(10)]), False))[0]
    assert first.startswith("Attribute ID conflict")
    results = await populated.validate_models_batch(
        [(model_of(7), None), (model_of(1, name="a new name"), "OIFM_TEST_000001")],
        allow_duplicate_synonyms=False,
    )
    assert results == {"OIFM_TEST_000007": [], "OIFM_TEST_000001": []}


async def test_a_directory_is_mirrored(index: Index, tmp_path: Path) -> None:
    paths = [save(tmp_path, model_of(number)) for number in range(1, 7)]
    assert tuple(await index.update_from_directory(tmp_path)) == (6, 0, 0)
    save(tmp_path, model_of(7))
    for number in (1, 2, 3):
        save(tmp_path, model_of(number, description="It says something else now."))
    for path in paths[4:]:
        path.unlink()
    added, updated, removed = await index.update_from_directory(str(tmp_path), allow_duplicate_synonyms=False)
    assert (added, updated, removed) == (1, 3, 2)
    assert await index.count() == 5
    with pytest.raises(ValueError, match="is not a valid directory"):
        await index.update_from_directory("/no/such/directory")


async def test_a_search_returns_entries(populated: Index) -> None:
    results = await populated.search("nodule", limit=3)
    assert len(results) == 3
    assert all(isinstance(entry, IndexEntry) for entry in results)
    assert await populated.search("NODULE", 3) == results
    assert any(entry.name == "pulmonary nodule of type 4" for entry in await populated.search("PN4"))
    assert await populated.search("no such thing xyzzy") == []


@pytest.mark.parametrize("query", ["", "x" * 10_000, "!@#$%^&*()_+-=[]{}|;':\",./<>?"])
async def test_no_text_makes_a_search_fail(populated: Index, query: str) -> None:
    assert await populated.search(query) == []


async def test_a_batch_is_a_dict_of_lists(populated: Index) -> None:
    results = await populated.search_batch(["PN1", "PN2", "xyzzy"], limit_per_query=2)
    assert {query: [entry.oifm_id for entry in entries][:1] for query, entries in results.items()} == {
        "PN1": ["OIFM_TEST_000001"],
        "PN2": ["OIFM_TEST_000002"],
        "xyzzy": [],
    }
    assert results == await populated.search_batch(["PN1", "PN2", "xyzzy"], 2)
    assert await populated.search_batch([]) == {}


async def test_the_index_is_a_markdown_table(populated: Index) -> None:
    text = await populated.to_markdown()
    assert text.startswith("# Finding Model Index\n\n6 entries\n\n| ID | Name | Synonyms |")
    row = next(line for line in text.splitlines() if line.startswith("| OIFM_TEST_000001 |"))
    assert "[pulmonary nodule of type 1](text/oifm_test_000001.md)" in row
    assert "[JSON](defs/oifm_test_000001.fm.json)" in row


async def test_collections_have_their_old_names_and_fields(
    index: Index, mongo_server: Server, mongo_database: str, tmp_path: Path
) -> None:
    model = model_of(1, contributors=[make_person(), make_organization()])
    await index.add_or_update_entry_from_file(save(tmp_path, model))
    with pymongo.MongoClient[dict[str, Any]](mongo_server.uri) as client:
        database = client[mongo_database]
        entry = database["index_entries_main"].find_one({"oifm_id": model.oifm_id})
        person = database["people_main"].find_one({"github_username": "test-reader"})
        organization = database["organizations_main"].find_one({"code": "TEST"})
    assert entry is not None
    assert IndexEntry.model_validate(entry) == await index.get(model.oifm_id)
    assert person is not None
    assert person["email"] == "reader@example.org"
    assert organization is not None
    assert organization["name"] == "Test Radiology Group"


async def test_uri_and_database_may_be_given_or_come_from_the_environment(
    populated: Index,
    mongo_server: Server,
    mongo_database: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    given = Index(mongodb_uri=mongo_server.uri, db_name=mongo_database)
    assert await given.count() == 6
    await given.close()
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FINDINGMODEL_DB", raising=False)
    monkeypatch.setenv("MONGODB_URI", mongo_server.uri)
    monkeypatch.setenv("MONGODB_DB", mongo_database)
    found = Index()
    assert await found.count() == 6
    await found.close()
