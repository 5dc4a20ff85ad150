"""Read the queries of a file: plain text with one query per line, CSV, or JSON Lines."""

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

FORMS: tuple[Form, ...] = ("text", "csv", "jsonl")


class _Encoding(TypedDict):
    encoding: str
    errors: str
    newline: str


ENCODING: Final = _Encoding(encoding="utf-8-sig", errors="surrogateescape", newline="")
"""How to open a file of questions: invalid bytes make only their own line fail."""
_UTF_16: Final = _Encoding(encoding="utf-16", errors="backslashreplace", newline="")

_SUFFIXES: Mapping[str, Form] = {"csv": "csv", "tsv": "csv", "jsonl": "jsonl", "ndjson": "jsonl"}
_LONGEST_LINE = 1_000_000  # characters; a longer line means that the file is not what it seems
_DELIMITERS = (",", ";", "\t")
_NOT_TEXT = re.compile("[\ud800-\udfff]")
_LONGEST_CELL = 16_000_000  # characters: an unclosed quotation mark would take the rest of the file
_NO_FIELDS: Mapping[str, Any] = {}


class Question(NamedTuple):
    """One query of a file.

    Attributes:
        line: the line on which it starts, from 1.
        query: its text; "" if there is an error.
        fields: the other columns of its row, or the other members of its object.
        error: why it has no text, or None.
        part: the number of the sentence, from 1; 0 for a whole text.
    """

    line: int
    query: str
    fields: Mapping[str, Any] = _NO_FIELDS
    error: QueryError | None = None
    part: int = 0


def encoding_of(start: bytes) -> _Encoding:
    r"""Return how to open a file that begins with *start*: `ENCODING`, or UTF-16 as written on Windows.

    >>> encoding_of(b"PE\n")["encoding"], encoding_of(b"\xff\xfeP\0E\0")["encoding"]
    ('utf-8-sig', 'utf-16')
    """
    return _UTF_16 if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else ENCODING


def form_of(name: str) -> Form:
    """Return the format that a file name stands for.

    >>> form_of("reports.CSV"), form_of("reports.jsonl"), form_of("-")
    ('csv', 'jsonl', 'text')
    """
    return _SUFFIXES.get(name.rpartition(".")[2].lower(), "text")


def read_questions(lines: TextIO, form: Form, column: str = "query") -> Iterator[Question]:
    """Yield the questions in *lines*; empty lines are skipped.

    Args:
        lines: the file, opened with `ENCODING`; it is read as the questions are consumed.
        form: one of `FORMS`. CSV has a header and commas, semicolons or tabs between cells; each line of
            JSON Lines is an object or a string.
        column: the column (in any case) or the member that holds the query.

    Raises:
        QueryError: the CSV file has no such column, or two.
    """
    if form == "csv":
        questions = _from_csv(lines, column)
    elif form == "jsonl":
        questions = _from_json_lines(lines, column)
    else:
        questions = _from_text(lines)
    return map(_checked, questions)


def by_sentence(questions: Iterable[Question]) -> Iterator[Question]:
    """Yield one question for each sentence of *questions*; a question without sentences stays as it is."""
    for question in questions:
        parts = sentences(question.query) if question.error is None else []
        if parts:
            for number, part in enumerate(parts, 1):
                yield question._replace(query=part, part=number)
        else:
            yield question


def _checked(question: Question) -> Question:
    if question.error is None and _NOT_TEXT.search(question.query):
        return question._replace(error=QueryError("the text is not valid UTF-8"))
    if question.error is None and "\0" in question.query:
        return question._replace(error=QueryError("the text contains NUL characters"))
    return question


def _each_line(lines: TextIO, longest: int = _LONGEST_LINE) -> Iterator[str]:
    """Yield the lines, each cut off one character after *longest*."""
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
        return Question(number, "", error=QueryError(f"the line is not JSON: {error}"))
    fields = dict(value) if isinstance(value, dict) else {}
    query = fields.pop(column, None) if isinstance(value, dict) else value
    if not isinstance(query, str):
        return Question(number, "", fields, QueryError(f"the field {column!r} is missing or is not text"))
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
    """Return the position of the column with this name, or else with this name in another case."""
    found = [place for place, name in enumerate(names) if name == column]
    found = found or [place for place, name in enumerate(names) if fold(name) == fold(column)]
    if len(found) == 1:
        return found[0]
    if found:
        raise QueryError(
            f"{len(found)} columns are named {column!r}: rename all but the one with the queries"
        )
    if not names:
        raise QueryError("the file has no header with the names of its columns")
    raise QueryError(f"there is no column {column!r}; the columns are {', '.join(map(repr, names))}")


def _rows(lines: Iterable[str], delimiter: str) -> Iterator[tuple[int, list[str] | QueryError]]:
    """Yield the first line and the cells, or the error, of each row after the header."""
    watched = _Lines(lines)
    reader = csv.reader(watched, delimiter=delimiter)
    line = 2
    while not watched.is_exhausted():
        try:
            cells = next(reader, [])
            # The reader asks for a line after the last only inside an unclosed quotation mark.
            yield line, QueryError(_UNCLOSED) if watched.is_exhausted() and cells else cells
        except csv.Error as error:
            yield line, QueryError(f"the row is not valid CSV: {error}")
        line = reader.line_num + 2


class _Lines:
    """An iterator of lines that knows whether it is exhausted."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = iter(lines)
        self._exhausted = False

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines, None)
        if line is None:
            self._exhausted = True
            raise StopIteration
        return line

    def is_exhausted(self) -> bool:
        """Return whether a line after the last one was requested."""
        return self._exhausted


_UNCLOSED = "the quotation mark that opens here is never closed, so the rest of the file is one cell"


def _from_cells(line: int, names: Sequence[str], cells: Sequence[str], place: int) -> Question:
    fields = {name: cell for at, (name, cell) in enumerate(zip(names, cells, strict=False)) if at != place}
    query = cells[place] if place < len(cells) else ""
    if len(cells) > len(names):
        error = QueryError(
            f"{len(cells)} cells, but {len(names)} in the header: quote cells with a delimiter"
        )
        return Question(line, query, fields, error)
    return Question(line, query, fields)
