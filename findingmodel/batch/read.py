"""Questions: the queries of a file, which is plain text with one a line, CSV, or JSON Lines."""

from __future__ import annotations

import codecs
import csv
import json
import re
from typing import TYPE_CHECKING, Any, Final, Literal, NamedTuple, TypedDict

from findingmodel.errors import QueryError
from findingmodel.text.normalize import fold
from findingmodel.text.sentences import sentences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import TextIO

    Form = Literal["text", "csv", "jsonl"]

__all__ = ["ENCODING", "FORMS", "Question", "by_sentence", "encoding_of", "form_of", "read_questions"]

FORMS: tuple[Form, ...] = ("text", "csv", "jsonl")


class _Encoding(TypedDict):
    encoding: str
    errors: str
    newline: str


ENCODING: Final = _Encoding(encoding="utf-8-sig", errors="surrogateescape", newline="")
"""How to open a file of questions, so that bytes that are no text spoil their own line alone."""
_UTF_16: Final = _Encoding(encoding="utf-16", errors="backslashreplace", newline="")

_SUFFIXES: Mapping[str, Form] = {"csv": "csv", "tsv": "csv", "jsonl": "jsonl", "ndjson": "jsonl"}
_LONGEST_LINE = 1_000_000  # characters; only a file of something else has such lines
_DELIMITERS = (",", ";", "\t")
_NOT_TEXT = re.compile("[\ud800-\udfff]")
_LONGEST_CELL = (
    16_000_000  # characters: a quotation mark that is never closed would take the rest of the file
)
_NO_FIELDS: Mapping[str, Any] = {}


class Question(NamedTuple):
    """One query of a file.

    Attributes:
        line: where it starts in the file, from 1.
        query: its text; "" where there is none.
        fields: the other columns of its row, or the other members of its object.
        error: why there is no text; None if there is.
        part: which sentence of its text it is, from 1; 0 if it is the whole.
    """

    line: int
    query: str
    fields: Mapping[str, Any] = _NO_FIELDS
    error: QueryError | None = None
    part: int = 0


def encoding_of(start: bytes) -> _Encoding:
    r"""Return how to open a file that begins with *start*: `ENCODING`, but for UTF-16, as Windows writes it.

    >>> encoding_of(b"PE\n")["encoding"], encoding_of(b"\xff\xfeP\0E\0")["encoding"]
    ('utf-8-sig', 'utf-16')
    """
    return _UTF_16 if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ENCODING


def form_of(name: str) -> Form:
    """Return what the name of a file says it is.

    >>> form_of("reports.CSV"), form_of("reports.jsonl"), form_of("-")
    ('csv', 'jsonl', 'text')
    """
    return _SUFFIXES.get(name.rpartition(".")[2].lower(), "text")


def read_questions(lines: TextIO, form: Form, column: str = "query") -> Iterator[Question]:
    """Yield the questions in *lines*, opened as `ENCODING` says; empty lines are passed over.

    Args:
        lines: the open file; it is read as the questions are needed.
        form: one of `FORMS`. CSV has a heading, and cells set off by commas, semicolons or tabs; a line of
            JSON is an object or a string.
        column: where the query stands in CSV, in any case there, and in an object.

    Raises:
        QueryError: CSV without that column, or with two of them.
    """
    if form == "csv":
        questions = _from_csv(lines, column)
    elif form == "jsonl":
        questions = _from_json_lines(lines, column)
    else:
        questions = _from_text(lines)
    return map(_checked, questions)


def by_sentence(questions: Iterable[Question]) -> Iterator[Question]:
    """Yield a question for each sentence of each of *questions*; one without a sentence stays as it is."""
    for question in questions:
        parts = sentences(question.query) if question.error is None else []
        if parts:
            for number, part in enumerate(parts, 1):
                yield question._replace(query=part, part=number)
        else:
            yield question


def _checked(question: Question) -> Question:
    if question.error is None and _NOT_TEXT.search(question.query):
        return question._replace(error=QueryError("this is not UTF-8 text"))
    if question.error is None and "\0" in question.query:
        return question._replace(error=QueryError("this has NUL characters, which are no text"))
    return question


