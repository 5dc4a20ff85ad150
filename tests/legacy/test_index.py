"""Code written for the Index of findingmodel 0.3 runs, with the same results or better ones.

Only what such code uses is tested here: names, keyword arguments, results and errors.
"""

from __future__ import annotations

import asyncio
import hashlib
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel import Index, IndexEntry, Organization, Person
from findingmodel.index import IndexReturnType
from tests.builders import make_choice, make_organization, make_person
from tests.legacy.conftest import model_of, save

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_model_is_added_and_retrieved(index: Index, defs: Path) -> None:
    model = model_of(1, contributors=[make_person(), make_organization()])
    result = await index.add_or_update_entry_from_file(save(defs, model), model)
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


async def test_a_file_is_added_once_and_updated_when_it_changes(index: Index, defs: Path) -> None:
    path = save(defs, model_of(1))
    assert await index.add_or_update_entry_from_file(filename=str(path)) == IndexReturnType.ADDED
    assert await index.add_or_update_entry_from_file(path) == IndexReturnType.UNCHANGED
    changed = model_of(1, description="It says something else now.")
    save(defs, changed)
    status = await index.add_or_update_entry_from_file(path, changed, allow_duplicate_synonyms=True)
    assert status == IndexReturnType.UPDATED
    entry = await index.get(changed.name)
    assert entry is not None
    assert entry.file_hash_sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert await index.count() == 1


async def test_files_that_cannot_be_indexed_raise_the_same_errors_as_before(index: Index, defs: Path) -> None:
    with pytest.raises(FileNotFoundError):
        await index.add_or_update_entry_from_file(defs / "none.fm.json")
    with pytest.raises(ValueError, match=r"\.fm\.json"):
        await index.add_or_update_entry_from_file(defs / "none.json")
    for content in ("{ no json", '{"name": "a model without the rest"}'):
        broken = defs / "broken.fm.json"
        broken.write_text(content)
        with pytest.raises(ValueError, match=r"broken\.fm\.json"):
            await index.add_or_update_entry_from_file(broken)


async def test_models_added_concurrently_are_all_stored(index: Index, defs: Path) -> None:
    paths = [save(defs, model_of(number)) for number in (1, 2, 3)]
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


async def test_a_directory_is_mirrored(index: Index, defs: Path) -> None:
    paths = [save(defs, model_of(number)) for number in range(1, 7)]
    assert tuple(await index.update_from_directory(defs)) == (6, 0, 0)
    save(defs, model_of(7))
    for number in (1, 2, 3):
        save(defs, model_of(number, description="It says something else now."))
    for path in paths[4:]:
        path.unlink()
    added, updated, removed = await index.update_from_directory(str(defs), allow_duplicate_synonyms=False)
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
    assert "| pulmonary nodule of type 1<br/>[Text](text/oifm_test_000001" in row
    assert "[JSON](defs/oifm_test_000001.fm.json)" in row


async def test_the_counts_of_an_update_can_be_used_as_a_tuple(index: Index, defs: Path) -> None:
    save(defs, model_of(1))
    result = await index.update_from_directory(defs)
    assert result == (1, 0, 0)
    assert result == (1, 0, 0)
    assert result != (0, 0, 0)
    assert (result[0], result[-1], len(result)) == (1, 0, 3)
    assert sum(result) == 1
    assert result != await index.update_from_directory(defs)
    assert {result: "done"}[(1, 0, 0)] == "done"  # type: ignore[index]


async def test_a_file_is_known_by_its_name_however_it_was_added(populated: Index, defs: Path) -> None:
    assert await populated.update_from_directory(defs) == (0, 0, 0)
    entry = await populated.get(id_or_name_or_syn="PN3")
    assert entry is not None
    assert entry.filename == "oifm_test_000003.fm.json"


async def test_contributors_are_added_without_models(index: Index) -> None:
    people = [Person(**make_person()), Person(**make_person()), Organization(**make_organization())]
    assert await index.add_or_update_contributors(people) is None
    assert (await index.count_people(), await index.count_organizations()) == (1, 1)
    assert await index.get_person(github_username="test-reader") == people[0]
    assert await index.get_organization(code="TEST") == people[2]
    changed = Person(**make_person(name="Renamed Reader"))
    assert await index.add_or_update_contributors(contributors=[changed]) is None
    assert await index.get_person("test-reader") == changed
    assert await index.add_or_update_contributors([]) is None


async def test_conflicting_contributors_are_reported_and_not_written(index: Index) -> None:
    two = [Person(**make_person()), Person(**make_person(name="Somebody Else"))]
    firms = [Organization(**make_organization()), Organization(**make_organization(url=None))]
    assert await index.add_or_update_contributors([*two, *firms]) == [
        "Person conflicts: ['test-reader']",
        "Organization conflicts: ['TEST']",
    ]
    assert await index.count_people() == 0


async def test_a_file_takes_precedence_over_what_was_added_by_hand(index: Index, defs: Path) -> None:
    await index.add_or_update_contributors([Person(**make_person(name="Added By Hand"))])
    save(defs, model_of(1, contributors=[make_person()]))
    await index.update_from_directory(defs)
    person = await index.get_person("test-reader")
    assert person is not None
    assert person.name == "Test Reader"


async def test_people_and_organizations_are_listed_by_name(index: Index) -> None:
    people = [make_person(github_username=f"user{n}", name=name) for n, name in enumerate(["Zoe", "Ann"])]
    firms = [make_organization(code=code, name=name) for code, name in (("AAA", "Zebra"), ("ZZZ", "Apple"))]
    given = [*(Person(**person) for person in people), *(Organization(**firm) for firm in firms)]
    await index.add_or_update_contributors(given)
    assert [person.name for person in await index.get_people()] == ["Ann", "Zoe"]
    assert [firm.name for firm in await index.get_organizations()] == ["Apple", "Zebra"]


async def test_an_update_from_a_file_is_refused(index: Index, defs: Path) -> None:
    with pytest.raises(ValueError, match="is not a valid directory"):
        await index.update_from_directory(save(defs, model_of(1)))


async def test_an_index_is_made_with_keywords_only(any_server: Any) -> None:
    uri = "sqlite:///other.db" if any_server is None else any_server.uri
    index = Index(mongodb_uri=uri, db_name=None, client=None, branch="test_branch")
    assert await index.count() == 0
    await index.close()
