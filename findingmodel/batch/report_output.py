"""Write what reports say, as JSON Lines or CSV, HTML or FHIR, and read how far an earlier run came."""

from __future__ import annotations

import csv
import io
import json
import os
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from findingmodel.batch.write import no_formula
from findingmodel.errors import QueryError
from findingmodel.reports import fhir, html
from findingmodel.reports.values import as_document

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from findingmodel.batch.report_files import ReportItem
    from findingmodel.reports.values import ReportReading

    Form = Literal["jsonl", "csv", "html", "fhir"]

FORMS: tuple[Form, ...] = ("jsonl", "csv", "html", "fhir")
RESUMABLE: tuple[Form, ...] = ("jsonl", "csv")
_SUFFIXES: dict[str, Form] = {"csv": "csv", "html": "html", "htm": "html", "json": "fhir", "jsonl": "jsonl"}
_COLUMNS = (
    *(
        "file",
        "line",
        "start",
        "end",
        "text",
        "section",
        "certainty",
        "cue",
        "status",
        "oifm_id",
        "name",
        "score",
    ),
    *("laterality", "level", "change", "measurements", "attributes", "others", "error"),
)
_ESCAPED = "backslashreplace"
Place = tuple[str, int]


def form_of(name: str) -> Form:
    """Return the format that a file name stands for.

    >>> form_of("out.csv"), form_of("page.html"), form_of("bundle.json"), form_of("-")
    ('csv', 'html', 'fhir', 'jsonl')
    """
    return _SUFFIXES.get(name.rpartition(".")[2].lower(), "jsonl")


class ReportWriter(Protocol):
    """Formats readings; records end with a line feed."""

    def start(self, first: ReportItem | None) -> str:
        """Return the text before the first record."""
        ...

    def record(self, item: ReportItem, reading: ReportReading | None, error: str) -> str:
        """Return the record of one report; *reading* is None if it could not be read."""
        ...

    def end(self) -> str:
        """Return the text after the last record."""
        ...


def writer_of(form: Form) -> ReportWriter:
    """Return the writer of a format."""
    writers: dict[str, type[Any]] = {
        "jsonl": JsonReports,
        "csv": CsvReports,
        "html": HtmlReports,
        "fhir": FhirReports,
    }
    writer: ReportWriter = writers[form]()
    return writer


class JsonReports:
    """One JSON object per report and line."""

    def start(self, first: ReportItem | None) -> str:
        """Return no text."""
        return ""

    def record(self, item: ReportItem, reading: ReportReading | None, error: str) -> str:
        """Return the record of one report."""
        answer: dict[str, Any] = {
            "file": item.file,
            "line": item.line,
            "status": "failed" if error else "read",
        }
        if reading is not None:
            document = as_document(reading)
            del document["text"]  # the caller has it
            answer.update(document)
        answer["error"] = error or None
        if item.fields:
            answer["input"] = item.fields
        return json.dumps(answer, ensure_ascii=False) + "\n"

    def end(self) -> str:
        """Return no text."""
        return ""


class CsvReports:
    """One row per mention, and one for a report that could not be read; formulas get an apostrophe."""

    def __init__(self) -> None:
        self._fields: tuple[str, ...] = ()

    def start(self, first: ReportItem | None) -> str:
        """Return the header."""
        self._fields = tuple(first.fields) if first else ()
        return _csv([*_COLUMNS, *(f"input.{name}" for name in self._fields)])

    def record(self, item: ReportItem, reading: ReportReading | None, error: str) -> str:
        """Return the rows of one report."""
        own = [_cell(item.fields.get(name, "")) for name in self._fields]
        if reading is None:
            return _csv([item.file, item.line, *[""] * (len(_COLUMNS) - 3), error, *own])
        return "".join(_csv([item.file, item.line, *_cells(row), "", *own]) for row in reading.to_dicts())

    def end(self) -> str:
        """Return no text."""
        return ""


class HtmlReports:
    """One page for all reports."""

    def start(self, first: ReportItem | None) -> str:
        """Return the head of the page."""
        return html.page_start("Findings in reports")

    def record(self, item: ReportItem, reading: ReportReading | None, error: str) -> str:
        """Return the section of one report."""
        return html.error_html(item.name, error) if reading is None else html.report_html(item.name, reading)

    def end(self) -> str:
        """Return the end of the page."""
        return html.page_end()


