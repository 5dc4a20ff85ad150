"""``index get``: output as text and as JSON, and exit codes."""

from __future__ import annotations

import json

import pytest

from tests.cli.commands import SAMPLES, answer, run

LEFT = "code:radlex:RID5824"


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "key", ["OIFM_SMPL_000037", "oifm_smpl_000037", "Breast mass", "BREAST  MASS", "breast_mass"]
)
def test_get_finds_by_id_name_and_slug_in_any_case(key: str) -> None:
    (entry,) = answer("index", "get", key)
    assert entry["oifm_id"] == "OIFM_SMPL_000037"
    assert "also" not in entry


@pytest.mark.usefixtures("db")
def test_get_returns_entries_in_the_order_of_the_keys_and_null_for_unknown_keys() -> None:
    found = answer("index", "get", "OIFM_SMPL_000037", "nothing", "MS", "OIFM_SMPL_000037", code=1)
    assert [entry and entry["oifm_id"] for entry in found] == [
        "OIFM_SMPL_000037",
        None,
        "OIFM_SMPL_000022",
        "OIFM_SMPL_000037",
    ]


@pytest.mark.usefixtures("db")
def test_all_models_with_an_ambiguous_key_are_shown() -> None:
    (entry,) = answer("index", "get", "ms")
    assert [other["name"] for other in entry["also"]] == ["Mitral stenosis"]
    result = run("index", "get", "ms")
    assert "OIFM_SMPL_000022  Multiple sclerosis\n" in result.stdout
    assert "OIFM_SMPL_000042  Mitral stenosis\n" in result.stdout
    assert "2 models have the key 'ms'" in result.stderr


@pytest.mark.usefixtures("db")
def test_get_as_text_shows_every_field_of_the_entry() -> None:
    (entry,) = answer("index", "get", "Breast mass")
    text = run("index", "get", "Breast mass").stdout
    for field in ("oifm_id", "name", "slug_name", "filename", "description"):
        assert entry[field] in text
    for item in (*entry["synonyms"], *entry["tags"], *entry["contributors"]):
        assert item in text
    for attribute in entry["attributes"]:
        assert f"{attribute['attribute_id']} {attribute['name']} ({attribute['type']})" in text


@pytest.mark.usefixtures("db")
def test_an_unknown_key_is_reported_on_stderr_with_exit_1() -> None:
    result = run("index", "get", "Breast mass", "nothing")
    assert result.exit_code == 1
    assert result.stdout.startswith("OIFM_SMPL_000037")
    assert result.stderr == "not found: nothing\n"
    assert run("index", "get", "nothing").stdout == ""


@pytest.mark.usefixtures("db")
def test_get_full_prints_the_model_as_in_its_file() -> None:
    (entry,) = answer("index", "get", "Breast mass")
    content = json.loads((SAMPLES / entry["filename"]).read_text())
    assert json.loads(run("index", "get", "Breast mass", "--full").stdout) == content
    assert answer("index", "get", "Breast mass", "nothing", "--full", code=1) == [content, None]


@pytest.mark.usefixtures("db")
def test_get_full_of_an_ambiguous_key_names_the_others() -> None:
    result = run("index", "get", "ms", "--full")
    assert json.loads(result.stdout)["oifm_id"] == "OIFM_SMPL_000022"
    assert "OIFM_SMPL_000042" in result.stderr


@pytest.mark.usefixtures("db")
def test_get_by_code_shows_its_places() -> None:
    (entry, other) = answer("index", "get", LEFT, "Pneumothorax")
    carriers = entry["carriers"]
    assert {carrier["place"] for carrier in carriers} == {"value"}
    assert {carrier["oifm_id"] for carrier in carriers} == {
        found["oifm_id"] for found in (entry, *entry["also"])
    }
    assert "carriers" not in other
    text = run("index", "get", LEFT).stdout
    assert f"  code at       value {carriers[0]['id']} left\n" in text


@pytest.mark.usefixtures("db")
def test_get_by_an_unknown_code_is_exit_1() -> None:
    assert answer("index", "get", "code:x:y", code=1) == [None]
    assert run("index", "get", "code:x").exit_code == 2
