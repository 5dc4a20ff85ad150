"""Tables that were changed in a spreadsheet go back into the files, and nothing else changes."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.author.check import check
from findingmodel.errors import DocumentError, EditError, QueryError
from findingmodel.export.table_edit import edit_from_table
from findingmodel.export.tables import COLUMNS, attribute_rows, model_row, to_csv
from tests.builders import make_model, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.export.tables import Table


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    for number in (1, 2):
        write_model(tmp_path / "defs", f"{number}.fm.json", number)
    return tmp_path / "defs"


def table(kind: Table, *, delimiter: str = ",", **changes: str) -> bytes:
    """A table of both models; *changes* are the cells of its first row."""
    models = [make_model(1), make_model(2)]
    rows: list[dict[str, Any]] = []
    for model in models:
        rows += (
            [model_row(model, f"{model['oifm_id'][-1]}.fm.json")]
            if kind == "models"
            else attribute_rows(model)
        )
    rows[0] |= changes
    text = io.StringIO()
    writer = csv.DictWriter(text, COLUMNS[kind], delimiter=delimiter, lineterminator="\r\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


def content(path: Path) -> dict[str, Any]:
    model: dict[str, Any] = json.loads(path.read_bytes())
    return model


@pytest.mark.parametrize("kind", ["models", "attributes"])
def test_an_export_that_was_not_edited_changes_nothing(defs: Path, kind: Table) -> None:
    plan = edit_from_table(defs, table(kind))
    assert (plan.changes, plan.notes) == ((), ())


def test_cells_of_models_are_applied(defs: Path) -> None:
    edited = table(
        "models",
        delimiter=";",
        name="coin lesion",
        synonyms="PN1; spot",
        tags="",
        description="A round shadow.",
    )
    plan = edit_from_table(defs, edited)
    assert [change.path.name for change in plan.changes] == ["1.fm.json"]
    plan.apply()
    after = content(defs / "1.fm.json")
    assert (after["name"], after["synonyms"], after["description"]) == (
        "coin lesion",
        ["PN1", "spot"],
        "A round shadow.",
    )
    assert "tags" not in after
    assert after["attributes"] == make_model(1)["attributes"]
    assert check(defs).ok


def test_cells_of_attributes_are_applied(defs: Path) -> None:
    edit_from_table(
        defs, table("attributes", name="edge", required="TRUE", values="smooth; lobed; spiky")
    ).apply()
    edge = content(defs / "1.fm.json")["attributes"][0]
    assert (edge["name"], edge["required"]) == ("edge", True)
    assert [value["name"] for value in edge["values"]] == ["smooth", "lobed", "spiky"]
    assert [value["value_code"][-2:] for value in edge["values"]] == [".0", ".1", ".2"]
    number = b"oifma_id,minimum,maximum,unit\nOIFMA_TEST_000011,-1,,cm\n"
    edit_from_table(defs, number).apply()
    diameter = content(defs / "1.fm.json")["attributes"][1]
    assert (diameter["minimum"], diameter["unit"], "maximum" in diameter) == (-1, "cm", False)


def test_what_cannot_be_applied_is_noted(defs: Path) -> None:
    plan = edit_from_table(defs, table("models", contributors="ABCD"))
    assert plan.changes == ()
    assert plan.notes == ("OIFM_TEST_000001: the column contributors cannot be changed in a table",)
    unknown = edit_from_table(defs, b"oifm_id,tags\nOIFM_TEST_000009,CT\n,x\n")
    assert unknown.notes == (f"line 2: no file below {defs} has OIFM_TEST_000009",)


@pytest.mark.parametrize(
    ("data", "error", "message"),
    [
        (b"name,tags\nx,CT\n", QueryError, "neither a column oifm_id nor oifma_id"),
        (b"oifm_id\nOIFM_TEST_000001\nOIFM_TEST_000001\n", EditError, "line 3: OIFM_TEST_000001"),
        (b"oifm_id,name\nOIFM_TEST_000001,pulmonary nodule of TYPE 2\n", EditError, "is that of 1"),
        (b"oifm_id,name\nOIFM_TEST_000001,abc\n", DocumentError, "/name"),
        (b"oifm_id,description\nOIFM_TEST_000001,\n", DocumentError, "/description"),
        (b"oifma_id,minimum\nOIFMA_TEST_000011,\"3,5\"\n", EditError, "OIFMA_TEST_000011, column minimum"),
        (b"oifma_id,minimum\nOIFMA_TEST_000011,true\n", EditError, "'true' is not a number"),
        (b"oifma_id,required\nOIFMA_TEST_000011,perhaps\n", EditError, "neither true nor false"),
        (b"oifma_id,values\nOIFMA_TEST_000010,smooth\n", EditError, "3 values cannot become 1"),
    ],
)  # fmt: skip
def test_a_table_that_makes_no_sense_is_refused(
    defs: Path, data: bytes, error: type[Exception], message: str
) -> None:
    before = [path.read_bytes() for path in sorted(defs.iterdir())]
    with pytest.raises(error, match=message):
        edit_from_table(defs, data)
    assert [path.read_bytes() for path in sorted(defs.iterdir())] == before


def test_a_row_does_not_undo_an_edit_that_is_newer_than_its_export(defs: Path) -> None:
    path = defs / "1.fm.json"
    sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
    row = model_row(make_model(1), "1.fm.json", sha256)
    edited = to_csv("models", [row | {"tags": "XR"}]).encode()
    write_model(defs, "1.fm.json", 1, synonyms=["added in an editor"])
    with pytest.raises(EditError, match=r"line 2: .*1\.fm\.json was edited since the table was exported"):
        edit_from_table(defs, edited)
    edit_from_table(defs, edited.replace(sha256[:12].encode(), b"")).apply()
    assert content(path)["tags"] == ["XR"]
    write_model(defs, "1.fm.json", 1)
    edit_from_table(defs, edited).apply()
    assert edit_from_table(defs, edited).changes == ()  # as after an interruption


def test_no_text_is_a_formula_and_it_comes_back_as_it_was(tmp_path: Path) -> None:
    model = make_model(1, name="=cmd|' /C calc'!A0", synonyms=["@SUM(1)", "-itis"])
    write_model(tmp_path, "1.fm.json", 1, name=model["name"], synonyms=model["synonyms"])
    exported = to_csv("models", [model_row(model, "1.fm.json")])
    cells = [cell for row in csv.reader(io.StringIO(exported)) for cell in row]
    assert [cell for cell in cells if cell.startswith(("=", "+", "-", "@"))] == []
    assert edit_from_table(tmp_path, exported.encode()).changes == ()
    edit_from_table(tmp_path, exported.replace("CT; chest", "XR").encode()).apply()
    after = content(tmp_path / "1.fm.json")
    assert (after["name"], after["synonyms"], after["tags"]) == (model["name"], model["synonyms"], ["XR"])


def test_a_text_with_a_separator_stays_if_its_cell_was_not_edited(tmp_path: Path) -> None:
    model = make_model(1, synonyms=["nodule; lung", "PN"])
    write_model(tmp_path, "1.fm.json", 1, synonyms=model["synonyms"])
    row = model_row(model, "1.fm.json") | {"tags": "XR"}
    edit_from_table(tmp_path, to_csv("models", [row]).encode()).apply()
    assert content(tmp_path / "1.fm.json")["synonyms"] == ["nodule; lung", "PN"]
    assert content(tmp_path / "1.fm.json")["tags"] == ["XR"]
