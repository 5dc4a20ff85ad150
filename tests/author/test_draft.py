"""Attributes from a table: types, units, values by frequency; all else is left out with a reason."""

from __future__ import annotations

import itertools
import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.author.draft import MAX_VALUES, ColumnDraft, draft_attributes
from findingmodel.errors import QueryError
from findingmodel.model.draft import make_stub

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence


def column(heading: str, *cells: object, **options: Any) -> ColumnDraft:
    (draft,) = draft_attributes([f"{heading}\n", *[f"{cell}\n" for cell in cells]], **options)
    return draft


def values(draft: ColumnDraft) -> list[str]:
    assert draft.attribute is not None
    return [value["name"] for value in draft.attribute["values"]]


@pytest.mark.parametrize(
    ("heading", "cells", "kind", "unit"),
    [
        ("size", ["3", "4", " 12 "], "integer", None),
        ("size (mm)", ["3.5", "4", "n/a", ""], "number", "mm"),
        ("Size [cm]", ["1e1", "-.5"], "number", "cm"),
        ("volume_ml", ["3", "4"], "integer", "ml"),
        ("density", ["-40 HU", "12HU"], "integer", "HU"),
        ("stenosis", ["30 %", "70%"], "integer", "%"),
        ("angle", ["3°", "4.5°"], "number", "°"),
        ("calcified", ["yes", "N", "No"], "boolean", None),
        ("calcified", ["0", "1", "0"], "boolean", None),
        ("margin", ["smooth", "smooth", "round", "round"], "choice", None),
        ("exam", ["2024-01-31", "2024-02-01 12:00"], "date", None),
        ("exam", ["31.1.24", "1/2/2024"], "date", None),
        ("remarks", ["seen before", "much larger than that", "unclear"], "text", None),
        ("grade", ["inf", "3", "4", "inf"], "text", None),
        ("size", ["3 mm", "4 cm", "3 mm", "4 cm"], "choice", None),
        ("empty", ["", "-", "NA"], "empty", None),
        ("patient_id", ["1", "2"], "identifier", None),
        ("MRN", ["1", "2"], "identifier", None),
        ("T2", ["1", "2", "3"], "text", None),
    ],
)
def test_a_column_has_a_kind_and_perhaps_a_unit(
    heading: str, cells: Sequence[str], kind: str, unit: str | None
) -> None:
    draft = column(heading, *cells)
    assert draft.kind == kind
    assert (draft.attribute or {}).get("unit") == unit
    if draft.attribute is None:
        assert draft.note
    else:
        attribute = {**draft.attribute, "name": f"the {draft.attribute['name']}"}
        assert make_stub("pleural plaque", "TEST", attributes=[attribute])


def test_values_are_ordered_by_frequency_in_their_usual_spelling() -> None:
    cells = ["Round", "oval", "oval", "Oval", "oval", "round", "round", "solid"]
    assert values(column("shape", *cells)) == ["oval", "round", "solid"]
    booleans = column("calcified", "F", "T", "T")
    assert values(booleans) == ["yes", "no"]


def test_cells_with_several_values_allow_several() -> None:
    draft = column("shape", "oval; smooth", "round", "oval", "round|smooth|oval")
    assert values(draft) == ["oval", "smooth", "round"]
    assert draft.attribute is not None
    assert draft.attribute["max_selected"] == 3


def test_numbers_below_zero_have_no_minimum_and_percentages_a_maximum() -> None:
    assert column("density", "-3", "4").attribute == {"name": "density", "type": "numeric", "required": False}
    share = column("stenosis (%)", "3", "99.5").attribute
    assert share is not None
    assert (share["minimum"], share["maximum"]) == (0, 100)
    assert column("size", "3", "4.25").note == "from 3 to 4.25 in the table"


def test_too_many_values_are_free_text() -> None:
    many = [f"value {number}" for number in range(MAX_VALUES + 1)] * 3
    assert column("shape", *many).kind == "text"
    assert column("shape", *many[:MAX_VALUES], *many[:MAX_VALUES]).kind == "choice"
    assert column("shape", *["x" * 61, "y"] * 5).kind == "text"


def test_columns_are_included_and_excluded_by_heading() -> None:
    assert column("patient position", "supine", "prone", "prone", "supine").kind == "identifier"
    included = column("patient position", "supine", "prone", "prone", "supine", include=["patient position"])
    assert included.kind == "choice"
    table = ["a size,remark\n", "3,x\n"]
    assert [draft.column for draft in draft_attributes(table, exclude=["remark"])] == ["a size"]


def test_rows_may_be_short_long_or_quoted() -> None:
    table = ["shape;size\n", '"ov;al";3\n', '"ov;al"\n', "round;4;5\n", "round;1\n", "\n"]
    shape, size = draft_attributes(table)
    assert (shape.filled, size.filled) == (4, 3)
    assert size.kind == "integer"


@pytest.mark.parametrize("lines", [[], ["\n"], [" , \n"]])
def test_a_table_without_a_header_is_refused(lines: list[str]) -> None:
    with pytest.raises(QueryError, match="no header"):
        draft_attributes(lines)


def test_what_is_not_text_is_refused() -> None:
    with pytest.raises(QueryError, match="not text"):
        draft_attributes(["PK\x03\x04,\n", "x,y\n"])


def test_reading_ends_when_all_columns_are_settled() -> None:
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        yield "remark,patient\n"
        for number in range(1_000_000):
            read += 1
            yield f"remark {number} of many,x\n"

    assert [draft.kind for draft in draft_attributes(lines())] == ["text", "identifier"]
    assert read < 10_000


def test_memory_does_not_grow_with_the_table() -> None:
    def peak(rows: int) -> int:
        table = (f"{n % 7}.{n},{('oval', 'round')[n % 2]},remark {n}\n" for n in range(rows))
        tracemalloc.start()
        draft_attributes(itertools.chain(["size,shape,remark\n"], table))
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return most

    assert peak(60_000) < 1.5 * peak(10_000)


CELLS = st.lists(
    st.one_of(st.floats(-1e6, 1e6).map(str), st.sampled_from(["oval", "yes", "", "3 mm"])), max_size=30
)


@given(CELLS)
def test_the_order_of_rows_matters_only_for_ties(cells: list[str]) -> None:
    one, other = column("shape (mm)", *cells), column("shape (mm)", *reversed(cells))
    assert (one.kind, one.filled, one.note) == (other.kind, other.filled, other.note)
    if one.attribute is not None and "values" in one.attribute:
        assert sorted(values(one)) == sorted(values(other))


@given(st.text(max_size=200))
def test_any_text_is_a_table_or_a_query_error(text: str) -> None:
    try:
        drafts = draft_attributes(text.splitlines(keepends=True))
    except QueryError:
        return
    assert all(
        (draft.attribute is None) == (draft.kind in ("date", "text", "identifier", "empty"))
        for draft in drafts
    )
