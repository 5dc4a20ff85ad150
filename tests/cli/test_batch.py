"""``search --batch``: a file of queries in, a record for each out, a summary on stderr, and exit codes."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from findingmodel.cli.main import cli
from scripts.batch_search import main as batch_script
from tests.cli.commands import answer, run
from tests.cli.test_process import imported

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("db")

QUERIES = ("PE", "collapsed lung", "zzzz qqqq", "tag:")
TEXT = "Breast mass\nMS\nxyzzy qqq\n\ntag:\nNo pneumothorax.\n"
SUMMARY = "5 queries: 2 matched, 1 ambiguous, 1 unmatched, 1 failed\n"


def records(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


@pytest.fixture
def phrases(tmp_path: Path) -> Path:
    path = tmp_path / "phrases.txt"
    path.write_text("\n".join([*QUERIES, "", QUERIES[0]]) + "\n")
    return path


def test_each_query_has_a_record_in_the_order_of_the_file(phrases: Path) -> None:
    result = run("search", "--batch", phrases)
    found = records(result.stdout)
    assert [record["query"] for record in found] == [*QUERIES, QUERIES[0]]
    assert found[0]["hits"][0]["name"] == "Pulmonary embolism"
    assert found[0]["hits"] == found[4]["hits"]
    assert found[2]["hits"] == []
    assert "tag" in found[3]["error"]
    assert result.exit_code == 1
    assert result.stderr.startswith("5 queries: ")


def test_the_json_of_a_batch_is_one_document(phrases: Path) -> None:
    found = answer("search", "--batch", phrases, code=1)
    assert [record["query"] for record in found] == [*QUERIES, QUERIES[0]]


def test_the_json_of_an_empty_batch_is_an_empty_list(tmp_path: Path) -> None:
    (tmp_path / "none.txt").write_text("\n\n")
    assert answer("search", "--batch", tmp_path / "none.txt") == []


def test_standard_input_is_a_file_too() -> None:
    result = CliRunner(catch_exceptions=False).invoke(cli, ["search", "--batch", "-"], input="PE\n")
    assert [record["query"] for record in records(result.stdout)] == ["PE"]
    assert result.exit_code == 0


def test_csv_in_and_out_keeps_the_other_columns(tmp_path: Path) -> None:
    source, target = tmp_path / "reports.csv", tmp_path / "hits.csv"
    with source.open("w", newline="") as file:
        csv.writer(file).writerows([["report", "impression"], ["R1", "PE"], ["R2", "zzzz qqqq"]])
    result = run("search", "--batch", source, "--column", "impression", "--output", target)
    assert (result.exit_code, result.stdout) == (0, "")
    rows = list(csv.DictReader(io.StringIO(target.read_text())))
    assert [row["input.report"] for row in rows] == ["R1", "R2"]
    assert "Pulmonary embolism" in rows[0].values()


def test_a_missing_column_is_bad_usage(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("report\nPE\n")
    result = run("search", "--batch", tmp_path / "x.csv", "--column", "impression")
    assert result.exit_code == 2
    assert "impression" in result.stderr


def test_objects_and_strings_are_queries_and_each_broken_line_is_one_error(tmp_path: Path) -> None:
    source = tmp_path / "q.jsonl"
    source.write_text('{"query": "PE", "id": 7}\n"hydrocephalus"\n{"query": \n{"other": 1}\n[1]\n')
    result = run("search", "--batch", source)
    found = records(result.stdout)
    assert len(found) == 5
    assert [bool(record.get("error")) for record in found] == [False, False, True, True, True]
    assert found[1]["hits"]
    assert result.exit_code == 1


def test_a_report_is_searched_sentence_by_sentence(tmp_path: Path) -> None:
    (tmp_path / "r.txt").write_text("There is a pneumothorax. No pleural effusion.\n")
    found = records(run("search", "--batch", tmp_path / "r.txt", "--by-sentence", "--limit", 1).stdout)
    assert [record["hits"][0]["name"] for record in found] == ["Pneumothorax", "Pleural effusion"]


def test_resume_continues_after_the_last_complete_record(phrases: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    run("search", "--batch", phrases, "--output", whole)
    lines = whole.read_text().splitlines(keepends=True)
    cut.write_text("".join(lines[:2]) + lines[2][:9])
    result = run("search", "--batch", phrases, "--output", cut, "--resume")
    assert cut.read_text() == whole.read_text()
    assert "2 resumed" in result.stderr


def test_explain_and_tags_apply_to_a_batch(phrases: Path) -> None:
    found = records(run("search", "--batch", phrases, "--explain", "--tag", "chest").stdout)
    chest = {entry["oifm_id"] for entry in answer("search", "tag:chest", "--limit", 100)}
    assert {hit["oifm_id"] for record in found for hit in record["hits"]} <= chest
    assert found[0]["hits"][0]["matched"]


def test_options_of_a_single_search_are_refused_and_batch_options_need_a_batch(phrases: Path) -> None:
    assert run("search", "PE", "--batch", phrases).exit_code == 2
    assert run("search", "--batch", phrases, "--facets").exit_code == 2
    assert run("search", "PE", "--resume").exit_code == 2
    assert run("search").exit_code == 2


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


def test_formats_of_standard_input_and_output_can_be_chosen() -> None:
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


def test_limit_tags_and_explain_apply_to_every_query(source: Path) -> None:
    source.write_text("mass\n")
    result = run("search", "--batch", source, "--tag", "breast", "--limit", 1, "--explain")
    (hit,) = json.loads(result.stdout)["hits"]
    assert hit["name"] == "Breast mass"
    assert hit["matched"]


def test_resume_keeps_parts_and_columns_of_csv(tmp_path: Path) -> None:
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
        (["query"], "QUERY cannot be used with --batch."),
        (["--facets"], "--facets cannot be used with --batch."),
        (["--offset", "1"], "--offset cannot be used with --batch."),
        (["--resume"], "nothing to resume on standard output"),
        (["--read-as", "csv"], "there is no column 'query'"),
    ],
)
def test_conflicting_options_are_bad_usage(source: Path, arguments: list[str], message: str) -> None:
    result = run("search", "--batch", source, *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr


def test_a_missing_file_is_bad_usage(tmp_path: Path) -> None:
    result = run("search", "--batch", tmp_path / "missing.txt")
    assert result.exit_code == 2
    assert "missing.txt" in result.stderr


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
