"""Attributes: contradictions, the standard ones, and misspelt fields."""

from __future__ import annotations

import json
from typing import Any

import pytest

from findingmodel.author.lint.document import lint_document
from findingmodel.model.draft import PRESENCE_VALUES
from tests.author.lint.samples import CHANGE_VALUES, as_file, make_choice_of, tidy_model


def found(model: dict[str, Any]) -> dict[str, str]:
    """The messages about a model, by the code of the rule."""
    return {one.code: one.message for _, one in lint_document(as_file(model)).violations}


def with_values(place: int, *values: str) -> dict[str, Any]:
    model = tidy_model()
    model["attributes"][place] = make_choice_of(10 + place, model["attributes"][place]["name"], *values)
    return model


@pytest.mark.parametrize(
    "values",
    [
        CHANGE_VALUES,
        CHANGE_VALUES[:4],
        (*CHANGE_VALUES[:4], "worsened", "improved"),
        (*CHANGE_VALUES[:4], "smaller", "larger"),
    ],
)
def test_a_change_has_its_core_and_any_pairs(values: tuple[str, ...]) -> None:
    assert found(with_values(1, *values)) == {}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        (("unchanged", "stable", "new"), "add 'resolved'"),
        ((*CHANGE_VALUES[:4], "larger"), "add 'smaller', the opposite of 'larger'"),
        ((*CHANGE_VALUES[:4], "bigger"), "rename or remove 'bigger'"),
        (("Stable", "new", "resolved", "unchanged"), "add 'stable'; rename or remove 'Stable'"),
    ],
)
def test_what_is_unusual_in_a_change_is_said(values: tuple[str, ...], reason: str) -> None:
    assert found(with_values(1, *values))["change-values"].endswith(f"not standard: {reason}")


def test_presence_has_exactly_its_values_in_any_order() -> None:
    assert found(with_values(0, *reversed(PRESENCE_VALUES))) == {}
    assert "rename or remove 'maybe'" in found(with_values(0, *PRESENCE_VALUES, "maybe"))["presence-values"]
    assert "add 'unknown'" in found(with_values(0, *PRESENCE_VALUES[:3]))["presence-values"]


def test_presence_must_be_a_choice() -> None:
    model = tidy_model()
    model["attributes"][0] = model["attributes"][2] | {"name": "presence", "oifma_id": "OIFMA_TEST_000010"}
    model["attributes"].pop(2)
    assert found(model)["presence-values"].endswith("make it a choice")


def test_only_the_first_attribute_out_of_order_is_reported() -> None:
    model = tidy_model()
    model["attributes"] = model["attributes"][2:] + model["attributes"][:2]
    messages = found(model)
    assert messages.keys() == {"attribute-order"}
    assert messages["attribute-order"].startswith("'presence' is attribute 4: move it to place 1")


def test_without_presence_the_change_comes_first() -> None:
    model = tidy_model()
    del model["attributes"][0]
    assert found(model).keys() == {"missing-presence"}


def test_equal_limits_allow_one_number_and_integers_of_any_size_compare() -> None:
    model = tidy_model()
    model["attributes"][2] |= {"minimum": 3, "maximum": 3.0}
    assert found(model) == {}
    model["attributes"][2] |= {"minimum": 10**30, "maximum": 1e3}
    assert found(model).keys() == {"empty-range"}


@pytest.mark.parametrize(
    ("field", "meant"),
    [
        ("descriptio", "description"),
        ("desription", "description"),
        ("Description", "description"),
        ("max-selected", "max_selected"),
    ],
)
def test_a_misspelt_field_of_an_attribute_is_found(field: str, meant: str) -> None:
    model = tidy_model()
    attribute = model["attributes"][3]
    attribute.pop(meant, None)
    attribute[field] = 2 if meant == "max_selected" else "Where it is"
    assert f"if '{meant}' is meant" in found(model)["misspelt-field"]


def test_a_field_that_is_there_already_is_not_meant() -> None:
    assert found(tidy_model(descriptio="twice")) == {}


def test_fields_of_codes_values_and_contributors_are_compared_with_their_own_names() -> None:
    model = tidy_model()
    model["index_codes"][0]["dsplay"] = "embolism"
    model["attributes"][0]["values"][0]["descripton"] = "not there"
    model["contributors"][0].pop("url")
    model["contributors"][0]["ulr"] = "https://example.org"
    pointers = {one.pointer for _, one in lint_document(as_file(model)).violations}
    assert pointers == {
        "/index_codes/0/dsplay",
        "/attributes/0/values/0/descripton",
        "/contributors/0/ulr",
    }


@pytest.mark.parametrize("document", [[], {}, {"attributes": 7}, {"attributes": [7, {"values": {}}]}, None])
def test_documents_of_any_form_are_survived(document: Any) -> None:
    assert lint_document(json.dumps(document).encode()).violations == ()
