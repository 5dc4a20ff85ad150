"""Edits of files: what they change, what they keep, what they refuse."""

from __future__ import annotations

import json
import os
import re
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel import Index
from findingmodel.author.check import check
from findingmodel.author.collection import Place, ids_below
from findingmodel.author.edit_attributes import NewAttribute, add_attribute, add_value, change_from_prior
from findingmodel.author.edit_names import add_synonym, rename, rename_tag
from findingmodel.author.merge import deprecate, merge
from findingmodel.errors import ConfigError, DocumentError, EditError
from findingmodel.model import edit
from findingmodel.model.draft import make_stub
from findingmodel.model.layout import canonical, compact, read
from findingmodel.search.lookup import find
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_choice, make_model, make_number, model_bytes, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.author.edit import Edit
    from findingmodel.stores.protocol import Store


def content(path: Path) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(path.read_bytes())
    return model


def applied(plan: Edit) -> Edit:
    plan.apply()
    return plan


def stub(directory: Path, name: str, filename: str, **fields: Any) -> Path:
    model = make_stub(name, "TEST", **fields)
    path = directory / filename
    path.write_bytes(canonical(model.model_dump_json(exclude_none=True).encode()))
    return path


# what every edit keeps


async def test_an_edit_keeps_unknown_fields_and_the_digits_of_numbers(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    text = path.read_text().replace('"maximum": 30.5', '"maximum": 30.50').replace("{", '{"x": 1e5,', 1)
    path.write_text(text)
    applied(add_value(path, "margin", "ill-defined"))
    assert '"maximum": 30.50' in path.read_text()
    assert '"x": 1e5' in path.read_text()
    assert canonical(path.read_bytes()) == path.read_bytes()


async def test_a_file_that_changed_since_the_plan_is_not_overwritten(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    plan = add_value(path, "margin", "ill-defined")
    write_model(tmp_path, "m.fm.json", 1, description="An editor saved this in the meantime.")
    with pytest.raises(EditError, match="has changed in the meantime: run the command again"):
        plan.apply()
    assert content(path)["description"] == "An editor saved this in the meantime."
    path.unlink()
    with pytest.raises(EditError, match="has been removed"):
        plan.apply()


async def test_an_edit_with_several_files_writes_all_or_none(tmp_path: Path) -> None:
    one, two = (write_model(tmp_path, f"{n}.fm.json", n, tags=["ultrasound"]) for n in (1, 2))
    plan = rename_tag(tmp_path, "ultrasound", "US")
    assert len(plan.changes) == 2
    two.write_bytes(model_bytes(2))
    with pytest.raises(EditError, match=r"2\.fm\.json has changed"):
        plan.apply()
    assert content(one)["tags"] == ["ultrasound"]


async def test_a_file_that_is_not_valid_is_not_edited(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1, name=7)
    before = path.read_bytes()
    for plan in (lambda: add_value(path, "margin", "x"), lambda: deprecate(path, by=path)):
        with pytest.raises(DocumentError, match="/name"):
            plan()
    assert path.read_bytes() == before


async def test_an_edit_whose_result_would_not_be_valid_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    with pytest.raises(DocumentError, match="at least 5 characters"):
        await rename(path, "abc")
    with pytest.raises(DocumentError, match="NUL"):
        add_value(path, "margin", "a\0b")
    assert path.read_bytes() == model_bytes(1)


async def test_what_a_killed_edit_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    names = [".m.fm.json.4194305.tmp", f".m.fm.json.{os.getpid()}.tmp", ".n.fm.json.4194305.tmp", ".m.tmp"]
    for name in names:  # no process has a greater id than 4194304
        (tmp_path / name).touch()
    applied(add_value(path, "margin", "ill-defined"))
    assert {path.name for path in tmp_path.iterdir()} == {"m.fm.json", *names[2:]}


async def test_a_place_that_was_taken_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    plan = await rename(path, "lung lesion")
    (tmp_path / "lung_lesion.fm.json").write_text("mine")
    with pytest.raises(EditError, match="exists already: move it away first"):
        plan.apply()
    assert (path.read_bytes(), (tmp_path / "lung_lesion.fm.json").read_text()) == (model_bytes(1), "mine")


async def test_a_link_stays_a_link(tmp_path: Path) -> None:
    target = write_model(tmp_path / "there", "m.fm.json", 1)
    link = tmp_path / "link.fm.json"
    link.symlink_to(target)
    applied(add_value(link, "margin", "ill-defined"))
    assert link.is_symlink()
    assert "ill-defined" in target.read_text()


async def test_an_edit_that_changes_nothing_leaves_any_layout(tmp_path: Path) -> None:
    path = tmp_path / "m.fm.json"
    path.write_text(json.dumps(make_model(1)))
    before = path.read_bytes()
    assert rename_tag(tmp_path, "CT", "CT").changes == ()
    assert path.read_bytes() == before


# rename


async def test_rename_changes_name_file_and_descriptions_and_no_id(tmp_path: Path) -> None:
    path = stub(tmp_path, "pleural plaque", "pleural_plaque.fm.json", synonyms=["plaque", "lung plaque"])
    before = content(path)
    plan = applied(await rename(path, "Lung plaque", keep_synonym=True))
    assert not path.exists()
    after = content(tmp_path / "lung_plaque.fm.json")
    assert (after["name"], after["synonyms"]) == ("Lung plaque", ["plaque", "pleural plaque"])
    described = [value["description"] for value in after["attributes"][0]["values"]]
    assert described[:2] == ["Lung plaque is absent", "Lung plaque is present"]
    assert after["attributes"][0]["description"] == "Presence or absence of Lung plaque"
    assert "pleural plaque" not in json.dumps(after["attributes"])
    assert plan.changes[0].moved_to == tmp_path / "lung_plaque.fm.json"
    ids = r"OIFMA?_TEST_\d{6}(\.\d+)?"
    assert [m[0] for m in re.finditer(ids, json.dumps(before))] == [
        m[0] for m in re.finditer(ids, json.dumps(after))
    ]


@pytest.mark.parametrize(
    ("old", "new", "text", "expected"),
    [
        ("lung mass", "nodule", "Lung mass is new; a lung  mass, no lung masses", "Nodule is new; a nodule, no lung masses"),  # noqa: E501
        ("Pneumothorax", "Gas in pleura", "tension pneumothorax", "tension gas in pleura"),
        ("Pneumothorax", "AAA sign", "a pneumothorax", "an AAA sign"),
        ("mass", "abscess", "A mass; a mass, the mass", "An abscess; an abscess, the abscess"),
        ("abscess", "mass", "an  abscess or An abscess", "a  mass or A mass"),
        ("cyst (2 cm)", "cyst", "A cyst (2 cm) here", "A cyst here"),
        ("Lung Mass", "lung mass", "Lung Mass: seen. Lung mass of the lung mass.", "Lung mass: seen. Lung mass of the lung mass."),  # noqa: E501
    ],
)  # fmt: skip
def test_a_description_follows_in_its_own_case(old: str, new: str, text: str, expected: str) -> None:
    model = read(json.dumps({"name": old, "description": text, "attributes": []}).encode())
    edit.rename(model, new)
    assert edit.get(model, "description") == expected


async def test_a_name_or_file_of_another_model_is_refused(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    write_model(tmp_path, "other.fm.json", 2, name="pleural plaque")
    with pytest.raises(EditError, match=r"'Pleural Plaque' is the name of OIFM_TEST_000002 \(other\.fm"):
        await rename(path, "Pleural  Plaque")
    with pytest.raises(EditError, match=r"other\.fm\.json exists already; --keep-file"):
        await rename(path, "other")
    assert applied(await rename(path, "other", keep_file=True)).changes[0].moved_to is None
    assert check(tmp_path).ok


async def test_the_collection_is_the_nearest_directory_with_settings(tmp_path: Path) -> None:
    path = write_model(tmp_path / "chest", "m.fm.json", 1)
    write_model(tmp_path / "neck", "other.fm.json", 2, name="pleural plaque")
    assert (await rename(path, "pleural plaque")).changes
    (tmp_path / ".findingmodel.toml").touch()
    with pytest.raises(EditError, match=r"neck/other\.fm\.json"):
        await rename(path, "pleural plaque")


# synonyms


async def test_a_synonym_of_nobody_is_added(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1, synonyms=...)
    applied(await add_synonym(path, " coin   lesion "))
    assert content(path)["synonyms"] == ["coin lesion"]
    for text in ("Coin Lesion", "Pulmonary nodule of type 1"):
        with pytest.raises(EditError, match="already"):
            await add_synonym(path, text)
    with pytest.raises(EditError, match="needs a letter or a digit"):
        await add_synonym(path, "  ")


async def test_a_synonym_of_another_model_is_refused_and_its_holder_named(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    write_model(tmp_path, "other.fm.json", 2, name="pleural plaque", synonyms=["Ménière's sign"])
    for text, field in (("meniere's SIGN", "synonym"), ("Pleural plaque", "name")):
        with pytest.raises(EditError, match=rf"OIFM_TEST_000002 .*other\.fm\.json\), as its {field}"):
            await add_synonym(path, text)
    plan = applied(await add_synonym(path, "meniere's SIGN", force=True))
    assert "ambiguous now" in plan.notes[0]
    assert "meniere's SIGN" in content(path)["synonyms"]


async def test_the_index_is_asked_too_and_files_are_believed_first(store: Store, tmp_path: Path) -> None:
    defs = tmp_path / "defs"
    write_model(defs, "other.fm.json", 2, name="pleural plaque")
    assert (await update(store, defs, UpdateOptions())).ok
    elsewhere = write_model(tmp_path / "new", "m.fm.json", 1)
    with pytest.raises(EditError, match=r"OIFM_TEST_000002 'pleural plaque' \(other\.fm\.json\)"):
        await add_synonym(elsewhere, "pleural plaque", place=Place(tmp_path / "new", store))
    write_model(defs, "other.fm.json", 2, name="pleural thickening")  # edited, not indexed yet
    beside = write_model(defs, "m.fm.json", 1)
    assert (await add_synonym(beside, "pleural plaque", place=Place(defs, store))).changes


# tags


async def test_a_tag_is_renamed_in_any_case_and_kept_once(tmp_path: Path) -> None:
    tags = {1: ["Ultrasound", "chest"], 2: ["US", "ultrasound"], 3: ["CT"], 4: ["ultrasounds"]}
    for number, listed in tags.items():
        write_model(tmp_path, f"{number}.fm.json", number, tags=listed)
    plan = applied(rename_tag(tmp_path, "ultrasound", "US"))
    assert [change.path.name for change in plan.changes] == ["1.fm.json", "2.fm.json"]
    found = [content(tmp_path / f"{number}.fm.json")["tags"] for number in tags]
    assert found == [["US", "chest"], ["US"], ["CT"], ["ultrasounds"]]
    assert rename_tag(tmp_path, "ultrasound", "US").changes == ()  # done already, as after an interruption
    with pytest.raises(EditError, match="no model below"):
        rename_tag(tmp_path, "sonography", "echo")
    with pytest.raises(EditError, match="a tag needs"):
        rename_tag(tmp_path, "CT", " ")


async def test_a_tag_gets_one_spelling(tmp_path: Path) -> None:
    write_model(tmp_path, "1.fm.json", 1, tags=["Ct", "CT"])
    (tmp_path / "broken.fm.json").write_text('{"name": "x", "tags": ["ct"')
    plan = applied(rename_tag(tmp_path, "ct", "CT"))
    assert content(tmp_path / "1.fm.json")["tags"] == ["CT"]
    assert plan.skipped == (tmp_path / "broken.fm.json",)


# attributes and values


async def test_a_new_attribute_gets_an_id_that_nothing_has(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    defs = tmp_path / "defs"
    write_model(defs, "indexed.fm.json", 3)
    assert (await update(store, defs, UpdateOptions())).ok
    path = write_model(tmp_path / "new", "m.fm.json", 1)
    (path.parent / "gone.fm.json.retired").write_bytes(model_bytes(2))
    taken = {10, 11, 20, 21, 30, 31}
    numbers = iter([*sorted(taken), 99])
    monkeypatch.setattr(
        "findingmodel.author.collection.generate_oifma_id",
        lambda source: f"OIFMA_{source}_{next(numbers):06d}",
    )
    attribute = NewAttribute("shape", values=["round", "oval"], max_selected=0)
    applied(await add_attribute(path, attribute, place=Place(path.parent, store)))
    new = content(path)["attributes"][-1]
    assert new["oifma_id"] == "OIFMA_TEST_000099"
    assert [value["value_code"] for value in new["values"]] == ["OIFMA_TEST_000099.0", "OIFMA_TEST_000099.1"]
    assert new["max_selected"] == 2
    assert content(path)["attributes"][:-1] == make_model(1)["attributes"]


async def test_a_number_has_a_range_and_a_unit(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    applied(
        await add_attribute(path, NewAttribute("volume", minimum=0.0, maximum=2.5, unit="mL"), source="abcd")
    )
    new = content(path)["attributes"][-1]
    assert new.pop("oifma_id").startswith("OIFMA_ABCD_")
    assert new == {
        "name": "volume",
        "type": "numeric",
        "minimum": 0,
        "maximum": 2.5,
        "unit": "mL",
        "required": False,
    }


@pytest.mark.parametrize(
    ("attribute", "message"),
    [
        (NewAttribute("Margin", values=["a", "b"]), "'Margin' already; add-value extends it"),
        (NewAttribute("shape", values=["round"]), "two values at least"),
        (NewAttribute("shape", values=["round", "Round"]), "'Round' is repeated"),
        (NewAttribute("length", minimum=3, maximum=2), "minimum 3 is above the maximum 2"),
    ],
)
async def test_an_attribute_that_makes_no_sense_is_refused(
    tmp_path: Path, attribute: NewAttribute, message: str
) -> None:
    path = write_model(tmp_path, "m.fm.json", 1)
    with pytest.raises(EditError, match=message):
        await add_attribute(path, attribute)
    with pytest.raises(ConfigError, match="three or four letters"):
        await add_attribute(path, attribute, source="X1")


async def test_a_new_value_never_reuses_a_code(tmp_path: Path) -> None:
    values = make_choice(10)["values"]
    path = write_model(tmp_path, "m.fm.json", 1, attributes=[make_choice(10, values=[values[0], values[2]])])
    applied(add_value(path, "MARGIN", "lobulated", description="with waves"))
    assert content(path)["attributes"][0]["values"][-1] == {
        "value_code": "OIFMA_TEST_000010.3",
        "name": "lobulated",
        "description": "with waves",
    }
    assert add_value(path, "oifma_test_000010", "angular").changes


@pytest.mark.parametrize(
    ("attribute", "value", "message"),
    [
        ("margin", "Smooth", "has the value 'Smooth' already"),
        ("diameter", "large", "is a number"),
        ("shape", "round", "no attribute 'shape'; it has 'margin', 'diameter'"),
        ("margin", " ", "needs a name"),
    ],
)
def test_a_value_that_does_not_fit_is_refused(
    tmp_path: Path, attribute: str, value: str, message: str
) -> None:
    with pytest.raises(EditError, match=message):
        add_value(write_model(tmp_path, "m.fm.json", 1), attribute, value)


async def test_change_from_prior_is_created_after_the_first_attribute_with_a_new_id(tmp_path: Path) -> None:
    one, two = (write_model(tmp_path, f"{n}.fm.json", n) for n in (1, 2))
    applied(await change_from_prior([one, two], add=["larger"]))
    names = [attribute["name"] for attribute in content(one)["attributes"]]
    assert names == ["margin", "change from prior", "diameter"]
    new = [content(path)["attributes"][1] for path in (one, two)]
    assert new[0]["oifma_id"] != new[1]["oifma_id"]
    values = [value["name"] for value in new[0]["values"]]
    assert values == ["unchanged", "stable", "new", "resolved", "larger", "smaller"]
    assert check(tmp_path).ok


async def test_pairs_come_and_go_and_codes_stay(tmp_path: Path) -> None:
    path = stub(tmp_path, "pleural plaque", "m.fm.json")
    before = {value["name"]: value for value in content(path)["attributes"][1]["values"]}
    applied(await change_from_prior([path], add=["worsened/improved"], remove=["increased"]))
    after = {value["name"]: value for value in content(path)["attributes"][1]["values"]}
    assert set(after) - set(before) == {"worsened", "improved"}
    assert set(before) - set(after) == {"increased", "decreased"}
    assert all(after[name] == before[name] for name in set(before) & set(after))
    assert after["improved"]["value_code"].endswith(".9")
    assert (await change_from_prior([path], add=["worsened"])).changes == ()


async def test_core_values_that_are_missing_are_added(tmp_path: Path) -> None:
    change = make_choice(10, name="Change from prior", values=[
        {"value_code": "OIFMA_TEST_000010.0", "name": "larger"},
        {"value_code": "OIFMA_TEST_000010.1", "name": "smaller"},
    ])  # fmt: skip
    path = write_model(tmp_path, "m.fm.json", 1, attributes=[change])
    applied(await change_from_prior([path]))
    values = [value["name"] for value in content(path)["attributes"][0]["values"]]
    assert values == ["larger", "smaller", "unchanged", "stable", "new", "resolved"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"remove": ["stable"]}, "'stable' is one of the core values"),
        ({"add": ["thicker"]}, "the pairs are larger/smaller"),
        ({"add": ["larger"], "remove": ["smaller"]}, "cannot be added and removed"),
    ],
)
async def test_changes_that_make_no_sense_are_refused(
    tmp_path: Path, options: dict[str, list[str]], message: str
) -> None:
    with pytest.raises(EditError, match=message):
        await change_from_prior([write_model(tmp_path, "m.fm.json", 1)], **options)


# merge and deprecate


async def test_a_merge_unites_two_models_and_the_index_resolves_the_old_id(
    store: Store, tmp_path: Path
) -> None:
    codes = [{"system": "SNOMED", "code": "427359005"}]
    shape = make_choice(29, name="shape")
    ill_defined = {
        "value_code": "OIFMA_TEST_000020.7",
        "name": "ill-defined",
        "description": "Coin lesion is ill-defined",
    }
    more = make_choice(20, values=[*make_choice(20)["values"][:2], ill_defined])
    old = write_model(
        tmp_path, "old.fm.json", 2, name="coin lesion", synonyms=["PN1", "spot"], tags=["CT", "XR"],
        attributes=[more, make_number(21, name="Margin of error"), shape], index_codes=codes,
    )  # fmt: skip
    new = write_model(tmp_path, "new.fm.json", 1)
    assert (await update(store, tmp_path, UpdateOptions())).ok
    plan = applied(merge(old, new))
    model = content(new)
    assert model["oifm_id"] == "OIFM_TEST_000001"
    assert model["synonyms"] == ["lung nodule of type 1", "PN1", "coin lesion", "spot"]
    assert model["tags"] == ["CT", "chest", "XR"]
    assert model["replaces"] == ["OIFM_TEST_000002"]
    assert model["index_codes"][1] == codes[0]
    ids = [attribute["oifma_id"] for attribute in model["attributes"]]
    assert ids == ["OIFMA_TEST_000010", "OIFMA_TEST_000011", "OIFMA_TEST_000021", "OIFMA_TEST_000029"]
    assert model["attributes"][0]["values"][-1] == {
        "value_code": "OIFMA_TEST_000010.3",
        "name": "ill-defined",
        "description": "Pulmonary nodule of type 1 is ill-defined",
    }
    assert any("OIFMA_TEST_000020: 'margin' is OIFMA_TEST_000010 now" in note for note in plan.notes)
    assert not old.exists()
    assert (tmp_path / "old.fm.json.retired").read_bytes() == model_bytes(
        2, name="coin lesion", synonyms=["PN1", "spot"], tags=["CT", "XR"],
        attributes=[more, make_number(21, name="Margin of error"), shape], index_codes=codes,
    )  # fmt: skip
    assert "OIFMA_TEST_000020" in ids_below(tmp_path)
    report = await update(store, tmp_path, UpdateOptions())
    assert (report.updated, report.removed, report.failed) == (1, 1, ())
    (entry,) = await find(store, "oifm_test_000002")
    assert (entry["oifm_id"], entry["replaces"]) == ("OIFM_TEST_000001", ["OIFM_TEST_000002"])


async def test_a_successor_inherits_what_it_replaces(store: Store, tmp_path: Path) -> None:
    paths = [write_model(tmp_path, f"{n}.fm.json", n) for n in (1, 2, 3)]
    applied(deprecate(paths[0], by="oifm_test_000002"))
    applied(deprecate(paths[1], by=paths[2]))
    assert content(paths[2])["replaces"] == ["OIFM_TEST_000002", "OIFM_TEST_000001"]
    assert content(paths[2])["attributes"] == make_model(3)["attributes"]
    assert (await update(store, tmp_path, UpdateOptions())).ok
    assert [entry["oifm_id"] for entry in await find(store, "OIFM_TEST_000001")] == ["OIFM_TEST_000003"]
    async with Index("sqlite://") as index:
        await index.update_from_directory(tmp_path)
        assert (await index.get_full("OIFM_TEST_000001")).oifm_id == "OIFM_TEST_000003"
        entry = await index.get("OIFM_TEST_000001")
        assert entry is not None
        assert entry.match("oifm_test_000001")


async def test_a_merge_that_was_killed_between_its_files_is_finished_by_the_same_command(
    tmp_path: Path,
) -> None:
    old, new = write_model(tmp_path, "old.fm.json", 2), write_model(tmp_path, "new.fm.json", 1)
    first = merge(old, new)
    new.write_bytes(first.changes[0].new)  # the state after the first file
    plan = applied(merge(old, new))
    assert [change.path for change in plan.changes] == [old]
    assert new.read_bytes() == first.changes[0].new
    assert not old.exists()


async def test_a_model_is_not_merged_with_itself_or_in_a_ring(tmp_path: Path) -> None:
    one, two = (write_model(tmp_path, f"{n}.fm.json", n) for n in (1, 2))
    with pytest.raises(EditError, match="are the same model, OIFM_TEST_000001"):
        merge(one, one)
    with pytest.raises(EditError, match="no file has it; --in names another"):
        deprecate(one, by="OIFM_TEST_000009")
    write_model(tmp_path, "1.fm.json", 1, replaces=["OIFM_TEST_000002"])
    with pytest.raises(EditError, match="swap the two files"):
        merge(one, two)
    (tmp_path / "2.fm.json.retired").touch()
    with pytest.raises(EditError, match="retired exists already"):
        merge(two, one)


# properties


@given(st.text(min_size=1, max_size=20), st.text(max_size=60))
def test_renaming_twice_changes_nothing_more(name: str, text: str) -> None:
    model = read(
        json.dumps({"name": "pleural plaque", "description": f"a pleural plaque {text}"}).encode("utf-8")
    )
    edit.rename(model, name)
    once = compact(model)
    edit.rename(model, name)
    assert compact(model) == once


@given(
    st.lists(st.sampled_from(["a", "A", "b", "c"]), max_size=5),
    st.lists(st.sampled_from(["a", "B", "d"]), max_size=5),
)
def test_a_merge_never_repeats_a_synonym_and_merging_again_adds_nothing(
    one: list[str], two: list[str]
) -> None:
    def model(number: int, synonyms: list[str]) -> Any:
        names = {"name": f"name {number}", "synonyms": synonyms}
        return read(json.dumps({"oifm_id": f"OIFM_T_{number}", **names, "attributes": []}).encode())

    successor, other = model(1, list({text.lower(): text for text in one}.values())), model(2, two)
    edit.merge(successor, other)
    folded = [text.lower() for text in edit.items(successor, "synonyms")]
    assert len(folded) == len(set(folded))
    assert {text.lower() for text in (*one, *two)} <= set(folded)
    once = compact(successor)
    assert edit.merge(successor, other).added == ()
    assert compact(successor) == once
