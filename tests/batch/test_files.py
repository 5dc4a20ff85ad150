"""Files of questions and of answers: what is read, what is written, and going on where a run ended."""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.batch import read as batch_read
from findingmodel.batch.read import ENCODING, Question, by_sentence, form_of, read_questions
from findingmodel.batch.run import BatchJob, BatchSummary, run_batch
from findingmodel.errors import QueryError
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.searcher import Searcher
from tests.search_index import filled

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

INDEX = filled()


def questions(content: str | bytes, form: str, column: str = "query") -> list[Question]:
    data = content if isinstance(content, bytes) else content.encode()
    with io.TextIOWrapper(io.BytesIO(data), **ENCODING) as lines:
        return list(read_questions(lines, form, column))


def asked(content: str | bytes, form: str, column: str = "query") -> list[tuple[int, str]]:
    return [(question.line, question.query) for question in questions(content, form, column)]


def errors(content: str | bytes, form: str) -> list[str | None]:
    return [question.error and str(question.error) for question in questions(content, form)]


# reading


def test_text_has_one_query_per_line_and_empty_lines_are_skipped() -> None:
    assert asked("PE\r\n\n  big heart  \n \nAAA", "text") == [(1, "PE"), (3, "big heart"), (5, "AAA")]


def test_a_byte_order_mark_is_not_part_of_a_query() -> None:
    assert asked(b"\xef\xbb\xbfPE\n", "text") == [(1, "PE")]


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
def test_csv_is_read_by_its_header_with_any_delimiter(delimiter: str) -> None:
    rows = [["id", "finding"], ["7", f"mass{delimiter} left"], [], ["8", "a\nb"], ["9", "c"]]
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    found = questions(text.getvalue(), "csv", "finding")
    assert [(one.line, one.query, one.fields) for one in found] == [
        (2, f"mass{delimiter} left", {"id": "7"}),
        (4, "a\nb", {"id": "8"}),
        (6, "c", {"id": "9"}),
    ]


