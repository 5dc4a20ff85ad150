from __future__ import annotations

import pytest

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.lookup import find, find_many, match_field
from tests.search_index import filled, make_records

SHARED = (
    ("nodule", ["speck"], "", []),
    ("speck", ["nodule"], "", []),
    ("focus of unknown kind", ["speck", "nodule"], "", []),
    ("bone island", [], "", []),
)


def found(key: str) -> list[str]:
    return [entry["name"] for entry in run_without_loop(find(filled(make_records(SHARED)), key))]


@pytest.mark.parametrize(
    "key", ["bone island", "BONE  Island", "bone_island", "oifm_test_000004", "OIFM_TEST_000004"]
)
def test_an_entry_is_found_by_name_slug_and_id_in_any_case(key: str) -> None:
    assert found(key) == ["bone island"]


def test_a_key_that_is_a_name_comes_before_one_that_is_a_synonym() -> None:
    assert found("speck") == ["speck", "nodule", "focus of unknown kind"]
    assert found("nodule") == ["nodule", "speck", "focus of unknown kind"]


@pytest.mark.parametrize("key", ["", "  ", "bone", "nodules", ".*", "%"])
def test_text_that_is_not_a_key_finds_nothing(key: str) -> None:
    assert found(key) == []


def test_many_keys_have_the_answers_of_each_alone() -> None:
    store = filled(make_records(SHARED))
    keys = ["Speck", "absent", "speck", "", "bone_island"]
    answers = run_without_loop(find_many(store, keys))
    assert list(answers) == keys
    assert answers == {key: run_without_loop(find(store, key)) for key in keys}


def test_without_keys_the_store_is_not_asked() -> None:
    assert run_without_loop(find_many(filled([]), [])) == {}


def test_the_field_of_a_key_is_reported() -> None:
    entry = make_records(SHARED)[0].entry
    assert [match_field(key, entry) for key in ("oifm_test_000001", "nodule", "speck", "absent")] == [
        "id",
        "name",
        "synonym",
        None,
    ]
    assert match_field("bone_island", make_records(SHARED)[3].entry) == "slug"
