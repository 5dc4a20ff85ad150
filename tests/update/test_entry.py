"""Single entries on every store: what is added, replaced, removed and refused."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel import FindingModelFull
from findingmodel.errors import DocumentError, LeaseHeldError
from findingmodel.stores.records import Counts
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.update.directory import update
from findingmodel.update.entry import WriteContext, add_file, find_conflicts, remove_model, remove_unused
from findingmodel.update.lease import writer_lease
from findingmodel.update.options import UpdateOptions
from tests.builders import make_choice, make_model, make_organization, make_person, write_model
from tests.stores.listening import listened
from tests.stores.samples import LONG_SECONDS, make_writer, steps_of

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.lease import Writer
    from findingmodel.stores.protocol import Store
    from tests.servers import Server


def model_of(number: int = 1, /, **changes: Any) -> FindingModelFull:
    return FindingModelFull.model_validate(make_model(number, **changes))


async def add(store: Store, file: Path, **options: Any) -> str:
    return await add_file(WriteContext(store), file, **options)


async def files(store: Store) -> dict[str, str]:
    """Return the path of each model's file, by id."""
    return {state.oifm_id: state.path for state in await store.manifest()}


async def name_of(store: Store, oifm_id: str) -> str:
    return (await store.get([oifm_id]))[oifm_id]["name"]


async def refused(store: Store, file: Path, **options: Any) -> list[tuple[str, str]]:
    """Add a file that must be refused; return pointer and code of its problems."""
    before = await files(store), await store.generation()
    with pytest.raises(DocumentError) as caught:
        await add(store, file, **options)
    assert caught.value.path == str(file)
    assert (await files(store), await store.generation()) == before
    return [problem[:2] for problem in caught.value.problems]