class FhirReports:
    """One Bundle for all reports, written at the end."""

    def __init__(self) -> None:
        self._readings: list[tuple[str, ReportReading]] = []

    def start(self, first: ReportItem | None) -> str:
        """Return no text."""
        return ""

    def record(self, item: ReportItem, reading: ReportReading | None, error: str) -> str:
        """Keep one report for the Bundle."""
        if reading is not None:
            self._readings.append((item.name, reading))
        return ""

    def end(self) -> str:
        """Return the Bundle."""
        return json.dumps(fhir.bundle(self._readings), ensure_ascii=False, indent=2) + "\n"


class ReportProgress(NamedTuple):
    """How far an earlier run came.

    Attributes:
        last: the file and the line of the last report that is complete, or None.
        reports, mentions, failed: the numbers so far.
    """

    last: Place | None
    reports: int = 0
    mentions: int = 0
    failed: int = 0


def read_progress(path: Path, form: Form, heading: str) -> ReportProgress:
    """Return how far the output in *path* goes, and cut off what is not complete.

    The rows of the last report in a CSV file are cut off too, because more may have been missing.

    Raises:
        QueryError: *path* does not hold output of this kind.
    """
    read = _csv_progress if form == "csv" else _json_progress
    try:
        size, progress = read(path.read_bytes(), heading.encode())
    except (ValueError, KeyError, TypeError) as error:
        raise QueryError(
            f"cannot resume {path}: it does not contain findings of reports; name another file or start over"
        ) from error
    os.truncate(path, size)
    return progress


def _json_progress(content: bytes, _heading: bytes) -> tuple[int, ReportProgress]:
    size, progress = 0, ReportProgress(None)
    for record in content.splitlines(keepends=True):
        if not record.endswith(b"\n"):
            if size == 0 and not b'{"file": '.startswith(record[:9]):
                raise ValueError(record)
            break
        answer = json.loads(record)
        is_failed = answer["status"] == "failed"
        progress = ReportProgress(
            (answer["file"], int(answer["line"])),
            progress.reports + 1,
            progress.mentions + len(answer.get("mentions", ())),
            progress.failed + is_failed,
        )
        size += len(record)
    return size, progress


def _csv_progress(content: bytes, heading: bytes) -> tuple[int, ReportProgress]:
    if not content.startswith(heading):
        if heading.startswith(content):
            return 0, ReportProgress(None)
        raise ValueError(content[:80])
    rows = list(_whole_rows(content[len(heading) :]))
    places = [place for place, _, _ in rows]
    last = places[-1] if places else None
    kept = rows[: places.index(last)] if last in places else []
    size = len(heading) + sum(length for _, length, _ in kept)
    failed = sum(is_failed for *_, is_failed in kept)
    reports = len(dict.fromkeys(place for place, *_ in kept))
    return size, ReportProgress(kept[-1][0] if kept else None, reports, len(kept) - failed, failed)


def _whole_rows(content: bytes) -> Iterator[tuple[Place, int, bool]]:
    """Yield the place, the length and the failure of each complete row."""
    record = b""
    for line in content.splitlines(keepends=True):
        record += line
        if record.endswith(b"\n") and record.count(b'"') % 2 == 0:
            cells = next(csv.reader(io.StringIO(record.decode(), newline="")))
            file = cells[0][1:] if no_formula(cells[0][1:]) == cells[0] else cells[0]
            yield (file, int(cells[1])), len(record), bool(cells[_COLUMNS.index("error")])
            record = b""


def after(progress: ReportProgress, items: Iterable[ReportItem], target: str) -> Iterator[ReportItem]:
    """Yield the items after the last complete one.

    Raises:
        QueryError: that one is not among *items*.
    """
    remaining = iter(items)
    if progress.last is not None and not any((item.file, item.line) == progress.last for item in remaining):
        file, line = progress.last
        raise QueryError(f"{target} has findings of other reports: {file}, line {line} is not among these")
    return remaining


def _cells(row: dict[str, Any]) -> list[Any]:
    attributes = json.dumps(row.pop("attributes"), ensure_ascii=False) if row["attributes"] else ""
    others = " ".join(row.pop("others"))
    row.pop("attributes", None)
    return [*row.values(), attributes, others]


def _csv(cells: Sequence[Any]) -> str:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerow(
        [no_formula(cell) if isinstance(cell, str) else cell for cell in cells]
    )
    return text.getvalue()


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
