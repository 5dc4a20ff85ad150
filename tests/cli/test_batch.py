"""`search --batch`: a file of queries in, a record for each out, whatever their form."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from findingmodel.cli.main import cli
from tests.cli.commands import answer, run

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.usefixtures("db")

QUERIES = ("PE", "collapsed lung", "zzzz qqqq", "tag:")


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


def test_a_column_that_is_not_there_is_bad_usage(tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text("report\nPE\n")
    result = run("search", "--batch", tmp_path / "x.csv", "--column", "impression")
    assert result.exit_code == 2
    assert "impression" in result.stderr


def test_objects_and_strings_are_queries_and_broken_lines_are_errors_of_their_own(tmp_path: Path) -> None:
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


def test_a_batch_that_was_cut_off_goes_on_where_it_ended(phrases: Path, tmp_path: Path) -> None:
    whole, cut = tmp_path / "whole.jsonl", tmp_path / "cut.jsonl"
    run("search", "--batch", phrases, "--output", whole)
    lines = whole.read_text().splitlines(keepends=True)
    cut.write_text("".join(lines[:2]) + lines[2][:9])
    result = run("search", "--batch", phrases, "--output", cut, "--resume")
    assert cut.read_text() == whole.read_text()
    assert "2 resumed" in result.stderr


def test_reasons_and_tags_of_a_batch(phrases: Path) -> None:
    found = records(run("search", "--batch", phrases, "--explain", "--tag", "chest").stdout)
    chest = {entry["oifm_id"] for entry in answer("search", "tag:chest", "--limit", 100)}
    assert {hit["oifm_id"] for record in found for hit in record["hits"]} <= chest
    assert found[0]["hits"][0]["matched"]


def test_options_of_one_search_are_refused(phrases: Path) -> None:
    assert run("search", "PE", "--batch", phrases).exit_code == 2
    assert run("search", "--batch", phrases, "--facets").exit_code == 2
    assert run("search", "PE", "--resume").exit_code == 2
    assert run("search").exit_code == 2


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    result = run("search", "--batch", tmp_path / "absent.txt")
    assert result.exit_code != 0
    assert "absent.txt" in result.stderr


def test_facets_count_the_tags_of_all_hits() -> None:
    counts = answer("search", "tag:chest", "--facets")
    assert counts["chest"] == max(counts.values()) > 1
    assert "chest\t" in run("search", "tag:chest", "--facets").stdout


def test_explain_tells_every_reason() -> None:
    lines = run("search", "clot in lung artery", "--explain", "--limit", 1).stdout.splitlines()
    assert len(lines) > 1
    assert any(line.split("\t")[-1].startswith("meaning, ") for line in lines[1:])


def test_hits_are_paged() -> None:
    whole = answer("search", "tag:chest", "--limit", 4)
    assert answer("search", "tag:chest", "--limit", 2, "--offset", 2) == whole[2:]
    assert "from hit 1001 on" in run("search", "tag:chest", "--offset", 1000).stderr
