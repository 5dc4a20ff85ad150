"""`index get`, `list`, `stats` and `search`: what they print, as text and as JSON, and their exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from findingmodel.text.normalize import fold
from tests.cli.commands import COUNT, SAMPLES, answer, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    "key", ["OIFM_SMPL_000037", "oifm_smpl_000037", "Breast mass", "BREAST  MASS", "breast_mass"]
)
def test_get_finds_by_id_name_and_slug_in_any_case(key: str) -> None:
    (entry,) = answer("index", "get", key)
    assert entry["oifm_id"] == "OIFM_SMPL_000037"
    assert "also" not in entry


@pytest.mark.usefixtures("db")
def test_get_answers_in_the_order_of_the_keys_with_null_for_the_absent() -> None:
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
def test_an_absent_key_is_told_on_stderr_with_exit_1() -> None:
    result = run("index", "get", "Breast mass", "nothing")
    assert result.exit_code == 1
    assert result.stdout.startswith("OIFM_SMPL_000037")
    assert result.stderr == "not found: nothing\n"
    assert run("index", "get", "nothing").stdout == ""


@pytest.mark.usefixtures("db")
def test_get_full_prints_the_model_as_its_file_has_it() -> None:
    (entry,) = answer("index", "get", "Breast mass")
    content = json.loads((SAMPLES / entry["filename"]).read_text())
    assert json.loads(run("index", "get", "Breast mass", "--full").stdout) == content
    assert answer("index", "get", "Breast mass", "nothing", "--full", code=1) == [content, None]


@pytest.mark.usefixtures("db")
def test_get_full_of_an_ambiguous_key_names_the_others() -> None:
    result = run("index", "get", "ms", "--full")
    assert json.loads(result.stdout)["oifm_id"] == "OIFM_SMPL_000022"
    assert "OIFM_SMPL_000042" in result.stderr


# list and stats


@pytest.mark.usefixtures("db")
def test_list_pages_through_every_model_once() -> None:
    pages = [answer("index", "list", "--limit", 20, "--offset", offset) for offset in range(0, COUNT, 20)]
    ids = [entry["oifm_id"] for page in pages for entry in page]
    assert len(set(ids)) == len(ids) == COUNT


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("field", ["name", "oifm_id", "filename"])
def test_list_sorts_both_ways(field: str) -> None:
    entries = answer("index", "list", "--sort", field)
    values = [fold(entry[field]) if field == "name" else entry[field] for entry in entries]
    assert values == sorted(values)
    assert [entry["oifm_id"] for entry in answer("index", "list", "--sort", field, "--desc")] == [
        entry["oifm_id"] for entry in reversed(entries)
    ]


@pytest.mark.usefixtures("db")
def test_list_in_a_pipe_is_tab_separated_without_a_heading() -> None:
    result = run("index", "list", "--limit", 3)
    entries = answer("index", "list", "--limit", 3)
    assert result.stdout.splitlines() == [
        f"{entry['oifm_id']}\t{entry['name']}\t{entry['filename']}" for entry in entries
    ]
    assert f"1 to 3 of {COUNT}; --offset 3 goes on" in result.stderr
    assert "nothing to list" in run("index", "list", "--offset", 10_000).stderr


def test_stats_count_models_and_contributors(db: Path) -> None:
    facts = answer("index", "stats")
    assert facts["models"] == COUNT
    assert facts["people"] > 0
    assert facts["organizations"] > 0
    assert facts["generation"] > 0
    assert facts["branch"] == "main"
    assert str(db) in facts["db"]
    assert f"models         {COUNT}\n" in run("index", "stats").stdout


def test_branches_are_indexes_of_their_own(db: Path) -> None:
    assert answer("index", "stats", "--branch", "other")["models"] == 0
    assert answer("index", "stats", "--branch", "main")["models"] == COUNT


# search


@pytest.mark.usefixtures("db")
def test_a_hit_has_the_fields_of_its_entry_and_says_why() -> None:
    hits = answer("search", "Breast mass")
    (entry,) = answer("index", "get", "Breast mass")
    assert hits[0] == hits[0] | entry
    assert hits[0]["score"] >= hits[-1]["score"] > 0
    assert hits[0]["matched"]


@pytest.mark.usefixtures("db")
def test_search_without_a_hit_is_an_empty_list_and_exit_0() -> None:
    assert answer("search", "zzzzqqqq") == []
    result = run("search", "zzzzqqqq")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing found" in result.stderr


@pytest.mark.usefixtures("db")
def test_search_keeps_to_limit_and_tags() -> None:
    assert len(answer("search", "nodule", "--limit", 2)) == 2
    assert all("breast" in hit["tags"] for hit in answer("search", "mass", "--tag", "breast"))


@pytest.mark.usefixtures("db")
def test_search_in_a_pipe_is_tab_separated() -> None:
    lines = run("search", "mass").stdout.splitlines()
    assert [line.split("\t")[0] for line in lines] == [hit["oifm_id"] for hit in answer("search", "mass")]
    assert {len(line.split("\t")) for line in lines} == {4}
