"""`model draft`: a model from a table of observations."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from findingmodel.cli.main import cli
from tests.cli.commands import answer, run

if TYPE_CHECKING:
    from pathlib import Path

TABLE = """MRN,Size (mm),Margin,presence
1,3.5,smooth,yes
2,4,spiculated,no
3,,smooth,yes
4,7,smooth,no
5,1,spiculated,
"""


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "observations.csv"
    path.write_text(TABLE)
    return path


def test_a_dry_run_shows_each_column(table: Path, tmp_path: Path) -> None:
    result = run("model", "draft", "pleural plaque", "--from", table, "--into", tmp_path, "--dry-run")
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [row[:4] for row in rows] == [
        ["MRN", "identifier", "0", ""],
        ["Size (mm)", "number", "4", "size: number, mm"],
        ["Margin", "choice", "5", "margin: smooth | spiculated"],
        ["presence", "boolean", "4", "presence: yes | no"],
    ]
    assert "presence: every model has the attribute 'presence'" in result.stderr
    assert list(tmp_path.iterdir()) == [table]


def test_the_file_is_valid_and_has_the_usual_attributes_too(table: Path, tmp_path: Path) -> None:
    arguments = [
        "model",
        "draft",
        "pleural plaque",
        "--from",
        table,
        "--source",
        "abcd",
        "--into",
        tmp_path / "new",
    ]
    facts = answer(*arguments, "--description", "A flat thickening of the pleura.", "--db", tmp_path / "x.db")
    model = json.loads((tmp_path / "new" / "pleural_plaque.fm.json").read_bytes())
    assert facts["oifm_id"] == model["oifm_id"]
    assert [one["name"] for one in model["attributes"]] == ["presence", "change from prior", "size", "margin"]
    assert run("index", "check", tmp_path / "new").exit_code == 0
    again = run(*arguments, "--db", tmp_path / "x.db")
    assert (again.exit_code, again.stdout) == (1, "")
    assert "exists already" in again.stderr


def test_a_table_may_come_from_a_pipe_and_in_other_encodings(tmp_path: Path) -> None:
    options = ["model", "draft", "pleural plaque", "--dry-run", "--json", "--from"]
    piped = json.loads(CliRunner().invoke(cli, [*options, "-"], input=TABLE).stdout)
    for encoding in ("utf-8-sig", "utf-16", "cp1252"):
        path = tmp_path / f"{encoding}.csv"
        path.write_bytes(TABLE.replace("smooth", "glått").encode(encoding))
        facts = answer(*options[:-2], "--from", path)
        assert facts["columns"][2]["attribute"]["values"][0]["name"] == "glått"
        assert len(facts["columns"]) == len(piped["columns"])


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "--source is needed to write the file"),
        (["--source", "1"], 2, "three or four letters"),
        (["--dry-run", "--include", "bogus"], 2, "there is no column 'bogus'; the columns are MRN"),
    ],
)
def test_bad_usage_is_one_sentence(table: Path, arguments: list[str], code: int, message: str) -> None:
    db = table.parent / "x.db"
    into = table.parent / "new"
    result = run("model", "draft", "pleural plaque", "--from", table, "--into", into, *arguments, "--db", db)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert not into.exists()


def test_a_table_without_a_header_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").touch()
    result = run("model", "draft", "pleural plaque", "--from", tmp_path / "empty.csv", "--dry-run")
    assert (result.exit_code, result.stderr) == (
        2,
        "Error: the table has no header with the names of its columns\n",
    )
