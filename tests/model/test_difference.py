"""Differences between two versions of a model."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.model.difference import differences
from tests.builders import make_choice, make_model, make_number, make_person

FIELDS = st.sampled_from(["name", "values", "attributes", "oifma_id", "value_code"])
JSON = st.recursive(
    st.sampled_from([None, True, False, 0, 1, 2, 0.5, 1.0, "", "a", "b"]),
    lambda values: st.lists(values, max_size=3) | st.dictionaries(FIELDS, values, max_size=3),
    max_leaves=8,
)
FILES = st.dictionaries(
    st.sampled_from(["name", "tags", "attributes", "contributors", "x"]), JSON, max_size=3
)


def described(old: Any, new: Any) -> list[str]:
    return [f"{one.kind} {one.place}" for one in differences(old, new)]


def changed(*path: Any, to: Any) -> dict[str, Any]:
    """`make_model` with one value changed, at *path*."""
    model = make_model()
    place: Any = model
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = to
    return model


@given(FILES)
def test_nothing_differs_from_itself(file: dict[str, Any]) -> None:
    assert differences(file, copy.deepcopy(file)) == []


def same(value: Any) -> str:
    """A text that equal JSON values share: 1 and 1.0 are equal, 1 and true are not."""
    return json.dumps(value, sort_keys=True).replace("1.0", "1")


@given(FILES, FILES)
def test_something_differs_unless_the_files_are_equal(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (differences(old, new) == []) == (same(old) == same(new))


@given(FILES, FILES)
def test_additions_one_way_are_removals_the_other_way(old: dict[str, Any], new: dict[str, Any]) -> None:
    swapped = {"added": "removed", "removed": "added"}
    there, back = differences(old, new), differences(new, old)
    assert sorted(swapped.get(one.kind, one.kind) for one in there) == sorted(one.kind for one in back)


@given(FILES)
def test_the_order_of_fields_and_the_form_of_numbers_do_not_matter(file: dict[str, Any]) -> None:
    def other_form(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: other_form(item) for key, item in reversed(value.items())}
        if isinstance(value, list):
            return list(map(other_form, value))
        return float(value) if isinstance(value, int) and not isinstance(value, bool) else value

    assert differences(file, other_form(file)) == []


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        (changed("name", to="nodule"), "changed name"),
        (changed("synonyms", to=...), "changed synonyms"),
        (changed("attributes", 0, "name", to="edge"), "changed attributes[edge].name"),
        (
            changed("attributes", 0, "values", 1, "description", to="wavy"),
            "changed attributes[margin].values[lobulated].description",
        ),
        (changed("attributes", 1, "maximum", to=40), "changed attributes[diameter].maximum"),
        (make_model(note="new"), "added note"),
        (make_model(tags=...), "removed tags"),
    ],
)
def test_a_change_has_its_place(new: dict[str, Any], expected: str) -> None:
    if new.get("synonyms") is ...:
        new["synonyms"] = "no list"
    assert described(make_model(), new) == [expected]


def test_attributes_are_matched_by_id() -> None:
    first, second = make_choice(10), make_number(11)
    old = make_model(attributes=[first, second])
    renamed = {**second, "name": "size"}
    (moved, rename) = sorted(
        differences(old, make_model(attributes=[renamed, first])), key=lambda one: one.kind, reverse=True
    )
    assert (moved.kind, moved.old, moved.new) == ("reordered", ["margin", "diameter"], ["size", "margin"])
    assert rename == ("attributes[size].name", "changed", "diameter", "size")


def test_an_attribute_with_a_new_id_is_a_new_attribute() -> None:
    old, new = make_model(attributes=[make_choice(10)]), make_model(attributes=[make_choice(12)])
    assert described(old, new) == ["removed attributes", "added attributes"]


def test_items_without_ids_are_matched_by_value() -> None:
    old, new = {"tags": ["CT", "CT", "MR"]}, {"tags": ["MR", "CT", "US"]}
    assert [(one.kind, one.old, one.new) for one in differences(old, new)] == [
        ("removed", "CT", None),
        ("added", None, "US"),
        ("reordered", ["CT", "MR"], ["MR", "CT"]),
    ]


def test_a_contributor_with_a_new_address_is_the_same_contributor() -> None:
    old = make_model(contributors=[make_person()])
    new = make_model(contributors=[make_person(email="other@example.org")])
    assert described(old, new) == ["changed contributors[Test Reader].email"]


def test_true_is_not_one() -> None:
    assert described({"x": True}, {"x": 1}) == ["changed x"]
    assert described({"x": [[True]]}, {"x": [[1]]}) != []
    assert described({"x": 1}, {"x": 1.0}) == []
