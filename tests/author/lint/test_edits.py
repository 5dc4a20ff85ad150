"""Edits: they change their place, and nothing else."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.author.lint.edits import MoveItem, Remove, RenameField, SetValue, apply_edits
from tests.author.lint.samples import as_file, tidy_model


def after(model: dict[str, Any], *edits: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(apply_edits(as_file(model), edits))
    return document


def test_pointers_refer_to_the_file_as_it_was() -> None:
    model = tidy_model(tags=["a", "b", "c", "d"])
    edits = [Remove("/tags/0"), SetValue("/tags/1", "B"), Remove("/tags/2"), SetValue("/tags/3", "D")]
    assert after(model, *edits) == model | {"tags": ["B", "D"]}


def test_the_last_item_takes_its_list_with_it() -> None:
    model = tidy_model(synonyms=["PE"])
    assert after(model, Remove("/synonyms/0")) == {k: v for k, v in model.items() if k != "synonyms"}


def test_a_field_is_renamed_with_everything_in_it() -> None:
    model = tidy_model() | {"extra": {"a/b~c": [1.50, 10**30]}}
    renamed = apply_edits(as_file(model), [RenameField("/extra/a~1b~0c", "new")])
    assert b"1.5" in renamed
    assert json.loads(renamed)["extra"] == {"new": [1.5, 10**30]}


def test_numbers_keep_their_digits() -> None:
    data = as_file(tidy_model()).replace(b'"maximum": 30.5', b'"maximum": 30.5000')
    assert b'"maximum": 30.5000' in apply_edits(data, [SetValue("/name", "other name")])


def test_an_item_is_moved_only_when_nothing_else_changes() -> None:
    model = tidy_model()
    names = [one["name"] for one in model["attributes"]]
    move = MoveItem("/attributes/3", 0)
    assert [one["name"] for one in after(model, move)["attributes"]] == [names[3], *names[:3], names[4]]
    assert after(model, move, SetValue("/name", "other")) == model | {"name": "other"}


def test_of_repeated_fields_the_last_is_changed() -> None:
    data = as_file(tidy_model()).replace(b'"name": "pulm', b'"name": "first", "name": "pulm', 1)
    assert json.loads(apply_edits(data, [SetValue("/name", "other")]))["name"] == "other"


@given(st.sets(st.integers(0, 9)), st.sets(st.integers(0, 9)))
def test_any_mixture_of_removals_and_changes(removed: set[int], set_to: set[int]) -> None:
    model = tidy_model(tags=[f"tag {number}" for number in range(10)])
    edits = [Remove(f"/tags/{n}") for n in removed]
    edits += [SetValue(f"/tags/{n}", f"new {n}") for n in set_to - removed]  # type: ignore[misc]
    expected = [f"new {n}" if n in set_to else f"tag {n}" for n in range(10) if n not in removed]
    assert after(model, *edits).get("tags", []) == expected


@pytest.mark.parametrize("pointer", ["/absent", "/tags/9", "/absent/0"])
def test_a_place_that_does_not_exist_is_an_error(pointer: str) -> None:
    with pytest.raises(LookupError):
        apply_edits(as_file(tidy_model()), [SetValue(pointer, "x")])
