"""A curator's list, a CSV file: read by columns, and written back with new cells and no other byte changed.

Python's csv module forgets how cells were quoted and lines ended, so this reads the places of the cells. No
byte outside ASCII is decoded for writing: a list in UTF-8, with or without a byte order mark, or in the code
page of Western Windows comes back as it was.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

_DELIMITERS = (",", ";", "\t", "|")
_BOM = b"\xef\xbb\xbf"
_UTF_16 = (b"\xff\xfe", b"\xfe\xff")


class Record(NamedTuple):
    """One row of the list.

    Attributes:
        line: the line on which it starts, from 1.
        cells: the start and the end of each cell.
        end: where its line ends, before the line feed.
    """

    line: int
    cells: tuple[tuple[int, int], ...]
    end: int


class CuratedList:
    r"""The rows of a CSV file with a header.

    Args:
        data: the bytes of the file: commas, semicolons, tabs or bars between cells, as in the header.

    Raises:
        QueryError: it is not such a file.

    >>> listed = CuratedList(b'name;note\r\n"coin; lesion";x\r\n')
    >>> listed.column("NAME"), listed.text(listed.rows[0], 0)
    (0, 'coin; lesion')
    >>> listed.with_cells("oifm_id", {0: "OIFM_ABCD_123456"})
    b'name;note;oifm_id\r\n"coin; lesion";x;OIFM_ABCD_123456\r\n'
    """

    def __init__(self, data: bytes) -> None:
        if data.startswith(_UTF_16):
            raise QueryError("the list is UTF-16: save it as CSV in UTF-8")
        if b"\0" in data:
            raise QueryError("the list contains NUL characters, so it is not CSV")
        self._data = data
        # One character per byte, so that places in the text are places in the file.
        self._text = data.decode("latin-1")
        self._start = len(_BOM) if data.startswith(_BOM) else 0
        self._encoding = _encoding(data)
        heading = re.split(r"[\r\n]", self._text[self._start :], maxsplit=1)[0]
        self._delimiter = max(_DELIMITERS, key=heading.count)
        records = list(self._records())
        if not records:
            raise QueryError("the list is empty: it needs a header with the names of its columns")
        self.header, *self.rows = records
        self.columns = [self.text(self.header, place) for place in range(len(self.header.cells))]

    def column(self, name: str) -> int:
        """Return the place of the column with this name, in any case.

        Raises:
            QueryError: there is none, or several.
        """
        places = [place for place, other in enumerate(self.columns) if fold(other) == fold(name)]
        if len(places) == 1:
            return places[0]
        if places:
            raise QueryError(f"{len(places)} columns are named {name!r}: rename all but one")
        raise QueryError(f"there is no column {name!r}; the columns are {', '.join(map(repr, self.columns))}")

    def text(self, record: Record, place: int) -> str:
        """Return the text of a cell, without quotes and outer spaces; "" if the row is shorter."""
        if place >= len(record.cells):
            return ""
        start, end = record.cells[place]
        text = self._data[start:end].decode(self._encoding, "replace")
        if text.startswith('"'):
            text = text[1 : text.rindex('"')].replace('""', '"')
        return text.strip()

    def with_cells(self, column: str, texts: Mapping[int, str]) -> bytes:
        """Return the file with new cells in *column*; everything else is as it was.

        Args:
            column: its name; a new column becomes the last.
            texts: the new texts by the place of the row. They hold no quotes, delimiters or line feeds.

        Raises:
            QueryError: several columns have this name.
        """
        is_new = not any(fold(other) == fold(column) for other in self.columns)
        place = len(self.columns) if is_new else self.column(column)
        edits: dict[tuple[int, int], str] = {}
        if is_new:
            edits[self.header.end, self.header.end] = self._delimiter + self._quoted(column)
        for number, record in enumerate(self.rows):
            text = texts.get(number, "")
            missing = place - len(record.cells)
            if missing >= 0 and (text or is_new):
                edits[record.end, record.end] = self._delimiter * (missing + 1) + text
            elif text:
                edits[record.cells[place]] = text
        parts, done = [], 0
        for (start, end), text in sorted(edits.items()):
            parts += [self._data[done:start], text.encode(self._encoding)]
            done = end
        return b"".join([*parts, self._data[done:]])

    def _quoted(self, text: str) -> str:
        needs_quotes = any(mark in text for mark in (self._delimiter, '"', "\n", "\r"))
        return '"' + text.replace('"', '""') + '"' if needs_quotes else text

    def _records(self) -> Iterator[Record]:
        """Yield each row that is not empty."""
        text, place, line = self._text, self._start, 1
        cell = re.compile(rf'(?:[ \t]*"(?:[^"]|"")*")?[^{re.escape(self._delimiter)}\r\n]*')
        line_end = re.compile(r"\r\n|\r|\n|\Z")
        cells: list[tuple[int, int]] = []
        first_line = line
        while place < len(text) or cells:
            found = cell.match(text, place)
            start, place = place, found.end() if found else place
            if text[start : start + 1] == '"' and not _is_closed(text[start:place]):
                raise QueryError(f"line {line}: the quotation mark that opens here is never closed")
            line += len(re.findall(r"\r\n|\r|\n", text[start:place]))
            cells.append((start, place))
            if text[place : place + 1] == self._delimiter:
                place += 1
                continue
            if len(cells) > 1 or text[start:place].strip():
                yield Record(first_line, tuple(cells), place)
            end = line_end.match(text, place)
            place = end.end() if end else len(text)
            line += 1
            first_line, cells = line, []


def _is_closed(cell: str) -> bool:
    return len(cell) > 1 and re.fullmatch(r'"(?:[^"]|"")*"[^"]*', cell) is not None


def _encoding(data: bytes) -> str:
    try:
        data.decode()
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8"


def split_synonyms(text: str, separators: str = ";|\n") -> Sequence[str]:
    """Return the synonyms in a cell.

    >>> split_synonyms("coin lesion; SPN |nodule")
    ['coin lesion', 'SPN', 'nodule']
    """
    return [part.strip() for part in re.split(f"[{re.escape(separators)}]", text) if part.strip()]
