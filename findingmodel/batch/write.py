"""Write answers as JSON Lines or CSV, and read how far an earlier run came."""

from __future__ import annotations

import csv
import io
import json
import os
import re
from collections import Counter
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol

from findingmodel.errors import QueryError
from findingmodel.search.hits import main_reason

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from pathlib import Path

    from findingmodel.batch.read import Question
    from findingmodel.batch.search import BatchRow
    from findingmodel.search.hits import HitRow

    Form = Literal["jsonl", "csv"]

FORMS: tuple[Form, ...] = ("jsonl", "csv")

_FORMULA = re.compile(r"[\t\r\n]|[\s\0\ufeff]*[=+\-@\uff1d\uff0b\uff0d\uff20]")
"""Spreadsheets may skip white space, and may treat full-width signs like ASCII ones."""
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?([eE][+-]?\d+)?%?")
_START = {"jsonl": b'{"line": ', "csv": b""}
_HIT_COLUMNS = ("oifm_id", "name", "score", "stage", "field", "negated")
_COLUMNS = ("line", "part", "query", "status", *_HIT_COLUMNS, "others", "error")


def form_of(name: str) -> Form:
    """Return the format that a file name stands for."""
    return "csv" if name.lower().endswith(".csv") else "jsonl"


class Writer(Protocol):
    """Formats answers, each as one record that ends with a line feed."""

    def heading(self) -> str:
        """Return the text before the first record."""
        ...

    def record(self, question: Question, row: BatchRow) -> str:
        """Return the record of one answer."""
        ...

    def query(self, text: str) -> str:
        """Return the text of a query as records contain it."""
        ...


class JsonLines(NamedTuple):
    """One JSON object per line; ``input`` holds the other fields of the question.

    Attributes:
        explain: each hit has ``matched``, the reasons why it was found.
    """

    explain: bool = False

    def heading(self) -> str:
        """Return no text."""
        return ""

    def record(self, question: Question, row: BatchRow) -> str:
        """Return the record of one answer."""
        error = question.error or row.error
        answer = {
            "line": question.line,
            "part": question.part,
            "query": question.query,
            "status": row.status,
            "hits": [{**_facts(hit), **self._reasons(hit)} for hit in row.hits],
            "error": str(error) if error else None,
        }
        if question.fields:
            answer["input"] = question.fields
        return json.dumps(answer, ensure_ascii=False) + "\n"

    def query(self, text: str) -> str:
        """Return *text*."""
        return text

    def _reasons(self, hit: HitRow) -> dict[str, Any]:
        return {"matched": [reason._asdict() for reason in hit.matched]} if self.explain else {}


class CsvLines(NamedTuple):
    """One record per question, with its best hit; ``others`` holds the ids of the other hits.

    Text that a spreadsheet would evaluate as a formula gets an apostrophe in front.

    Attributes:
        fields: the names of the other fields of the questions; each becomes a column ``input.NAME``.
    """

    fields: Sequence[str] = ()

    def heading(self) -> str:
        """Return the header."""
        return _csv([*_COLUMNS, *(f"input.{name}" for name in self.fields)])

    def record(self, question: Question, row: BatchRow) -> str:
        """Return the record of one answer."""
        best = _facts(row.hits[0]).values() if row.hits else [""] * len(_HIT_COLUMNS)
        others = " ".join(hit.entry["oifm_id"] for hit in row.hits[1:])
        error = question.error or row.error or ""
        own = [question.line, question.part, question.query, row.status, *best, others, error]
        return _csv([*own, *(_cell(question.fields.get(name, "")) for name in self.fields)])

    def query(self, text: str) -> str:
        """Return *text*, made safe for spreadsheets."""
        return no_formula(text)


class BatchProgress(NamedTuple):
    """How far an earlier run came.

    Attributes:
        line: the line of the last answered question; 0 if there is none.
        part: the part of that question.
        query: its text.
        counts: the number of answers by status.
    """

    line: int
    part: int
    query: str
    counts: Counter[str]


def read_progress(path: Path, form: Form, writer: Writer) -> BatchProgress:
    """Return how far the answers in *path* go, and cut off an incomplete last record.

    Raises:
        QueryError: *path* is not a file of answers in this format.
    """
    heading = writer.heading().encode()
    known, size = BatchProgress(0, 0, "", Counter()), 0
    with path.open("rb") as lines:
        for record in _whole_records(lines, form):
            if size or record != heading:
                known = _with_record(known, record, form, path)
            size += len(record)
        lines.seek(size)
        rest = lines.read()
    start = _START[form] if size or not heading else heading
    if not (rest.startswith(start) or start.startswith(rest)):
        raise _not_answers(path)
    os.truncate(path, size)
    return known


def _whole_records(lines: Iterable[bytes], form: Form) -> Iterator[bytes]:
    """Yield the complete records; in CSV, line feeds inside quotation marks do not end one."""
    record = b""
    for line in lines:
        record += line
        if record.endswith(b"\n") and not (form == "csv" and record.count(b'"') % 2):
            yield record
            record = b""


def _with_record(known: BatchProgress, record: bytes, form: Form, path: Path) -> BatchProgress:
    """Return *known* with one more answer."""
    try:
        if form == "csv":
            line, part, query, status, *_ = next(csv.reader(io.StringIO(record.decode(), newline="")))
        else:
            answer = json.loads(record)
            line, part, query, status = (answer[name] for name in ("line", "part", "query", "status"))
        known.counts[status] += 1
        return BatchProgress(int(line), int(part), query, known.counts)
    except (ValueError, KeyError, TypeError) as error:
        raise _not_answers(path) from error


def _not_answers(path: Path) -> QueryError:
    return QueryError(
        f"cannot resume {path}: it does not contain answers of this kind; name another file or start over"
    )


def _facts(hit: HitRow) -> dict[str, Any]:
    """Return the facts of a hit that records contain."""
    reason = main_reason(hit)
    stage, field = (reason.stage, reason.field) if reason else ("filter", "")
    facts = (hit.entry["oifm_id"], hit.entry["name"], hit.score, stage, field, hit.negated)
    return dict(zip(_HIT_COLUMNS, facts, strict=True))


def no_formula(text: str) -> str:
    """Return *text* in a form that a spreadsheet shows and does not evaluate.

    Source: https://owasp.org/www-community/attacks/CSV_Injection

    >>> no_formula("=HYPERLINK(A1)"), no_formula("-5.2"), no_formula("- nodule")
    ("'=HYPERLINK(A1)", '-5.2', "'- nodule")
    """
    return f"'{text}" if _FORMULA.match(text) and not _NUMBER.fullmatch(text) else text


def _csv(cells: Sequence[Any]) -> str:
    text = io.StringIO(newline="")
    safe = [no_formula(str(cell)) if isinstance(cell, str | Exception) else cell for cell in cells]
    csv.writer(text, lineterminator="\n").writerow(safe)
    return text.getvalue()


def _cell(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
