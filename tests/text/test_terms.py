from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.text.terms import BETWEEN, analyze_entry, code_facets, facet, initials


def test_synonyms_are_kept_apart() -> None:
    terms = analyze_entry("Nodule", ["lung nodules", "SPN"], "", [])
    assert terms.synonyms.split(BETWEEN) == ["lung nodul", "spn"]


def test_a_description_that_repeats_the_name_is_left_out() -> None:
    assert analyze_entry("Lung nodule", [], "lung nodules", []).description == ""
    assert analyze_entry("Lung nodule", [], "round", []).description == "round"


def test_tags_and_attributes_are_kept_once_with_the_initials_of_names() -> None:
    terms = analyze_entry("Soft tissue mass", ["deep vein thrombosis"], "", ["chest", "CT", "Chest"])
    assert terms.other.split() == ["chest", "ct", "_stm", "_dvt"]


@pytest.mark.parametrize(
    ("label", "made"),
    [
        ("large vessel occlusion", "_lvo"),
        ("cyst of the lung", ""),
        ("agenesis of the corpus callosum", "_acc"),
        ("T2 dark renal mass", "_tdrm"),
        ("4 mm renal mass", ""),
        ("one two three four five six seven", ""),
        ("", ""),
    ],
)
def test_initials_are_made_of_three_to_six_words(label: str, made: str) -> None:
    assert initials(label) == made


@given(st.text(), st.lists(st.text(), min_size=1), st.text(), st.lists(st.text()))
def test_every_synonym_keeps_its_place(
    name: str, synonyms: list[str], description: str, other: list[str]
) -> None:
    terms = analyze_entry(name, synonyms, description, other)
    assert len(terms.synonyms.split(BETWEEN)) == len(synonyms)
    for field in (terms.name, terms.description, terms.other):
        assert field == " ".join(field.split())


@given(st.sampled_from(["tag", "code", "contributor"]), st.text())
def test_a_facet_has_no_spaces(kind: str, value: str) -> None:
    assert not any(letter == " " for letter in facet(kind, value))


@pytest.mark.parametrize("system", ["SNOMED", "SNOMEDCT", "SNOMED-CT", "snomed ct", "SCT"])
def test_all_names_of_snomed_ct_are_equal(system: str) -> None:
    assert facet("code", f"{system}:123@model") == "code:snomedct:123@model"


def test_code_facets_name_model_attribute_and_value_in_this_order() -> None:
    assert code_facets("RadLex", "RID1301") == (
        "code:radlex:rid1301@model",
        "code:radlex:rid1301@attribute",
        "code:radlex:rid1301@value",
    )