@pytest.mark.parametrize(
    ("content", "message"), [("a,b\n1,2\n", "the columns are 'a', 'b'"), ("", "no header")]
)
def test_csv_without_the_column_is_refused(content: str, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        questions(content, "csv")


def test_a_row_with_too_many_cells_fails_alone() -> None:
    assert errors("query\nmass, left\nmass\n", "csv") == [
        "2 cells, but 1 in the header: quote cells with a delimiter",
        None,
    ]


def test_an_unclosed_quotation_mark_fails() -> None:
    found = questions('id,query\n1,PE\n2,"mass\n3,AAA\n', "csv")
    assert [(one.line, one.query) for one in found] == [(2, "PE"), (3, "")]
    assert "is never closed" in str(found[1].error)


@pytest.mark.parametrize("end", ["", "\n", "\r\n", "\n\n"])
def test_a_quoted_cell_may_end_the_file(end: str) -> None:
    assert asked(f'query\n"mass\nof bone"{end}', "csv") == [(2, "mass\nof bone")]


def test_a_cell_may_hold_a_long_report_and_one_too_long_fails_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    limit = csv.field_size_limit()
    assert asked(f"query,text\nPE,{'x' * (limit + 1)}\nAAA,", "csv") == [(2, "PE"), (3, "AAA")]
    monkeypatch.setattr(batch_read, "_LONGEST_CELL", 100)
    assert errors(f"query\n{'x' * 101}\nAAA", "csv") == [
        "the row is not valid CSV: field larger than field limit (100)",
        None,
    ]
    assert csv.field_size_limit() == limit


def test_a_column_may_be_named_in_any_case_but_once() -> None:
    assert asked("id, Query \n1,PE\n", "csv") == [(2, "PE")]
    assert asked("Query,query\nPE,AAA\n", "csv") == [(2, "AAA")]
    with pytest.raises(QueryError, match="2 columns are named 'query'"):
        questions("query,query\nPE,AAA\n", "csv")


def test_nul_characters_fail_their_own_line_alone() -> None:
    assert errors(b"P\0E\nPE", "text") == ["the text contains NUL characters", None]


def test_json_lines_are_objects_or_strings() -> None:
    found = questions('{"query": "PE", "id": 7}\n\n"AAA"\n', "jsonl")
    assert [(one.line, one.query, one.fields) for one in found] == [(1, "PE", {"id": 7}), (3, "AAA", {})]


def test_a_bad_line_of_json_fails_alone() -> None:
    found = errors('{"query": 1}\n{\n"PE"\n[]\n' + "[" * 100_000, "jsonl")
    assert [message and message.partition(":")[0] for message in found] == [
        "the field 'query' is missing or is not text",
        "the line is not JSON",
        None,
        "the field 'query' is missing or is not text",
        "the line is not JSON",
    ]


@pytest.mark.parametrize("form", ["text", "jsonl"])
@pytest.mark.parametrize("length", [1_000_001, 3_000_005])
def test_a_line_that_is_too_long_fails_alone_and_is_not_kept(form: str, length: int) -> None:
    lines = io.StringIO('"PE"\n' + "x" * length + '\n"AAA"\n')
    one, failed, other = read_questions(lines, form)
    assert (one.line, other.line, one.error, other.error) == (1, 3, None, None)
    assert (failed.line, failed.query) == (2, "")
    assert str(failed.error) == "the line has more than 1,000,000 characters"


def test_a_cell_of_csv_that_is_too_long_fails_alone() -> None:
    long, other = read_questions(io.StringIO("query\n" + "x" * 16_000_100 + "\nPE\n"), "csv")
    assert "field larger than field limit" in str(long.error)
    assert (other.query, other.error) == ("PE", None)


@pytest.mark.parametrize(("form", "content"), [("text", b"caf\xe9\nPE"), ("csv", b"query\ncaf\xe9\nPE")])
def test_invalid_bytes_fail_their_own_line_alone(form: str, content: bytes) -> None:
    assert errors(content, form) == ["the text is not valid UTF-8", None]


@given(st.binary(max_size=200), st.sampled_from(["text", "csv", "jsonl"]))
def test_any_file_yields_questions_or_a_query_error(content: bytes, form: str) -> None:
    try:
        found = questions(b"query\n" + content, form)
    except QueryError:
        return
    assert [one.line for one in found] == sorted({one.line for one in found})


@pytest.mark.parametrize(
    ("name", "form"),
    [("a.CSV", "csv"), ("a.tsv", "csv"), ("a.jsonl", "jsonl"), ("a.txt", "text"), ("-", "text")],
)
def test_the_file_name_decides_the_format(name: str, form: str) -> None:
    assert form_of(name) == form


def test_a_report_becomes_a_question_for_each_sentence() -> None:
    found = by_sentence(
        [
            Question(3, "No PE. Big heart.", {"id": 1}),
            Question(9, "?"),
            Question(10, "", error=QueryError("x")),
        ]
    )
    assert [(one.line, one.part, one.query) for one in found] == [
        (3, 1, "No PE."),
        (3, 2, "Big heart."),
        (9, 0, "?"),
        (10, 0, ""),
    ]


# a run

TEXT = "PE\nbig heart\nxyzzy\ntag:\nrenal cyst\nNo pneumothorax.\nPE\n"


def run(job: BatchJob, searcher: Searcher | None = None) -> tuple[BatchSummary, str]:
    """Do *job*, and return its summary and what it wrote to standard output."""
    written: list[str] = []
    summary = run_without_loop(run_batch(searcher or Searcher(INDEX), job, echo=written.append))
    return summary, "".join(written)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "questions.txt"
    path.write_text(TEXT)
    return path


def test_every_question_is_answered_in_order(source: Path) -> None:
    summary, written = run(BatchJob(str(source), limit=2))
    answers = [json.loads(line) for line in written.splitlines()]
    assert [answer["query"] for answer in answers] == TEXT.splitlines()
    assert [answer["status"] for answer in answers] == [
        *("matched", "ambiguous", "unmatched", "failed", "matched", "ambiguous", "matched"),
    ]
    assert answers[0]["hits"][0]["name"] == "pulmonary embolism"
    assert answers[0]["hits"][0]["field"] == "synonym"
    assert answers[5]["hits"][0]["negated"]
    assert "needs a value" in answers[3]["error"]
    assert max(len(answer["hits"]) for answer in answers) == 2
    assert summary == BatchSummary(matched=3, ambiguous=2, unmatched=1, failed=1, resumed=0)
    assert summary.queries == 7


def test_answers_include_reasons_on_request(source: Path) -> None:
    _, written = run(BatchJob(str(source), limit=1, explain=True))
    assert json.loads(written.splitlines()[0])["hits"][0]["matched"][0]["terms"] == ["PE"]


def test_csv_has_a_record_for_each_question_with_the_other_columns(tmp_path: Path) -> None:
    source, target = tmp_path / "q.csv", tmp_path / "a.csv"
    source.write_text('report,query,n\n=1,"No PE,\nbut a big heart",3\n2,xyzzy,\n3,\n')
    run(BatchJob(str(source), str(target)))
    rows = list(csv.DictReader(io.StringIO(target.read_text(), newline="")))
    assert [row["input.report"] for row in rows] == ["'=1", "2", "3"]
    assert [(row["line"], row["status"]) for row in rows[1:]] == [("4", "unmatched"), ("5", "failed")]
    assert rows[0]["query"] == "No PE,\nbut a big heart"
    assert len({rows[0]["oifm_id"], *rows[0]["others"].split()}) > 1


def test_sentences_are_numbered_within_their_text(tmp_path: Path) -> None:
    source = tmp_path / "q.jsonl"
    source.write_text(json.dumps({"text": "No PE. Renal cyst.", "id": 5}))
    _, written = run(BatchJob(str(source), column="text", by_sentence=True))
    answers = [json.loads(line) for line in written.splitlines()]
    assert [(one["line"], one["part"], one["input"]) for one in answers] == [
        (1, 1, {"id": 5}),
        (1, 2, {"id": 5}),
    ]


def test_lone_surrogates_are_written_as_escapes(tmp_path: Path) -> None:
    source, target = tmp_path / "q.txt", tmp_path / "a.jsonl"
    source.write_bytes(b"caf\xe9\n")
    assert run(BatchJob(str(source), str(target)))[0].failed == 1
    assert json.loads(target.read_bytes())["query"] == "caf\udce9"
    assert run(BatchJob(str(source), str(target), resume=True))[0].resumed == 1


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_files_as_windows_writes_them_are_read(tmp_path: Path, encoding: str) -> None:
    source = tmp_path / "q.csv"
    mark = "\N{BYTE ORDER MARK}" if encoding.endswith("e") else ""
    source.write_bytes(
        f"{mark}query;n\r\nPE;1\r\nM\N{LATIN SMALL LETTER E WITH ACUTE}ni\r\n".encode(encoding)
    )
    _, written = run(BatchJob(str(source)))
    assert [json.loads(line)["query"] for line in written.splitlines()] == ["PE", "M\xe9ni"]


def test_progress_is_reported_for_each_answer(source: Path) -> None:
    told: list[tuple[int, int]] = []
    job = BatchJob(str(source))
    run_without_loop(
        run_batch(Searcher(INDEX), job, echo=lambda _: None, progress=lambda *counts: told.append(counts))
    )
    assert told == [(number, 7) for number in range(1, 8)]


@pytest.mark.parametrize("name", ["answers.jsonl", "answers.csv"])
@given(data=st.data())
def test_a_run_cut_off_anywhere_resumes_to_the_same_result(
    tmp_path_factory: pytest.TempPathFactory, name: str, data: st.DataObject
) -> None:
    directory = tmp_path_factory.mktemp("run")
    source, target = directory / "q.csv", directory / name
    source.write_text(
        'id,query\n1,"PE\n""quoted"""\n2,xyzzy\n3,tag:\n4,Renal cyst. No PE.\n5,=1+1\n6,-mass\n'
    )
    job = BatchJob(str(source), str(target), by_sentence=True)
    whole, _ = run(job)
    answers = target.read_bytes()
    target.write_bytes(answers[: data.draw(st.integers(0, len(answers)))])
    again, _ = run(job._replace(resume=True))
    assert target.read_bytes() == answers
    assert again[:-1] == whole[:-1]


def test_a_finished_run_is_not_repeated(source: Path, tmp_path: Path) -> None:
    class Untouched(Searcher):
        async def search(self, *args: Any, **kwargs: Any) -> list:
            raise AssertionError

    job = BatchJob(str(source), str(tmp_path / "a.jsonl"))
    run(job)
    summary, _ = run(job._replace(resume=True), Untouched(INDEX))
    assert summary.resumed == summary.queries == 7


@pytest.mark.parametrize("content", ["hello\n", "hello", '{"line": 1}\n', "{"])
def test_a_file_of_something_else_is_not_resumed(source: Path, tmp_path: Path, content: str) -> None:
    target = tmp_path / "letter.jsonl"
    target.write_text(content)
    if content == "{":  # an answer may have ended there
        assert run(BatchJob(str(source), str(target), resume=True))[0].resumed == 0
        return
    with pytest.raises(QueryError, match="does not contain answers of this kind"):
        run(BatchJob(str(source), str(target), resume=True))
    assert target.read_text() == content


def test_answers_to_other_questions_are_not_resumed(source: Path, tmp_path: Path) -> None:
    job = BatchJob(str(source), str(tmp_path / "a.jsonl"))
    run(job)
    source.write_text("AAA\n")
    with pytest.raises(QueryError, match="they differ at line 7"):
        run(job._replace(resume=True))


def test_questions_and_answers_must_be_different_files(source: Path) -> None:
    with pytest.raises(QueryError, match="both the questions and the answers"):
        run(BatchJob(str(source), str(source)))
    assert source.read_text() == TEXT


def test_only_a_file_can_be_resumed(source: Path) -> None:
    with pytest.raises(QueryError, match="name the file of answers"):
        run(BatchJob(str(source), resume=True))


def test_an_empty_file_has_no_answers(tmp_path: Path) -> None:
    source, target = tmp_path / "q.txt", tmp_path / "a.csv"
    source.write_text("\n")
    assert run(BatchJob(str(source), str(target)))[0].queries == 0
    assert target.read_text().startswith("line,part,query,status,")
