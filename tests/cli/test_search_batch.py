"""`search --batch`: files in, records out, a summary on stderr, and exit codes."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from findingmodel.cli.main import cli
from scripts.batch_search import main as batch_script
from tests.cli.commands import answer, run
from tests.cli.test_process import imported

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("db")

TEXT = "Breast mass\nMS\nxyzzy qqq\n\ntag:\nNo pneumothorax.\n"
SUMMARY = "5 queries: 2 matched, 1 ambiguous, 1 unmatched, 1 failed\n"


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "queries.txt"
    path.write_text(TEXT)
    return path


def test_each_query_has_a_line_of_json_and_the_summary_is_on_stderr(source: Path) -> None:
    result = run("search", "--batch", source)
    answers = [json.loads(line) for line in result.stdout.splitlines()]
    assert [(one["line"], one["query"], one["status"]) for one in answers] == [
        (1, "Breast mass", "matched"),
        (2, "MS", "ambiguous"),
        (3, "xyzzy qqq", "unmatched"),
        (5, "tag:", "failed"),
        (6, "No pneumothorax.", "matched"),
    ]
    assert {hit["name"] for hit in answers[1]["hits"]} >= {"Multiple sclerosis", "Mitral stenosis"}
    assert result.stderr == SUMMARY
    assert result.exit_code == 1
    assert run("-q", "search", "--batch", source).stderr == ""


def test_a_batch_without_failures_is_exit_0(source: Path) -> None:
    source.write_text("Breast mass\n")
    assert run("search", "--batch", source).exit_code == 0


def test_standard_input_is_a_file_too() -> None:
    result = CliRunner(catch_exceptions=False).invoke(
        cli, ["search", "--batch", "-", "--read-as", "jsonl", "--format", "csv"], input='"Breast mass"\n'
    )
    (row,) = csv.DictReader(io.StringIO(result.stdout, newline=""))
    assert (row["name"], row["status"]) == ("Breast mass", "matched")


def test_json_is_one_document(source: Path, tmp_path: Path) -> None:
    found = [one["query"] for one in answer("search", "--batch", source, code=1)]
    assert found == [line for line in TEXT.splitlines() if line]
    source.write_text("\n")
    assert answer("search", "--batch", source) == []
    source.write_text("MS\n")
    summary = answer("search", "--batch", source, "--output", tmp_path / "a.csv")
    assert summary == {"queries": 1, "matched": 0, "ambiguous": 1, "unmatched": 0, "failed": 0, "resumed": 0}


def test_limit_tags_and_explain_hold_for_every_query(source: Path) -> None:
    source.write_text("mass\n")
    result = run("search", "--batch", source, "--tag", "breast", "--limit", 1, "--explain")
    (hit,) = json.loads(result.stdout)["hits"]
    assert hit["name"] == "Breast mass"
    assert hit["matched"]


def test_a_run_goes_on_where_it_ended(tmp_path: Path) -> None:
    source, target = tmp_path / "q.csv", tmp_path / "a.csv"
    source.write_text("id;report\n1;Breast mass. No pneumothorax.\n2;MS\n")
    command = ("search", "--batch", source, "--column", "report", "--by-sentence", "--output", target)
    assert run(*command).stdout == ""
    whole = target.read_bytes()
    heading, first, *_ = whole.splitlines(keepends=True)
    target.write_bytes(whole[: len(heading + first) + 20])
    result = run(*command, "--resume")
    assert "1 resumed" in result.stderr
    assert target.read_bytes() == whole
    rows = list(csv.DictReader(io.StringIO(whole.decode(), newline="")))
    assert [(row["line"], row["part"], row["input.id"]) for row in rows] == [
        ("2", "1", "1"),
        ("2", "2", "1"),
        ("3", "1", "2"),
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["query"], "QUERY cannot be given with --batch."),
        (["--facets"], "--facets cannot be given with --batch."),
        (["--offset", "1"], "--offset cannot be given with --batch."),
        (["--resume"], "only a file of answers"),
        (["--read-as", "csv"], "there is no column 'query'"),
    ],
)
def test_what_does_not_fit_together_is_bad_usage(source: Path, arguments: list[str], message: str) -> None:
    result = run("search", "--batch", source, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_missing_file_is_bad_usage(tmp_path: Path) -> None:
    assert run("search", "--batch", tmp_path / "missing.txt").exit_code == 2


def test_a_batch_in_a_file_needs_no_event_loop(source: Path) -> None:
    source.write_text("Breast mass\n")
    assert imported("search", "--batch", source) == {"sqlite3"}


def test_the_script_writes_what_the_command_writes(source: Path, capsys: pytest.CaptureFixture[str]) -> None:
    expected = run("search", "--batch", source, "--limit", 3).stdout
    assert batch_script([str(source), "--limit", "3"]) == 1
    written = capsys.readouterr()
    assert written.out == expected
    assert written.err == "2 matched, 1 ambiguous, 1 unmatched, 1 failed, 0 resumed\n"
    assert batch_script([str(source), "--read-as", "csv"]) == 2
    assert batch_script([str(source), "--db", str(source.parent)]) == 2
