"""draft: attributes of a new model from the columns of a table of observations.

The table is read once, in chunks, and only what decides about a column is kept: its distinct values while
they are few, its smallest and greatest number. A column that turns out to be free text is not looked at any
more, and reading ends when no other column is left. Memory does not grow with the table.
"""

from __future__ import annotations

import csv
import math
import re
from collections import Counter
from itertools import islice
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    Kind = Literal["choice", "boolean", "integer", "number", "date", "text", "identifier", "empty"]

MAX_VALUES = 20
"""Distinct values of a choice; a column with more is free text."""

_CHUNK = 4_096  # rows
_LONGEST_VALUE = 60  # characters; longer cells are free text
_LONGEST_CELL = 16_000_000  # an unclosed quotation mark takes the rest of the file
_FEWEST_USES = 2  # of each value of a choice on average; otherwise the cells are remarks
_DELIMITERS = (",", ";", "\t", "|")

_MISSING = {"", "-", "--", ".", "?", "n/a", "na", "nan", "null", "none given", "not available"}
_BOOLEAN = dict.fromkeys(("yes", "y", "true", "t", "1"), "yes") | dict.fromkeys(
    ("no", "n", "false", "f", "0"), "no"
)
_IDENTIFIER = re.compile(
    r"\b(id|ids|mrn|accession|uid|patient|dob|birth ?date|ssn|name|reader|radiologist)\b"
)
_NUMBER = re.compile(
    r"([-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?)(?:\s*([A-Za-zµ°%][^\d\s]{0,11}[23³²]?|%))?"
)
_DATE = re.compile(r"\d{4}-\d\d?-\d\d?([T ]\d.*)?|\d\d?[./]\d\d?[./]\d\d(\d\d)?")
_UNIT_IN_HEADING = re.compile(r"(.*\S)\s*[(\[]\s*([^()\[\]]{1,12}?)\s*[)\]]\s*")
_UNIT_SUFFIXES = {"mm", "cm", "ml", "hu", "mm2", "cm2", "cm3", "mm3", "percent", "ms", "kg", "mg", "degrees"}


