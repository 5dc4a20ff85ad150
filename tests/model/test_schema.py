"""The JSON Schema accepts what the parser accepts of single fields, and refuses what it refuses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from findingmodel import parse_model
from findingmodel.model.schema import json_schema
from tests.builders import make_choice, make_model, make_number, make_person

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "defs"
VALIDATOR = Draft202012Validator(json_schema())


def test_the_schema_is_one_and_has_no_python_in_it() -> None:
    Draft202012Validator.check_schema(json_schema())
    assert ">>>" not in json.dumps(json_schema())


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.fm.json")), ids=lambda path: path.name)
def test_samples_are_valid(path: Path) -> None:
    VALIDATOR.validate(json.loads(path.read_bytes()))


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"unheard_of": 1, "synonyms": None},
        {"replaces": ["OIFM_TEST_000002"], "contributors": [make_person()]},
        {"oifm_id": "OIFM_1"},
        {"name": "abc"},
        {"synonyms": []},
        {"replaces": ["x"]},
        {"attributes": []},
        {"attributes": [make_choice(10, values=make_choice(10)["values"][:1])]},
        {"attributes": [make_choice(10, max_selected=0)]},
        {"attributes": [make_choice(10, description="abc")]},
        {"attributes": [make_choice(10, name="x" * 101)]},
        {"attributes": [make_choice(10, type="colour")]},
        {"attributes": [make_choice(10, type=...)]},
        {"attributes": [make_number(11, minimum="3")]},
        {"attributes": [make_number(11, required="yes")]},
        {"contributors": [make_person(email="nobody")]},
        {"contributors": [make_person(organization_code="abcd")]},
        {"index_codes": [{"system": "RX", "code": "123"}]},
        {"description": ...},
    ],
    ids=str,
)
def test_the_schema_agrees_with_the_parser(changes: dict[str, Any]) -> None:
    model = make_model(1, **changes)
    assert VALIDATOR.is_valid(model) == (parse_model(json.dumps(model).encode()).model is not None)
