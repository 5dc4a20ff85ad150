"""`model rename`, `add-...`, `merge`, `deprecate`, `tags rename` and `contributors`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from tests.builders import make_organization, model_bytes, write_model
from tests.cli.commands import answer, run

if TYPE_CHECKING:
    from pathlib import Path

EDITS = {
    "rename": ("model", "rename", "{}", "pleural plaque"),
    "add-synonym": ("model", "add-synonym", "{}", "coin lesion"),
    "add-attribute": ("model", "add-attribute", "{}", "shape", "--value", "round", "--value", "oval"),
    "add-value": ("model", "add-value", "{}", "margin", "angular"),
    "change-from-prior": ("model", "change-from-prior", "{}", "--add", "larger"),
    "merge": ("model", "merge", "{}", "{dir}/2.fm.json"),
    "deprecate": ("model", "deprecate", "{}", "--by", "OIFM_TEST_000002"),
    "tags": ("tags", "rename", "CT", "computed tomography", "{dir}"),
    "collect": ("contributors", "collect", "{dir}"),
}


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    for number in (1, 2):
        write_model(tmp_path / "defs", f"{number}.fm.json", number)
    return tmp_path / "defs"


def words(name: str, defs: Path) -> list[str]:
    place = str(defs / "1.fm.json")
    filled = [word.replace("{dir}", str(defs)).replace("{}", place) for word in EDITS[name]]
    return [*filled, "--db", str(defs.parent / "none.db")]


def contents(directory: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(directory.iterdir())}


@pytest.mark.parametrize("name", EDITS)
def test_a_dry_run_shows_what_the_edit_then_does(name: str, defs: Path) -> None:
    before = contents(defs)
    trial = answer(*words(name, defs), "--dry-run")
    assert contents(defs) == before
    shown = run(*words(name, defs), "--dry-run").stdout
    assert shown.startswith("would ")
    done = answer(*words(name, defs))
    assert contents(defs) != before
    assert trial.pop("dry_run")
    assert not done.pop("dry_run")
    assert without_new_ids(done) == without_new_ids(trial)


def without_new_ids(value: Any) -> str:
    text = json.dumps(value)
    import re

    return re.sub(r"OIFMA_TEST_(?!0000)\d{6}", "NEW", text)


def test_an_edit_prints_each_difference(defs: Path) -> None:
    result = run(*words("add-synonym", defs))
    path = defs / "1.fm.json"
    assert result.stdout.splitlines() == [f"wrote {path}", 'added\tsynonyms\t\t"coin lesion"']
    again = run(*words("add-synonym", defs))
    assert (again.exit_code, again.stdout) == (1, "")
    assert again.stderr == f"Error: {path}: 'coin lesion' is a synonym of the model already\n"


def test_an_edit_that_has_nothing_to_do_says_so(defs: Path) -> None:
    run(*words("change-from-prior", defs))
    result = run(*words("change-from-prior", defs))
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "nothing to change\n")


def test_an_edit_asks_the_index_unless_told_not_to(defs: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    elsewhere = tmp_path / "elsewhere"
    write_model(elsewhere, "3.fm.json", 3, name="pleural plaque")
    run("index", "update", elsewhere, "--db", db)
    edit = ("model", "add-synonym", defs / "1.fm.json", "Pleural Plaque", "--db", db)
    assert "OIFM_TEST_000003 'pleural plaque' (3.fm.json), as its name" in run(*edit).stderr
    assert run(*edit, "--files-only").exit_code == 0


def test_an_edit_may_update_the_index(defs: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    run("index", "update", defs, "--db", db)
    merged = run("model", "merge", defs / "1.fm.json", defs / "2.fm.json", "--update", "--db", db)
    assert merged.exit_code == 0, merged.output
    found = answer("index", "get", "OIFM_TEST_000001", "--db", db)
    assert [entry["oifm_id"] for entry in found] == ["OIFM_TEST_000002"]
    shown = run("index", "get", "OIFM_TEST_000001", "--db", db).stdout
    assert "  replaces      OIFM_TEST_000001\n" in shown
    hit = answer("search", "OIFM_TEST_000001", "--db", db)[0]
    assert hit["oifm_id"] == "OIFM_TEST_000002"


def test_an_update_is_from_the_directory_that_the_index_was_made_from(defs: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    write_model(defs / "chest", "3.fm.json", 3)
    (tmp_path / ".git").mkdir()  # the collection that an edit compares with is larger
    write_model(tmp_path / "elsewhere", "4.fm.json", 4)
    run("index", "update", defs, "--db", db)
    run("model", "rename", defs / "chest" / "3.fm.json", "lung lesion", "--update", "--db", db)
    listed = {entry["filename"] for entry in answer("index", "list", "--db", db)}
    assert listed == {"1.fm.json", "2.fm.json", "chest/lung_lesion.fm.json"}
    assert run("tags", "rename", "CT", "XR", defs / "chest", "--update", "--db", db).exit_code == 0
    assert len(answer("index", "list", "--db", db)) == 3


def test_an_update_that_would_empty_the_index_is_refused_and_said(tmp_path: Path) -> None:
    for number in range(1, 31):
        write_model(tmp_path / "all", f"{number}.fm.json", number)
    path = write_model(tmp_path / "other", "31.fm.json", 31)
    run("index", "update", tmp_path / "all", "--db", tmp_path / "x.db")
    result = run("model", "add-synonym", path, "coin lesion", "--update", "--db", tmp_path / "x.db")
    assert result.exit_code == 1
    assert "the index was not updated: " in result.stderr
    assert "coin lesion" in path.read_text()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["model", "rename", "{}", "ab"], 1, "must have at least 5 characters"),
        (["model", "rename", "{}", "pulmonary nodule of type 2"], 1, "is the name of OIFM_TEST_000002"),
        (["model", "rename", "{dir}/none.fm.json", "x"], 2, "does not exist"),
        (["model", "add-attribute", "{}", "shape"], 2, "either a choice of --value or --numeric"),
        (["model", "add-attribute", "{}", "shape", "--numeric", "--value", "x"], 2, "either a choice"),
        (["model", "add-attribute", "{}", "x", "--numeric"], 1, "must have at least 3 characters"),
        (["model", "add-attribute", "{}", "size", "--min", "nan"], 1, "finite"),
        (["model", "add-attribute", "{}", "size", "--numeric", "--source", "1"], 2, "three or four letters"),
        (["model", "add-value", "{}", "shape", "x"], 1, "no attribute 'shape'"),
        (["model", "change-from-prior", "{}", "--remove", "new"], 1, "core values"),
        (["model", "deprecate", "{}", "--by", "OIFM_TEST_000009"], 1, "no file has it"),
        (["model", "merge", "{}", "{}"], 1, "are the same model"),
        (["tags", "rename", "bogus", "x", "{dir}"], 1, "no model below"),
        (["tags", "rename", " ", "x", "{dir}"], 1, "a tag needs"),
        (["contributors", "apply", "{dir}"], 2, "names nobody"),
        (["contributors", "credit", "ABCD", "--to", "{}"], 2, "names nobody"),
    ],
)  # fmt: skip
def test_bad_input_is_one_sentence_and_writes_nothing(
    arguments: list[str], code: int, message: str, defs: Path
) -> None:
    before = contents(defs)
    filled = [word.replace("{dir}", str(defs)).replace("{}", str(defs / "1.fm.json")) for word in arguments]
    result = run(*filled, "--db", defs.parent / "none.db")
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert len([line for line in result.stderr.splitlines() if "Error" in line]) == 1
    assert contents(defs) == before


def test_a_file_that_is_not_valid_is_named_and_the_others_are_edited(defs: Path) -> None:
    (defs / "broken.fm.json").write_bytes(model_bytes(3, name=7))
    for command in (("tags", "rename", "CT", "XR", defs), ("contributors", "apply", defs)):
        (defs / "contributors.yml").write_text("- {code: TEST, name: Renamed Group}")
        result = run(*command)
        assert result.exit_code == 1
        assert f"{defs}/broken.fm.json is not a valid finding model, and was not edited" in result.stderr
        assert f"wrote {defs}/1.fm.json" in result.stdout


def test_contributors_are_kept_in_one_file(defs: Path) -> None:
    assert run("contributors", "collect", defs).exit_code == 0
    file = defs / "contributors.yml"
    file.write_text(
        file.read_text().replace("Test Radiology Group", "Renamed Group")
        + "- {code: ABCD, name: Other Group}\n"
    )
    assert answer("contributors", "apply", defs)["changes"][0]["fields"][0]["new"] == "Renamed Group"
    assert run("contributors", "credit", "abcd", "--to", defs / "1.fm.json").exit_code == 0
    listed = json.loads((defs / "1.fm.json").read_bytes())["contributors"]
    assert listed == [make_organization(name="Renamed Group"), {"name": "Other Group", "code": "ABCD"}]
    assert run("index", "check", defs).exit_code == 0


def test_no_text_of_a_model_can_control_the_terminal(tmp_path: Path) -> None:
    path = tmp_path / "1.fm.json"
    path.write_bytes(model_bytes(1, name="red \x1b[31m alert"))
    printed = run("model", "rename", path, "blue \x1b[34m alert", "--dry-run").output
    assert "\x1b" not in printed
