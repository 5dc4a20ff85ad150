"""``findingmodel report``: what it prints, and its exit codes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from findingmodel.cli.main import cli
from tests.cli.commands import run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("db")

TEXT = """INDICATION: Rule out pulmonary embolism.
FINDINGS: No pneumothorax. Small left pleural effusion, unchanged.
"""


@pytest.fixture
def report(tmp_path: Path) -> Path:
    path = tmp_path / "chest.txt"
    path.write_text(TEXT)
    return path


def test_the_text_is_shown_with_marks_and_a_row_for_each_finding(report: Path) -> None:
    result = run("report", report)
    assert result.exit_code == 0
    assert "No [pneumothorax]2-. Small left [pleural effusion]3+, unchanged." in result.stdout
    rows = [line.split("\t") for line in result.stdout.splitlines() if "\t" in line]
    assert [row[:3] for row in rows] == [
        ["1>", "pulmonary embolism", "indication: Rule out"],
        ["2-", "pneumothorax", "absent: No"],
        ["3+", "pleural effusion", "present"],
    ]
    assert rows[2][5] == "left, unchanged"


def test_standard_input_is_a_report() -> None:
    result = CliRunner().invoke(cli, ["report", "-"], input="No pneumothorax.")
    assert result.exit_code == 0
    assert "No [pneumothorax]1-." in result.stdout


def test_json_is_one_line_per_report(report: Path) -> None:
    result = run("report", report, report, "--json")
    records = [json.loads(line) for line in result.stdout.splitlines()]
    assert [record["status"] for record in records] == ["read", "read"]
    assert result.stderr == "2 reports: 6 findings\n"


def test_the_format_follows_from_the_name_of_the_output(report: Path, tmp_path: Path) -> None:
    for name, start in (
        ("a.csv", "file,line"),
        ("a.html", "<!doctype"),
        ("a.json", "{"),
        ("a.jsonl", '{"file"'),
    ):
        assert run("report", report, "--output", tmp_path / name).exit_code == 0
        assert (tmp_path / name).read_text().startswith(start)


def test_a_report_that_cannot_be_read_is_told_and_the_exit_code_is_1(report: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.txt"
    bad.write_bytes(b"\xff\xff")
    result = run("report", bad, report)
    assert result.exit_code == 1
    assert "not valid UTF-8" in result.stderr
    assert "[pneumothorax]" in result.stdout
    result = run("report", bad, report, "--format", "jsonl")
    assert (result.exit_code, result.stderr) == (1, "2 reports: 3 findings, 1 failed\n")


def test_wrong_usage_is_explained(report: Path, tmp_path: Path) -> None:
    result = run("report", report, "--format", "text", "--output", tmp_path / "a.txt")
    assert result.exit_code == 2
    assert "choose jsonl, csv, html or fhir" in result.stderr
    assert run("report").exit_code == 2
    assert run("report", tmp_path / "absent.txt").exit_code == 2


def test_a_report_shows_no_control_characters(tmp_path: Path) -> None:
    path = tmp_path / "red.txt"
    path.write_text("\x1b[31mPneumothorax.")
    assert "\x1b" not in run("report", path).stdout
    assert "\x1b" not in run("report", path, "--json").stdout


def test_an_empty_index_gives_a_hint_to_fill_it(report: Path, tmp_path: Path) -> None:
    for more in ((), ("--format", "jsonl")):
        result = run("report", report, "--db", tmp_path / "none.db", *more)
        assert result.exit_code == 0
        assert "findingmodel index update DIR" in result.stderr
