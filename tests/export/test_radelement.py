"""RadElement sets: there and back, with a list of what is lost."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from findingmodel import FindingModelFull, parse_model
from findingmodel.errors import ConfigError, DocumentError, EditError
from findingmodel.export.radelement import from_set, to_set
from tests.builders import make_choice, make_model, make_number, make_organization, make_person

SAMPLES = sorted((Path(__file__).parent.parent.parent / "samples" / "defs").rglob("*.fm.json"))


def element(number: int = 901, **changes: Any) -> dict[str, Any]:
    """An element as the API gives it, with the fields that are usually empty."""
    values = [
        {"value": f"RDE{number}.{n}", "name": name, "definition": ""}
        for n, name in enumerate(("left", "right"))
    ]
    return {
        "id": f"RDE{number}",
        "parent_id": 90,
        "name": "Side",
        "short_name": "",
        "definition": "Side of the plaque",
        "question": "",
        "version": {"name": "", "version_date": "07/25/2023", "status": "Proposed"},
        "index_codes": [{"system": "RADLEX", "code": "RID5824", "display": "left", "url": None}],
        "references": [],
        "value_set": {
            "cardinality": {"min_cardinality": 1, "max_cardinality": 2},
            "value_min_max": {"value_min": None, "value_max": None},
            "step_value": None,
            "unit": "",
            "value_type": "valueSet",
            "value_size": 0,
            "values": values,
        },
    } | changes  # fmt: skip


def number_element(**changes: Any) -> dict[str, Any]:
    value_set = {
        "cardinality": {"min_cardinality": 0, "max_cardinality": 1},
        "value_min_max": {"value_min": 0, "value_max": 30.5},
        "step_value": 0.1,
        "unit": "mm",
        "value_type": "float",
        "values": [],
    }
    return element(902, name="Thickness", value_set=value_set | changes)


def a_set(*elements: dict[str, Any], **changes: Any) -> dict[str, Any]:
    data = {
        "id": "RDES90",
        "name": "Pleural Plaque",
        "description": "Pleural plaque on CT",
        "version": {"name": "", "status": "Published"},
        "index_codes": [],
        "body_parts": [{"name": "pleura"}],
        "authors": {"person": [{"name": "Reader, Test"}], "organization": []},
        "elements": list(elements or (element(), number_element())),
    }
    return {"data": data | changes}


def test_an_import_for_the_registry_takes_its_numbers() -> None:
    made = from_set(a_set(), "cde").document
    assert made["oifm_id"] == "OIFM_CDE_000090"
    assert made["index_codes"][0] == {"system": "RADELEMENT", "code": "RDES90", "display": "Pleural Plaque"}
    side, thickness = made["attributes"]
    assert (side["oifma_id"], side["required"], side["max_selected"]) == ("OIFMA_CDE_000901", True, 2)
    assert side["values"][1] == {"value_code": "OIFMA_CDE_000901.1", "name": "right"}
    assert side["index_codes"] == [{"system": "RADLEX", "code": "RID5824", "display": "left"}]
    assert (thickness["minimum"], thickness["maximum"], thickness["unit"]) == (0, 30.5, "mm")
    assert parse_model(json.dumps(made).encode()).model is not None
    assert from_set(a_set()["data"], "CDE").document == made


def test_what_a_model_cannot_say_is_listed() -> None:
    lost = from_set(a_set(element(question="Which side?"), number_element()), "CDE").lost
    assert set(lost) == {
        "version of set",
        "body_parts of set",
        "author 'Reader, Test'",
        "version of element 'Side'",
        "version of element 'Thickness'",
        "question of element 'Side'",
        "step_value of the values of element 'Thickness'",
    }
    text = element(name="Remarks", value_set={"value_type": "text"})
    made = from_set(a_set(element(), text), "ABCD")
    assert len(made.document["attributes"]) == 1
    assert "element 'Remarks': neither a number nor a choice of two values, but text" in made.lost


def test_another_organization_gets_ids_of_its_own() -> None:
    made = from_set(a_set(description=""), "ABCD")
    assert made.document["oifm_id"].startswith("OIFM_ABCD_")
    assert made.document["description"].startswith("TODO")
    with pytest.raises(ConfigError, match="three or four letters"):
        from_set(a_set(), "1")


@pytest.mark.parametrize("document", [None, [], {}, {"data": {"id": "RDES1"}}, {"elements": [7]}])
def test_what_is_not_a_set_is_refused(document: Any) -> None:
    with pytest.raises(EditError, match="not a RadElement set"):
        from_set(document, "CDE")


def test_a_set_that_breaks_a_rule_of_the_format_is_refused() -> None:
    with pytest.raises(DocumentError, match="/name"):
        from_set(a_set(name="abc"), "CDE")
    with pytest.raises(DocumentError, match="/attributes"):
        from_set(a_set(element(value_set={})), "CDE")


@pytest.mark.parametrize("path", SAMPLES, ids=lambda path: path.name)
def test_a_model_comes_back_with_its_attributes_and_values(path: Path) -> None:
    model = FindingModelFull.model_validate_json(path.read_bytes())
    there = to_set(model)
    back = from_set(there.document, model.oifm_id.split("_")[1]).document

    def parts(document: dict[str, Any]) -> list[Any]:
        return [
            (one["name"], one.get("description"), one.get("minimum"), one.get("maximum"), one.get("unit"),
             one.get("max_selected"), one.get("required"), one.get("index_codes"),
             [(v["name"], v.get("description"), v.get("index_codes")) for v in one.get("values", ())])
            for one in document["attributes"]
        ]  # fmt: skip

    own = json.loads(model.model_dump_json(exclude_none=True))
    assert parts(back) == parts(own)
    assert (back["name"], back["description"]) == (own["name"], own["description"])


def test_a_set_lists_what_it_cannot_say() -> None:
    model = FindingModelFull(
        **make_model(1, contributors=[make_organization(), make_person()], replaces=["OIFM_TEST_000002"])
    )
    assert to_set(model).lost == (
        "synonyms: lung nodule of type 1, PN1",
        "tags: CT, chest",
        "replaces: OIFM_TEST_000002",
        "contributor test-reader: user name, e-mail and organization",
    )
    assert from_set(to_set(model).document, "TEST").document["contributors"] == [make_organization()]


def test_numbers_of_the_registry_come_back_as_such() -> None:
    made = from_set(a_set(), "CDE").document
    data = to_set(FindingModelFull(**made)).document["data"]
    assert (data["id"], [one["id"] for one in data["elements"]]) == ("RDES90", ["RDE901", "RDE902"])
    assert [value["value"] for value in data["elements"][0]["value_set"]["values"]] == [
        "RDE901.0",
        "RDE901.1",
    ]
    own = FindingModelFull(**make_model(1, attributes=[make_choice(10), make_number(11)]))
    assert to_set(own).document["data"]["elements"][0]["id"] == "OIFMA_TEST_000010"
