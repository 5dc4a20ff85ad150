"""Reports in files: each text file is one report, and so is each row of a CSV file or line of JSON Lines."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.batch.read import encoding_of, form_of, read_questions
from findingmodel.errors import QueryError
from findingmodel.limits import MAX_REPORT_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import BinaryIO

    from findingmodel.batch.read import Form

STREAM = "-"
_TEXT = "*.txt"
_MOST_BYTES = 4 * MAX_REPORT_CHARACTERS
_NO_FIELDS: Mapping[str, Any] = {}


class ReportItem(NamedTuple):
    """One report to read.

    Attributes:
        file: the name of its file as given, or "-"; below a directory with the path to it.
        line: the line on which its row begins, from 1; 1 for a text file.
        text: the report; "" if there is an error.
        fields: the other columns of its row.
        error: why it has no text, or None.
    """

    file: str
    line: int
    text: str
    fields: Mapping[str, Any] = _NO_FIELDS
    error: QueryError | None = None

    @property
    def name(self) -> str:
        """The file, with the line if it holds several reports."""
        return self.file if self.line == 1 and not self.fields else f"{self.file}:{self.line}"


def expand(sources: Sequence[str]) -> list[str]:
    """Return the files of *sources*, with each directory replaced by the text files in it, sorted.

    Raises:
        QueryError: a directory has no text files.
    """
    files: list[str] = []
    for source in sources:
        if source != STREAM and Path(source).is_dir():
            found = sorted(str(path) for path in Path(source).glob(_TEXT) if path.is_file())
            if not found:
                raise QueryError(f"{source} has no files {_TEXT}: name the files, or another directory")
            files += found
        else:
            files.append(source)
    return files


def read_items(files: Sequence[str], *, read_as: Form | None, column: str) -> Iterator[ReportItem]:
    """Yield the reports in *files*, read as they are consumed; one that cannot be read has an error.

    Args:
        files: file names, or "-" for standard input.
        read_as: "text", "csv" or "jsonl"; None to decide by the name of each file.
        column: the CSV column, or the member of each JSON object, that holds the report.

    Raises:
        QueryError: a CSV file has no such column.
    """
    for file in files:
        form = read_as or form_of(file)
        if form == "text":
            yield _whole(file)
            continue
        try:
            with _opened(file) as data:
                start = data.peek(2) if isinstance(data, BufferedReader) else b""
                lines = TextIOWrapper(data, **encoding_of(start))
                try:
                    for question in read_questions(lines, form, column):
                        yield ReportItem(file, question.line, question.query, question.fields, question.error)
                finally:
                    lines.detach()
        except OSError as error:
            yield ReportItem(file, 1, "", error=QueryError(_reason(error)))
        except QueryError as error:
            raise QueryError(f"{file}: {error}") from error


def _whole(file: str) -> ReportItem:
    """Return a text file as one report."""
    try:
        with _opened(file) as data:
            content = data.read(_MOST_BYTES + 1)
        text = content.decode(encoding_of(content[:2])["encoding"])
    except OSError as error:
        return ReportItem(file, 1, "", error=QueryError(_reason(error)))
    except UnicodeDecodeError:
        return ReportItem(file, 1, "", error=QueryError("the text is not valid UTF-8"))
    if len(content) > _MOST_BYTES:
        message = f"the file has more than {_MOST_BYTES:,} bytes: it is not one report"
        return ReportItem(file, 1, "", error=QueryError(message))
    if "\0" in text:
        return ReportItem(file, 1, "", error=QueryError("the text contains NUL characters"))
    return ReportItem(file, 1, text)


def _reason(error: OSError) -> str:
    return f"the file cannot be read: {error.strerror or error}"


@contextmanager
def _opened(file: str) -> Iterator[BinaryIO]:
    if file == STREAM:
        yield sys.stdin.buffer
        return
    with Path(file).open("rb") as data:
        yield data
