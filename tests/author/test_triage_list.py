"""Lists of curators: read by columns, written back with no other byte changed."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.author.triage_list import CuratedList, split_synonyms
from findingmodel.errors import QueryError

ID = "OIFM_TEST_000001"


def texts(data: bytes) -> list[list[str]]:
    listed = CuratedList(data)
    width = len(listed.columns)
    return [[listed.text(row, place) for place in range(width)] for row in listed.rows]


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"name,id\nmass,\nplaque,x\n", b"name,id\nmass,OIFM_TEST_000001\nplaque,x\n"),
        (b"id,name\r\n,mass\r\n", b"id,name\r\nOIFM_TEST_000001,mass\r\n"),
        (b"name,id\nmass", b"name,id\nmass,OIFM_TEST_000001"),
        (b"name\nmass\n\n  \nplaque", b"name,id\nmass,OIFM_TEST_000001\n\n  \nplaque,"),
        (b"\xef\xbb\xbfname;b\n\"ma\"\"ss\" ;'x'\n",
         b"\xef\xbb\xbfname;b;id\n\"ma\"\"ss\" ;'x';OIFM_TEST_000001\n"),
        (b'name\tid\n"a\n\tb"\t""\n', b'name\tid\n"a\n\tb"\tOIFM_TEST_000001\n'),
        ("name,id\nMénière,\n".encode("cp1252"), "name,id\nMénière,OIFM_TEST_000001\n".encode("cp1252")),
        (b"name,x,id\nmass\n", b"name,x,id\nmass,,OIFM_TEST_000001\n"),
    ],
)  # fmt: skip
def test_only_the_cell_of_the_id_changes(data: bytes, expected: bytes) -> None:
    assert CuratedList(data).with_cells("id", {0: ID}) == expected


def test_text_is_read_in_its_encoding() -> None:
    for encoding in ("utf-8", "utf-8-sig", "cp1252"):
        assert texts("name\nMénière's disease\n".encode(encoding)) == [["Ménière's disease"]]


def test_a_row_knows_its_line() -> None:
    rows = CuratedList(b'name,b\n"a\nb",1\n\nmass,2\n').rows
    assert [row.line for row in rows] == [2, 5]


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "the list is empty"),
        (b"\n\n", "the list is empty"),
        (b'name\n"mass\nplaque\n', "line 2: the quotation mark that opens here is never closed"),
        ("name\nmass\n".encode("utf-16"), "save it as CSV in UTF-8"),
        (b"name\nma\0ss\n", "NUL characters"),
    ],
)
def test_what_is_not_a_list_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        CuratedList(data)


def test_a_column_is_found_in_any_case_and_must_be_one() -> None:
    listed = CuratedList(b"Name,NOTE,note\n")
    assert listed.column("name") == 0
    with pytest.raises(QueryError, match="2 columns are named 'Note'"):
        listed.column("Note")
    with pytest.raises(QueryError, match="no column 'id'; the columns are 'Name', 'NOTE', 'note'"):
        listed.column("id")


CELL = st.text(st.characters(codec="utf-8", exclude_characters='\0\r"'), max_size=8)


@given(st.lists(st.tuples(CELL, CELL), min_size=1, max_size=6), st.sampled_from([",", ";", "\t", "|"]))
def test_any_list_that_the_csv_module_writes_comes_back(rows: list[tuple[str, str]], delimiter: str) -> None:
    out = io.StringIO()
    writer = csv.writer(out, delimiter=delimiter)
    writer.writerow(["name", "id"])
    writer.writerows(rows)
    data = out.getvalue().encode()
    listed = CuratedList(data)
    assert listed.with_cells("id", {}) == data
    filled = [row for row in rows if any(cell.strip() for cell in row) or True]
    new = listed.with_cells("id", dict.fromkeys(range(len(listed.rows)), ID))
    read = list(csv.reader(io.StringIO(new.decode(), newline=""), delimiter=delimiter))
    assert [row[0] for row in read[1:]] == [row[0] for row in filled]
    assert [row[1] for row in read[1:]] == [ID] * len(filled)


def test_synonyms_are_separated() -> None:
    assert split_synonyms("a; b||c\nd;") == ["a", "b", "c", "d"]
