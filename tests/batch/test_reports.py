"""Files of reports in, files of findings out, and how a run is resumed."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.batch.reports import ReportJob, run_reports
from findingmodel.errors import QueryError
from findingmodel.reports.service import StoreReports
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.searcher import Searcher
from tests.search_index import filled

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.batch.reports import ReportSummary

REPORTS = ["No pneumothorax.", "Renal cyst. Hydronephrosis.", "Unremarkable.", "Pneumonia, likely."]


@pytest.fixture(scope="module")
def reports() -> StoreReports:
    store = filled()
    return StoreReports(store, Searcher(store))


def run(reports: StoreReports, *sources: Path, **job: Any) -> tuple[ReportSummary, str]:
    written: list[str] = []
    summary = run_without_loop(
        run_reports(reports, ReportJob([str(source) for source in sources], **job), echo=written.append)
    )
    return summary, "".join(written)


@pytest.fixture
def table(tmp_path: Path) -> Path:
    path = tmp_path / "reports.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text"])
        writer.writerows([number, text] for number, text in enumerate(REPORTS))
    return path


def test_each_file_of_a_directory_is_a_report(reports: StoreReports, tmp_path: Path) -> None:
    for name, text in zip("dbca", REPORTS, strict=True):
        (tmp_path / f"{name}.txt").write_text(text)
    (tmp_path / "notes.md").write_text("Pneumonia.")
    summary, text = run(reports, tmp_path)
    records = [json.loads(line) for line in text.splitlines()]
    assert [record["file"].rpartition("/")[2] for record in records] == ["a.txt", "b.txt", "c.txt", "d.txt"]
    assert summary == (4, 4, 0, 0)
    assert records[3]["mentions"][0]["certainty"] == "absent"


def test_csv_has_a_row_for_each_mention_with_the_columns_of_the_input(
    reports: StoreReports, table: Path
) -> None:
    _, text = run(reports, table, write_as="csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert [(row["line"], row["name"], row["input.id"]) for row in rows] == [
        ("2", "pneumothorax", "0"),
        ("3", "renal cyst", "1"),
        ("3", "hydronephrosis", "1"),
        ("5", "pneumonia", "3"),
    ]


def test_bad_input_is_its_own_record(reports: StoreReports, tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"Pneumonia \xff")
    (tmp_path / "b.txt").write_bytes(b"\xff\xfe" + "Pneumonia.".encode("utf-16-le"))
    (tmp_path / "c.txt").write_bytes(b"Pneumonia.\0")
    lines = tmp_path / "d.jsonl"
    lines.write_text('{"text": "Pneumonia."}\nnonsense\n{"other": 1}\n')
    summary, text = run(reports, *(tmp_path / f"{name}.txt" for name in "abc"), lines)
    records = [json.loads(line) for line in text.splitlines()]
    assert [record["status"] for record in records] == [
        "failed",
        "read",
        "failed",
        "read",
        "failed",
        "failed",
    ]
    reasons = {0: "UTF-8", 2: "NUL", 4: "JSON", 5: "'text'"}
    assert all(reason in records[at]["error"] for at, reason in reasons.items())
    assert (summary.reports, summary.failed) == (6, 4)


@pytest.mark.parametrize("form", ["jsonl", "csv"])
def test_a_run_that_was_cut_off_anywhere_is_resumed_to_the_same_end(
    form: str, reports: StoreReports, table: Path, tmp_path: Path
) -> None:
    target = tmp_path / f"out.{form}"
    job = {"target": str(target), "resume": True}
    summary, _ = run(reports, table, **job)
    whole = target.read_bytes()
    for cut in range(0, len(whole), 7):
        target.write_bytes(whole[:cut])
        resumed, _ = run(reports, table, **job)
        assert target.read_bytes() == whole
        assert resumed[:3] == summary[:3] or form == "csv"
    assert run(reports, table, **job)[0].resumed > 0


def test_only_output_of_the_same_reports_is_resumed(
    reports: StoreReports, table: Path, tmp_path: Path
) -> None:
    target = tmp_path / "out.jsonl"
    target.write_text("something else\n")
    with pytest.raises(QueryError, match="cannot resume"):
        run(reports, table, target=str(target), resume=True)
    target.write_text(json.dumps({"file": "x.csv", "line": 2, "status": "read", "mentions": []}) + "\n")
    with pytest.raises(QueryError, match=r"other reports: x\.csv, line 2"):
        run(reports, table, target=str(target), resume=True)
    with pytest.raises(QueryError, match="cannot be resumed"):
        run(reports, table, target=str(tmp_path / "page.html"), resume=True)
    with pytest.raises(QueryError, match="only a file"):
        run(reports, table, resume=True)


def test_a_report_is_never_overwritten(reports: StoreReports, table: Path) -> None:
    before = table.read_bytes()
    with pytest.raises(QueryError, match="cannot hold both"):
        run(reports, table, target=str(table))
    assert table.read_bytes() == before


def test_an_empty_directory_and_a_missing_column_are_errors(
    reports: StoreReports, table: Path, tmp_path: Path
) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(QueryError, match=r"no files \*\.txt"):
        run(reports, tmp_path / "empty")
    with pytest.raises(QueryError, match=r"reports\.csv: there is no column 'body'"):
        run(reports, table, column="body")


def test_processes_give_the_same_output_in_the_same_order(reports: StoreReports, tmp_path: Path) -> None:
    lines = tmp_path / "many.jsonl"
    lines.write_text("".join(json.dumps({"text": REPORTS[at % 4], "at": at}) + "\n" for at in range(100)))
    _, alone = run(reports, lines, processes=1)
    summary, together = run(reports, lines, processes=2)
    assert together == alone
    assert summary.reports == 100


def test_html_and_fhir_hold_all_reports(reports: StoreReports, table: Path) -> None:
    _, page = run(reports, table, write_as="html")
    assert page.count("<h2>") == 4
    assert page.endswith("</html>\n")
    _, text = run(reports, table, write_as="fhir")
    assert len(json.loads(text)["entry"]) == 4
