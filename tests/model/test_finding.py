"""The classes of finding models: construction, dumps, copies, and new ids."""

from __future__ import annotations

import copy
import json
import pickle
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from findingmodel import (
    AttributeType,
    ChoiceAttribute,
    ChoiceAttributeIded,
    ChoiceValue,
    FindingModelBase,
    FindingModelFull,
    IndexCode,
    NumericAttribute,
    NumericAttributeIded,
    Organization,
    Person,
    add_ids,
    generate_oifm_id,
    generate_oifma_id,
    parse_model,
)
from findingmodel.errors import ConfigError
from findingmodel.model.rules import ATTRIBUTE_ID_PATTERN, FINDING_ID_PATTERN
from tests.builders import make_choice, make_model, make_number, make_organization, make_person, model_bytes

ORDER = [
    *("oifm_id", "name", "description", "synonyms", "tags"),
    *("replaces", "contributors", "attributes", "index_codes"),
]


def make_draft(**changes: Any) -> FindingModelBase:
    draft = {
        "name": "hepatic steatosis",
        "description": "Fat in the liver cells.",
        "attributes": [
            {"name": "severity", "type": "choice", "values": [{"name": "mild"}, {"name": "severe"}]},
            {"name": "fat fraction", "type": "numeric", "minimum": 0, "maximum": 50, "unit": "%"},
        ],
    }
    return FindingModelBase.model_validate(draft | changes)


def test_models_are_constructed_from_keyword_arguments() -> None:
    model = FindingModelFull(**make_model())
    assert isinstance(model.attributes[0], ChoiceAttributeIded)
    assert isinstance(model.attributes[1], NumericAttributeIded)
    assert isinstance(FindingModelFull(**make_model(contributors=[make_person()])).contributors[0], Person)


def test_models_are_constructed_from_objects_of_their_parts() -> None:
    attributes = [ChoiceAttributeIded(**make_choice()), NumericAttributeIded(**make_number())]
    contributors = [Organization(**make_organization()), Person(**make_person())]
    model = FindingModelFull(**make_model(attributes=attributes, contributors=contributors))
    assert model.attributes == attributes
    assert model.contributors == contributors


def test_a_dump_has_the_fields_in_the_order_of_the_files() -> None:
    dumped = FindingModelFull(**make_model()).model_dump(mode="json", exclude_unset=True)
    assert dumped == make_model()
    assert list(dumped) == [name for name in ORDER if name != "replaces"]
    for made, attribute in zip(make_model()["attributes"], dumped["attributes"], strict=True):
        assert list(attribute) == list(made)


@pytest.mark.parametrize("url", ["https://Example.org", "HTTP://example.org/a%20b", None])
def test_addresses_keep_their_text(url: str | None) -> None:
    person = Person(**make_person(url=url, email="First.Last@Example.ORG"))
    assert (person.url, person.email) == (url, "First.Last@Example.ORG")


def test_codes_and_contributors_are_values() -> None:
    code = IndexCode(system="RADLEX", code="RID50149")
    assert len({code, IndexCode(system="RADLEX", code="RID50149")}) == 1
    with pytest.raises(ValidationError, match="frozen"):
        code.code = "RID1"
    with pytest.raises(ValidationError, match="frozen"):
        Organization(**make_organization()).name = "Another Group"


def test_finding_models_can_be_edited_copied_and_pickled() -> None:
    model = parse_model(model_bytes()).model
    assert model is not None
    model.synonyms = ["coin lesion"]
    for other in (copy.deepcopy(model), pickle.loads(pickle.dumps(model)), model.model_copy()):
        assert other == model
    assert json.loads(model.model_dump_json())["synonyms"] == ["coin lesion"]


def test_codes_are_shown_in_one_line() -> None:
    code = IndexCode(system="RADLEX", code="RID50149", display="pulmonary nodule")
    assert str(code) == "RADLEX RID50149 pulmonary nodule"
    model = FindingModelFull(**make_model(index_codes=[code, IndexCode(system="SNOMED", code="427359005")]))
    assert model.index_codes_str == "RADLEX RID50149 pulmonary nodule; SNOMED 427359005"
    assert model.attributes[0].index_codes_str is None
    assert model.attributes[0].values[2].index_codes_str == "RADLEX RID5713 spiculated margin"


def test_types_of_attributes_are_enum_members_and_strings() -> None:
    attribute = NumericAttributeIded(**make_number())
    assert attribute.type is AttributeType.NUMERIC
    assert attribute.type == "numeric"
    assert NumericAttribute(name="size").type is AttributeType.NUMERIC


@pytest.mark.parametrize(("limit", "count"), [("all", 3), (2, 2), (3, 3), (99, 3), (None, 1)])
def test_a_draft_may_allow_all_values(limit: Any, count: int) -> None:
    values = [ChoiceValue(name=name) for name in ("left", "right", "both")]
    assert ChoiceAttribute(name="side", values=values, max_selected=limit).max_selected == count


@pytest.mark.parametrize("limit", [0, "most", 1.5, True, ["all"]])
def test_a_draft_with_an_invalid_limit_is_refused(limit: Any) -> None:
    values = [ChoiceValue(name="left"), ChoiceValue(name="right")]
    with pytest.raises(ValidationError, match="max_selected"):
        ChoiceAttribute(name="side", values=values, max_selected=limit)


def test_invalid_values_of_a_draft_are_the_only_error() -> None:
    with pytest.raises(ValidationError) as caught:
        ChoiceAttribute.model_validate({"name": "side", "values": [], "max_selected": 1})
    assert [error["loc"] for error in caught.value.errors()] == [("values",)]


def test_add_ids_assigns_ids_and_value_codes() -> None:
    model = add_ids(make_draft(), "test")
    assert re.fullmatch(FINDING_ID_PATTERN, model.oifm_id)
    severity, fraction = model.attributes
    assert re.fullmatch(ATTRIBUTE_ID_PATTERN, severity.oifma_id)
    assert severity.oifma_id != fraction.oifma_id
    assert [value.value_code for value in severity.values] == [
        f"{severity.oifma_id}.0",
        f"{severity.oifma_id}.1",
    ]
    assert parse_model(model.model_dump_json().encode()).model == model


def test_add_ids_keeps_existing_ids() -> None:
    draft = FindingModelBase.model_validate(make_model())
    assert add_ids(draft, "ABC") == FindingModelFull(**make_model())


def test_add_ids_assigns_no_id_in_use() -> None:
    class AllButSevens:
        def __contains__(self, new_id: str) -> bool:
            return not new_id.endswith("7")

    model = add_ids(make_draft(), "TEST", taken=AllButSevens())
    assert {given[-1] for given in (model.oifm_id, *(a.oifma_id for a in model.attributes))} == {"7"}


@given(st.from_regex(r"\A[A-Za-z]{3,4}\Z"))
def test_new_ids_match_the_pattern(source: str) -> None:
    assert re.fullmatch(FINDING_ID_PATTERN, generate_oifm_id(source))
    assert re.fullmatch(ATTRIBUTE_ID_PATTERN, generate_oifma_id(source))


@pytest.mark.parametrize("source", ["", "AB", "ABCDE", "AB1", "ÄBC", "ABC\n", "ßx"])
def test_invalid_sources_are_refused(source: str) -> None:
    with pytest.raises(ConfigError, match="three or four letters"):
        generate_oifm_id(source)


def test_the_json_schema_can_be_made() -> None:
    schema = FindingModelFull.model_json_schema()
    assert list(schema["properties"]) == ORDER
    assert schema["required"] == ["oifm_id", "name", "description", "attributes"]
