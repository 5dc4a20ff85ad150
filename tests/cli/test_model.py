"""`model new`, `show` and `markdown`: what they print, and their exit codes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from findingmodel import FindingModelFull
from findingmodel.cli.main import cli
from tests.builders import make_model, model_bytes, write_model
from tests.cli.commands import SAMPLES, answer, run

PNEUMOTHORAX = SAMPLES / "chest" / "pneumothorax.fm.json"


def test_a_new_model_is_valid_and_can_be_indexed(place: str, tmp_path: Path) -> None:
    assert run("index", "update", SAMPLES, "--db", place).exit_code == 0
    made = run(
        "model", "new", "pleural plaque", "--source", "smpl", "--into", "new", "--tag", "CT", "--db", place
    )
    path = tmp_path / "new" / "pleural_plaque.fm.json"
    model = json.loads(path.read_text())
    assert made.stdout == f"wrote new/pleural_plaque.fm.json: {model['oifm_id']}  pleural plaque\n"
    assert (made.exit_code, made.stderr) == (0, "")
    assert model["contributors"][0]["code"] == "SMPL"
    assert run("index", "check", path, "-v").stderr == ""
    again = run("model", "new", "Pleural Plaque", "--source", "SMPL", "--into", "new", "--db", place)
    assert (again.exit_code, again.stdout) == (1, "")
    assert "the file exists already; nothing was written" in again.stderr
    assert json.loads(path.read_text()) == model


@pytest.mark.usefixtures("db")
def test_new_reports_what_a_curator_should_check() -> None:
    made = run("model", "new", "another one", "--source", "ABCD", "--synonym", "PTX")
    assert "OIFM_SMPL_000002 Pneumothorax has the name 'PTX', too" in made.stderr
    assert "the index has no organization ABCD" in made.stderr
    facts = answer("model", "new", "another two", "--source", "ABCD", "--synonym", "PTX")
    assert facts["also"] == ["OIFM_SMPL_000002"]
    assert (facts["file"], len(facts["attribute_ids"])) == ("another_two.fm.json", 2)
    alone = run("model", "new", "another three", "--source", "ABCD", "--db", "none.db")
    assert "the index holds no models" in alone.stderr


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (
            ["pneumothorax", "--source", "SMPL"],
            1,
            "already belongs to OIFM_SMPL_000002 (chest/pneumothorax.fm.json)",
        ),
        (["PE", "--source", "SMPL"], 1, "must have at least 5 characters"),
        (["pleural plaque", "--source", "X1"], 2, "three or four letters"),
        (["pleural plaque"], 2, "Missing option '--source'"),
    ],
)
def test_a_model_that_cannot_be_created_is_one_message(
    tmp_path: Path, arguments: list[str], code: int, message: str
) -> None:
    result = run("model", "new", *arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert [path for path in tmp_path.iterdir() if path.suffix == ".json"] == []


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ([], ["increased", "decreased", "larger", "smaller"]),
        (["--change", "none"], []),
        (
            ["--change", "worsened", "--change", "larger/smaller"],
            ["larger", "smaller", "worsened", "improved"],
        ),
    ],
)
def test_new_has_the_pairs_of_changes_that_are_asked_for(options: list[str], expected: list[str]) -> None:
    facts = answer("model", "new", "pleural plaque", "--source", "ABCD", *options)
    model = json.loads(Path(facts["file"]).read_bytes())
    values = [value["name"] for value in model["attributes"][1]["values"]]
    assert values == ["unchanged", "stable", "new", "resolved", *expected]
    refused = run("model", "new", "another plaque", "--source", "ABCD", "--change", "thicker")
    assert "the pairs are larger/smaller" in refused.stderr
    assert not Path("another_plaque.fm.json").exists()


def test_show_prints_synonyms_values_and_ranges() -> None:
    lines = run("model", "show", PNEUMOTHORAX).stdout.splitlines()
    assert lines[0] == "OIFM_SMPL_000002  Pneumothorax"
    assert "  synonyms      PTX, pneumo, collapsed lung" in lines
    assert any(
        line.endswith("presence (one of absent | present | indeterminate, required)") for line in lines
    )
    assert any("interpleural distance at hilum (number from 0" in line for line in lines)


def test_show_as_json_is_the_model_in_canonical_layout(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1, note="kept")
    assert answer("model", "show", path) == make_model(1, note="kept")
    assert run("model", "show", path, "--json").stdout.encode() == model_bytes(1, note="kept") + b"\n"
    assert "unknown-field" in run("model", "show", path, "-v").stderr


def test_markdown_is_the_page_of_the_model() -> None:
    page = FindingModelFull.model_validate_json(PNEUMOTHORAX.read_bytes()).as_markdown()
    assert run("model", "markdown", PNEUMOTHORAX).stdout == f"{page}\n"
    assert answer("model", "markdown", PNEUMOTHORAX)["markdown"] == page


def test_a_model_can_come_from_a_pipe() -> None:
    for command in ("show", "markdown"):
        result = CliRunner().invoke(cli, ["model", command, "-"], input=PNEUMOTHORAX.read_bytes())
        assert result.stdout == run("model", command, PNEUMOTHORAX).stdout


@pytest.mark.parametrize("command", ["show", "markdown"])
def test_each_problem_of_an_invalid_model_is_printed(tmp_path: Path, command: str) -> None:
    path = write_model(tmp_path, "m.fm.json", 1, name=7, description="x")
    result = run("model", command, path)
    assert result.exit_code == 1
    assert [line.split(": ")[1] for line in result.stdout.splitlines()] == ["/name", "/description"]
    (tmp_path / "large").write_bytes(b" " * 20_000_001)
    assert "[too-large]" in run("model", command, tmp_path / "large").stdout
    assert run("model", command, tmp_path / "none").exit_code == 2
    assert run("model", command, tmp_path).exit_code == 2


def test_no_text_of_a_model_can_control_the_terminal(tmp_path: Path) -> None:
    path = write_model(tmp_path, "m.fm.json", 1, name="red \x1b[31m alert", description="a\x9b b\u202e c d")
    for command in ("show", "markdown"):
        printed = run("model", command, path).stdout
        assert not set("\x1b\x9b\u202e") & set(printed)