def _each_line(lines: TextIO, longest: int = _LONGEST_LINE) -> Iterator[str]:
    """Yield the lines; of one that is too long as much as shows that it is."""
    while line := lines.readline(longest + 1):
        rest = line
        while len(rest) > longest and not rest.endswith("\n"):
            rest = lines.readline(longest + 1)
        yield line


def _from_text(lines: TextIO) -> Iterator[Question]:
    for number, line in enumerate(_each_line(lines), 1):
        if line.strip():
            yield _too_long(number) if len(line) > _LONGEST_LINE else Question(number, line.strip())


def _from_json_lines(lines: TextIO, column: str) -> Iterator[Question]:
    for number, line in enumerate(_each_line(lines), 1):
        if line.strip():
            yield _too_long(number) if len(line) > _LONGEST_LINE else _from_json(number, line, column)


def _too_long(number: int) -> Question:
    return Question(number, "", error=QueryError(f"the line has more than {_LONGEST_LINE:,} characters"))


def _from_json(number: int, line: str, column: str) -> Question:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Question(number, "", error=QueryError(f"this is not JSON: {error}"))
    fields = dict(value) if isinstance(value, dict) else {}
    query = fields.pop(column, None) if isinstance(value, dict) else value
    if not isinstance(query, str):
        return Question(number, "", fields, QueryError(f"there is no text under {column!r}"))
    return Question(number, query, fields)


def _from_csv(lines: TextIO, column: str) -> Iterator[Question]:
    heading = next(_each_line(lines), "")
    delimiter = max(_DELIMITERS, key=heading.count)
    names = next(csv.reader([heading], delimiter=delimiter), [])
    place = _place(names, column)
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        for line, cells in _rows(_each_line(lines, _LONGEST_CELL), delimiter):
            if isinstance(cells, QueryError):
                yield Question(line, "", error=cells)
            elif cells:
                yield _from_cells(line, names, cells, place)
    finally:
        csv.field_size_limit(before)


def _place(names: Sequence[str], column: str) -> int:
    """Return where the query stands: in the column of this name, or else of this name in another case."""
    found = [place for place, name in enumerate(names) if name == column]
    found = found or [place for place, name in enumerate(names) if fold(name) == fold(column)]
    if len(found) == 1:
        return found[0]
    if found:
        raise QueryError(
            f"{len(found)} columns are named {column!r}: name the one with the queries otherwise"
        )
    raise QueryError(
        f"there is no column {column!r}, only {', '.join(map(repr, names))}"
        if names
        else "there is no heading with the names of the columns"
    )


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | QueryError]]:
    """Yield the cells of each row below the heading, or why there are none, and the line where it starts."""
    watched = _Lines(lines)
    reader = csv.reader(watched, delimiter=delimiter)
    line = 2
    while not watched.are_over():
        try:
            cells = next(reader, [])
            # Only a row whose quotation mark is still open asks for a line that is not there.
            yield line, QueryError(_OPEN) if watched.are_over() and cells else cells
        except csv.Error as error:
            yield line, QueryError(f"this cannot be read as CSV: {error}")
        line = reader.line_num + 2


class _Lines:
    """Lines that know whether one more was asked for than there are."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._are_over = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self._are_over = True
            raise StopIteration
        return line

    def are_over(self) -> bool:
        """Return whether a line was asked for that is not there."""
        return self._are_over


_OPEN = "a quotation mark opens here that nothing closes: all that follows in the file is in one cell"


def _from_cells(line: int, names: Sequence[str], cells: Sequence[str], place: int) -> Question:
    fields = {name: cell for at, (name, cell) in enumerate(zip(names, cells, strict=False)) if at != place}
    query = cells[place] if place < len(cells) else ""
    if len(cells) > len(names):
        error = QueryError(f"{len(cells)} cells below {len(names)} names: quote cells that hold a delimiter")
        return Question(line, query, fields, error)
    return Question(line, query, fields)