class ColumnDraft(NamedTuple):
    """What a column of the table is.

    Attributes:
        column: its heading.
        kind: "choice", "boolean", "integer" or "number"; or why it is no attribute: "date", "text" (free
            text), "identifier" (of a patient, a study or a person) or "empty".
        filled: how many of the cells that were read have a value.
        attribute: the attribute without ids, as in a file; None if it is none.
        note: what the curator should check.
    """

    column: str
    kind: Kind
    filled: int
    attribute: dict[str, Any] | None = None
    note: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return the column ready for JSON."""
        return self._asdict()


def draft_attributes(
    lines: Iterable[str], *, include: Collection[str] = (), exclude: Collection[str] = ()
) -> list[ColumnDraft]:
    r"""Return what the columns of a CSV table can say, in their order.

    Numbers may have a unit, in each cell ("12 mm") or in the heading ("size (mm)"). Values of a choice are
    ordered by frequency; cells such as "oval; smooth" state several at once.

    Args:
        lines: the text of the table, with a header; it is read as far as needed.
        include: headings of columns that are drafted although they look like identifiers.
        exclude: headings of columns to leave out.

    Raises:
        QueryError: the table has no header, or is not CSV.

    >>> table = "Size (mm),Margin\n3,smooth\n4.5,spiculated\n12,smooth\n7,smooth\n".splitlines(True)
    >>> size, margin = draft_attributes(table)
    >>> size.attribute
    {'name': 'size', 'type': 'numeric', 'minimum': 0, 'unit': 'mm', 'required': False}
    >>> [value["name"] for value in margin.attribute["values"]]
    ['smooth', 'spiculated']
    """
    iterator = iter(lines)
    heading = next(iterator, "").removeprefix("\ufeff")
    delimiter = max(_DELIMITERS, key=heading.count)
    before = csv.field_size_limit(_LONGEST_CELL)
    try:
        names = next(csv.reader([heading], delimiter=delimiter), [])
        if re.search(r"[\x00-\x08\x0e-\x1f]", heading):
            raise QueryError("the table is not text: save it as CSV")
        if not any(map(str.strip, names)):
            raise QueryError("the table has no header with the names of its columns")
        columns = [_Column(name, is_open=name not in exclude, forced=name in include) for name in names]
        _read(csv.reader(iterator, delimiter=delimiter), columns)
    except csv.Error as error:
        raise QueryError(f"the table is not CSV: {error}") from error
    finally:
        csv.field_size_limit(before)
    return [column.draft() for column in columns if column.name not in exclude]


def _read(rows: Iterator[Sequence[str]], columns: Sequence[_Column]) -> None:
    """Give each column its cells, until the end or until all columns are settled."""
    width = len(columns)
    while any(column.is_open for column in columns) and (chunk := list(islice(rows, _CHUNK))):
        if any(len(row) != width for row in chunk):  # short rows lack their last cells
            chunk = [[*row[:width], *[""] * (width - len(row))] for row in chunk]
        for column, cells in zip(columns, zip(*chunk, strict=True), strict=True):
            if column.is_open:
                column.add(Counter(cells))


class _Column:
    """What is known of one column so far.

    Args:
        name: its heading.
        is_open: whether to look at its cells.
        forced: whether it is drafted although its heading looks like that of an identifier.
    """

    def __init__(self, name: str, *, is_open: bool, forced: bool) -> None:
        self.name = name
        self._words, self._unit = _heading(name)
        self._is_identifier = not forced and _IDENTIFIER.search(self._words.lower()) is not None
        self.is_open = is_open and not self._is_identifier
        self._filled = 0
        self._counts: Counter[str] | None = Counter()  # None once there are too many values
        self._most_chosen = 1
        self._is_number = self._is_date = self._is_whole = True
        self._low, self._high = math.inf, -math.inf
        self._units: set[str] = set()

    def add(self, cells: Counter[str]) -> None:
        """Add cells with how often each occurs."""
        cells.pop("", None)
        if self._is_number and self._counts is None and not self._is_date and self._add_plain(cells):
            self._filled += cells.total()
            return
        texts: Counter[str] = Counter()
        for cell, count in cells.items():
            text = cell.strip()
            if text.lower() not in _MISSING:
                texts[text] += count
        self._filled += texts.total()
        if self._is_number and texts:
            self._add_numbers(texts)
        if self._is_date:
            self._is_date = all(map(_DATE.fullmatch, texts))
        if self._counts is not None:
            self._add_values(self._counts, texts)
        if self._counts is None and not self._is_number and not self._is_date:
            self.is_open = False

    def _add_plain(self, cells: Iterable[str]) -> bool:
        """Add numbers without units, if all cells are; four times faster than by the pattern."""
        try:
            numbers = list(map(float, cells))
        except ValueError:
            return False
        if not all(map(math.isfinite, numbers)):
            return False
        self._add_range(numbers)
        return True

    def _add_numbers(self, texts: Iterable[str]) -> None:
        if self._add_plain(texts):
            return
        found = [match for text in texts if (match := _NUMBER.fullmatch(text))]
        self._is_number = len(found) == len(list(texts))
        if self._is_number:
            self._units.update(match[2] for match in found if match[2])
            self._add_range([float(match[1]) for match in found])

    def _add_range(self, numbers: Sequence[float]) -> None:
        if numbers:
            self._low, self._high = min(self._low, *numbers), max(self._high, *numbers)
            self._is_whole = self._is_whole and all(map(float.is_integer, numbers))

    def _add_values(self, known: Counter[str], texts: Counter[str]) -> None:
        for text, count in texts.items():
            parts = [part for part in map(str.strip, re.split("[;|]", text)) if part]
            self._most_chosen = max(self._most_chosen, len(parts))
            for part in parts:
                known[part] += count
                if len(part) > _LONGEST_VALUE or len(known) > 2 * MAX_VALUES:
                    self._counts = None
                    return

    def draft(self) -> ColumnDraft:
        """Return what the column is, now that the table was read."""
        if self._is_identifier:
            note = "may identify a patient, a study or a person; include it if it does not"
            return self._left_out("identifier", note)
        if not self._filled:
            return self._left_out("empty", "no cell has a value")
        if len(self._words) < 3:
            return self._left_out("text", "its heading is too short for the name of an attribute")
        values = self._values()
        if self._is_date:
            return self._left_out("date", "dates belong to an exam, not to a finding")
        if self._counts and {value.lower() for value in self._counts} <= _BOOLEAN.keys():
            return self._choice("boolean", ["yes", "no"])
        if self._is_number and len(self._units) <= 1:
            return self._number()
        if len(values) < 2:
            note = f"its only value is {values[0]!r}" if values else "free text"
            return self._left_out("text", note)
        return self._choice("choice", values)

    def _left_out(self, kind: Kind, note: str) -> ColumnDraft:
        return ColumnDraft(self.name, kind, self._filled, None, note)

    def _values(self) -> list[str]:
        """Return the values, the most frequent first, each in its usual spelling; none of free text."""
        if self._counts is None:
            return []
        spellings: dict[str, Counter[str]] = {}
        for text, count in self._counts.items():
            spellings.setdefault(fold(text), Counter())[text] += count
        if len(spellings) > MAX_VALUES or self._counts.total() < _FEWEST_USES * len(spellings):
            return list(self._counts) if len(spellings) == 1 else []
        ordered = sorted(spellings.values(), key=lambda spelling: -spelling.total())
        return [spelling.most_common(1)[0][0] for spelling in ordered]

    def _choice(self, kind: Kind, values: Sequence[str]) -> ColumnDraft:
        attribute = {
            "name": self._words,
            "type": "choice",
            "values": [{"name": value} for value in values],
            "required": False,
            "max_selected": min(self._most_chosen, len(values)),
        }
        return ColumnDraft(self.name, kind, self._filled, attribute)

    def _number(self) -> ColumnDraft:
        unit = next(iter(self._units), self._unit)
        attribute: dict[str, Any] = {"name": self._words, "type": "numeric"}
        if self._low >= 0:
            attribute["minimum"] = 0
        if unit == "%" and self._high <= 100:
            attribute["maximum"] = 100
        attribute |= {"unit": unit} if unit else {}
        attribute["required"] = False
        kind: Kind = "integer" if self._is_whole else "number"
        note = f"from {self._low:g} to {self._high:g} in the table"
        return ColumnDraft(self.name, kind, self._filled, attribute, note)


def _heading(name: str) -> tuple[str, str | None]:
    """Return the name of an attribute for a heading, and the unit that the heading states.

    >>> _heading("Max_Diameter (mm)"), _heading("volume_ml"), _heading("T2 signal")
    (('max diameter', 'mm'), ('volume', 'ml'), ('T2 signal', None))
    """
    found = _UNIT_IN_HEADING.fullmatch(name)
    words, unit = (found[1], found[2]) if found else (name, None)
    parts = re.sub(r"(?<=[a-z])(?=[A-Z][a-z])", " ", words.replace("_", " ")).split()
    if unit is None and len(parts) > 1 and parts[-1].lower() in _UNIT_SUFFIXES:
        unit = parts.pop()
    # Words such as T2 or MRI keep their capitals.
    plain = [part if any(map(str.isupper, part[1:])) or len(part) == 2 else part.lower() for part in parts]
    return " ".join(plain), unit