class AddingRules:
    """A file is added, replaced or unchanged; a refused file does not change the index."""

    async def test_a_new_file_is_added_under_its_name(self, store: Store, tmp_path: Path) -> None:
        file = write_model(tmp_path, "deep/in/one.fm.json", 1)
        assert await add(store, file) == "added"
        assert await files(store) == {"OIFM_TEST_000001": "one.fm.json"}
        assert (await store.models(["OIFM_TEST_000001"]))["OIFM_TEST_000001"] == file.read_bytes()
        assert await steps_of(store) == 1

    async def test_the_same_bytes_are_unchanged_and_take_no_lease(self, store: Store, tmp_path: Path) -> None:
        file = write_model(tmp_path, "one.fm.json", 1)
        await add(store, file)
        async with writer_lease(store, lease_seconds=60):
            assert await add(store, file) == "unchanged"
        assert await steps_of(store) == 1

    async def test_an_edited_file_replaces_its_model(self, store: Store, tmp_path: Path) -> None:
        file = write_model(tmp_path, "one.fm.json", 1)
        await add(store, file)
        write_model(tmp_path, "one.fm.json", 1, name="renamed inside its file", synonyms=["RIF"])
        assert await add(store, file) == "updated"
        assert await name_of(store, "OIFM_TEST_000001") == "renamed inside its file"
        assert await store.lookup(["pn1"]) == []
        assert len(await store.lookup(["rif"])) == 1
        assert await steps_of(store) == 2

    async def test_an_id_changed_in_place_replaces_the_former_model(
        self, store: Store, tmp_path: Path
    ) -> None:
        file = write_model(tmp_path, "one.fm.json", 1)
        await add(store, file)
        write_model(tmp_path, "one.fm.json", 2)
        assert await add(store, file) == "updated"
        assert await files(store) == {"OIFM_TEST_000002": "one.fm.json"}

    async def test_a_file_below_an_indexed_directory_keeps_its_path(
        self, store: Store, tmp_path: Path
    ) -> None:
        write_model(tmp_path, "chest/one.fm.json", 1)
        write_model(tmp_path, "one.fm.json", 2)
        await update(store, tmp_path, UpdateOptions())
        file = write_model(tmp_path, "chest/one.fm.json", 1, description="Edited since then.")
        assert await add(store, file) == "updated"
        write_model(tmp_path, "chest/one.fm.json", 3)
        assert await add(store, file) == "updated"
        assert await files(store) == {
            "OIFM_TEST_000002": "one.fm.json",
            "OIFM_TEST_000003": "chest/one.fm.json",
        }
        assert tuple(await update(store, tmp_path, UpdateOptions())) == (0, 0, 0)

    async def test_another_model_may_not_have_its_id_name_or_attribute_ids(
        self, store: Store, tmp_path: Path
    ) -> None:
        await add(store, write_model(tmp_path, "one.fm.json", 1))
        same_id = write_model(tmp_path, "two.fm.json", 2, oifm_id="OIFM_TEST_000001")
        same_name = write_model(tmp_path, "three.fm.json", 3, name="Pulmonary  NODULE of type 1")
        same_attribute = write_model(
            tmp_path, "four.fm.json", 4, attributes=[make_choice(40), make_choice(10)]
        )
        assert await refused(store, same_id) == [("/oifm_id", "duplicate-id")]
        assert await refused(store, same_name) == [("/name", "duplicate-name")]
        assert await refused(store, same_attribute) == [("/attributes/1/oifma_id", "duplicate-attribute-id")]

    async def test_a_conflict_names_the_holder(self, store: Store, tmp_path: Path) -> None:
        await add(store, write_model(tmp_path, "one.fm.json", 1))
        file = write_model(tmp_path, "two.fm.json", 2, name="pulmonary nodule of type 1")
        with pytest.raises(ValueError, match=r"two\.fm\.json.*OIFM_TEST_000001 in one\.fm\.json"):
            await add(store, file)

    async def test_synonyms_may_be_shared(self, store: Store, tmp_path: Path) -> None:
        for number in (1, 2):
            file = write_model(tmp_path, f"{number}.fm.json", number, synonyms=["nodule"])
            assert await add(store, file) == "added"
        assert len(await store.lookup(["nodule"])) == 2

    async def test_the_old_model_outlives_a_broken_file(self, store: Store, tmp_path: Path) -> None:
        file = write_model(tmp_path, "one.fm.json", 1)
        await add(store, file)
        file.write_text('{"oifm_id": "OIFM_TEST_000001"')
        assert await refused(store, file) == [("", "not-json")]
        write_model(tmp_path, "one.fm.json", 1, description=...)
        assert await refused(store, file) == [("/description", "missing")]
        assert await name_of(store, "OIFM_TEST_000001") == "pulmonary nodule of type 1"

    async def test_a_file_can_be_too_large(self, store: Store, tmp_path: Path) -> None:
        file = write_model(tmp_path, "one.fm.json", 1)
        with pytest.raises(DocumentError, match="too-large"):
            await add_file(WriteContext(store, UpdateOptions(max_file_bytes=100)), file)
        assert await files(store) == {}

    async def test_a_missing_file_raises_file_not_found(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(FileNotFoundError, match=r"none\.fm\.json"):
            await add(store, tmp_path / "none.fm.json")

    async def test_a_file_without_the_suffix_and_a_directory_are_refused(
        self, store: Store, tmp_path: Path
    ) -> None:
        (tmp_path / "dir.fm.json").mkdir()
        assert await refused(store, write_model(tmp_path, "one.json", 1)) == [("", "bad-name")]
        assert await refused(store, tmp_path / "dir.fm.json") == [("", "not-a-file")]

    async def test_the_expected_model_must_be_the_one_in_the_file(self, store: Store, tmp_path: Path) -> None:
        file = write_model(tmp_path, "one.fm.json", 1)
        assert await refused(store, file, expected=model_of(2)) == [("", "other-model")]
        assert await add(store, file, expected=model_of(1)) == "added"

    async def test_a_held_lease_stops_it_and_names_the_holder(self, store: Store, tmp_path: Path) -> None:
        await store.setup()
        await store.leases.acquire(make_writer("other", host="far", pid=77), LONG_SECONDS)
        with pytest.raises(LeaseHeldError, match="process 77 on far"):
            await add(store, write_model(tmp_path, "one.fm.json", 1))
        assert await files(store) == {}


class RemovingRules:
    """Models are removed by id, by name or with their file; contributors nobody names are removed too."""

    async def test_a_model_is_removed_by_id_or_name_in_any_case(self, store: Store, tmp_path: Path) -> None:
        for number in (1, 2):
            await add(store, write_model(tmp_path, f"{number}.fm.json", number))
        assert await remove_model(WriteContext(store), "oifm_test_000001") is True
        assert await remove_model(WriteContext(store), "PULMONARY  nodule of type 2") is True
        assert await files(store) == {}
        assert await steps_of(store) == 4

    async def test_other_keys_remove_nothing(self, store: Store, tmp_path: Path) -> None:
        await add(store, write_model(tmp_path, "one.fm.json", 1))
        for key in ("PN1", "pulmonary_nodule_of_type_1", "OIFM_TEST_000002", "one.fm.json", ".*", ""):
            assert await remove_model(WriteContext(store), key) is False
        assert await files(store) == {"OIFM_TEST_000001": "one.fm.json"}
        assert await steps_of(store) == 1

    async def test_models_of_files_that_are_not_active_are_removed(
        self, store: Store, tmp_path: Path
    ) -> None:
        for number, path in enumerate(("a/one", "two", "b/three", "four"), 1):
            write_model(tmp_path, f"{path}.fm.json", number)
        await update(store, tmp_path, UpdateOptions())
        active = {"a/one.fm.json", "three.fm.json", "never-seen.fm.json"}
        assert await remove_unused(WriteContext(store), active) == ["four.fm.json", "two.fm.json"]
        assert set((await files(store)).values()) == {"a/one.fm.json", "b/three.fm.json"}
        assert await remove_unused(WriteContext(store), active) == []
        assert await steps_of(store) == 2

    async def test_contributors_are_added_changed_and_removed_with_their_models(
        self, store: Store, tmp_path: Path
    ) -> None:
        person, organization = make_person(), make_organization()
        await add(store, write_model(tmp_path, "one.fm.json", 1, contributors=[person, organization]))
        await add(store, write_model(tmp_path, "two.fm.json", 2, contributors=[organization]))
        assert await store.counts() == Counts(2, 1, 1)
        file = write_model(tmp_path, "one.fm.json", 1, contributors=[make_person(name="Newly Married")])
        await add(store, file)
        (stored,) = await store.contributors("person")
        assert stored.fields["name"] == "Newly Married"
        assert await store.counts() == Counts(2, 1, 1)
        await remove_model(WriteContext(store), "OIFM_TEST_000001")
        assert await store.counts() == Counts(1, 0, 1)
        await remove_unused(WriteContext(store), [])
        assert await store.counts() == Counts(0, 0, 0)


class ConflictRules:
    """Conflicts of models, in the words of findingmodel 0.3."""

    async def test_a_new_model_and_an_unchanged_stored_one_have_no_conflict(
        self, store: Store, tmp_path: Path
    ) -> None:
        await add(store, write_model(tmp_path, "one.fm.json", 1))
        assert await find_conflicts(store, [(model_of(1), None), (model_of(2), None)]) == {
            "OIFM_TEST_000001": [],
            "OIFM_TEST_000002": [],
        }
        assert await find_conflicts(store, []) == {}

    async def test_a_key_of_another_model_is_a_conflict(self, store: Store, tmp_path: Path) -> None:
        await add(store, write_model(tmp_path, "one.fm.json", 1))
        same_id = model_of(2, oifm_id="OIFM_TEST_000001")
        rest = model_of(3, name="PULMONARY NODULE OF TYPE 1", attributes=[make_choice(10)])
        assert await find_conflicts(store, [(same_id, None)]) == {
            "OIFM_TEST_000001": ["Duplicate ID 'OIFM_TEST_000001' (also in one.fm.json)"]
        }
        assert await find_conflicts(store, [(rest, None)]) == {
            "OIFM_TEST_000003": [
                "Duplicate name 'pulmonary nodule of type 1' (also in OIFM_TEST_000001)",
                "Attribute ID conflict: 'OIFMA_TEST_000010' also in OIFM_TEST_000001 (one.fm.json)",
            ]
        }

    @pytest.mark.parametrize("replaced", ["OIFM_TEST_000001", "one.fm.json"])
    async def test_the_replaced_model_does_not_conflict(
        self, store: Store, tmp_path: Path, replaced: str
    ) -> None:
        await add(store, write_model(tmp_path, "one.fm.json", 1))
        renamed = model_of(1, name="renamed inside its file")
        new_id = model_of(1, oifm_id="OIFM_TEST_000009")
        for model in (renamed, new_id):
            assert await find_conflicts(store, [(model, replaced)]) == {model.oifm_id: []}

    async def test_models_of_one_batch_are_compared_with_each_other(self, store: Store) -> None:
        same_name = model_of(2, name="pulmonary nodule of type 1")
        same_attribute = model_of(3, attributes=[make_choice(10)])
        found = await find_conflicts(store, [(m, None) for m in (model_of(1), same_name, same_attribute)])
        assert found == {
            "OIFM_TEST_000001": [
                "Duplicate name 'pulmonary nodule of type 1' in batch (also in OIFM_TEST_000002)",
                "Attribute ID conflict: 'OIFMA_TEST_000010' in batch (also in OIFM_TEST_000003)",
            ],
            "OIFM_TEST_000002": [
                "Duplicate name 'pulmonary nodule of type 1' in batch (also in OIFM_TEST_000001)"
            ],
            "OIFM_TEST_000003": [
                "Attribute ID conflict: 'OIFMA_TEST_000010' in batch (also in OIFM_TEST_000001)"
            ],
        }

    async def test_an_id_twice_in_a_batch_is_a_conflict(self, store: Store) -> None:
        found = await find_conflicts(store, [(model_of(1), None), (model_of(1), None)])
        assert found == {"OIFM_TEST_000001": ["Duplicate ID 'OIFM_TEST_000001' in batch"] * 2}

    async def test_two_stored_models_may_swap_their_names(self, store: Store, tmp_path: Path) -> None:
        for number in (1, 2):
            await add(store, write_model(tmp_path, f"{number}.fm.json", number))
        swapped = [model_of(n, name=f"pulmonary nodule of type {3 - n}") for n in (1, 2)]
        found = await find_conflicts(store, [(model, model.oifm_id) for model in swapped])
        assert found == {"OIFM_TEST_000001": [], "OIFM_TEST_000002": []}


class TestSingle(AddingRules, RemovingRules, ConflictRules):
    """All rules, on every kind of store."""


async def test_removing_from_a_missing_database_does_not_create_it(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "x.db")
    assert await remove_model(WriteContext(store), "pulmonary nodule") is False
    assert await remove_unused(WriteContext(store), []) == []
    assert not (tmp_path / "x.db").exists()


async def test_a_file_that_is_refused_creates_no_database(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "x.db")
    broken = tmp_path / "broken.fm.json"
    broken.write_bytes(b"")
    assert await refused(store, broken) == [("", "empty")]
    assert not (tmp_path / "x.db").exists()


async def test_a_crash_before_the_end_loses_no_model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SQLiteStore(tmp_path / "x.db")
    file = write_model(tmp_path, "one.fm.json", 1)
    await add(store, file)
    write_model(tmp_path, "one.fm.json", 2)

    async def cut_off(_: Writer) -> int:
        raise OSError("power cut")

    with monkeypatch.context() as patch:
        patch.setattr(store, "advance", cut_off)
        with pytest.raises(OSError, match="power cut"):
            await add(store, file)
    assert json.loads((await store.models(["OIFM_TEST_000002"]))["OIFM_TEST_000002"]) == make_model(2)
    write_model(tmp_path, "one.fm.json", 2, description="The lease was given back.")
    assert await add(store, file) == "updated"
    await store.close()


@pytest.mark.mongo
async def test_adding_an_edited_file_does_not_read_the_manifest(
    mongo_server: Server, mongo_database: str, tmp_path: Path
) -> None:
    async with listened(mongo_server.uri, mongo_database) as (store, commands):
        file = write_model(tmp_path, "one.fm.json", 1)
        await add(store, file)
        assert await commands.of(add(store, file)) == ["find"]
        write_model(tmp_path, "one.fm.json", 1, description="Edited since then.")
        await commands.of(add(store, file))
        asked = [event.command for event in commands.sent if event.command_name == "find"]
        assert all(command["filter"] for command in asked)
