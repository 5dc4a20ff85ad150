"""Each broken rule has a place, a code and a message."""

from __future__ import annotations

import json
from typing import Any

import pytest

from findingmodel import Organization, Person, parse_model
from findingmodel.model.rules import MOST_LISTED
from tests.builders import (
    make_choice,
    make_model,
    make_number,
    make_organization,
    make_person,
    model_bytes,
)


def places(data: bytes) -> list[tuple[str, str]]:
    return [(found.pointer, found.code) for found in parse_model(data).problems]


def with_choice(**changes: Any) -> dict[str, Any]:
    return {"attributes": [make_choice(**changes)]}


def with_number(**changes: Any) -> dict[str, Any]:
    return {"attributes": [make_number(**changes)]}


VALUE = {"value_code": "OIFMA_TEST_000010.9", "name": "stable"}
INFINITE = float("inf")

BROKEN_CONTENT = [
    ({"oifm_id": ...}, "/oifm_id", "missing"),
    ({"name": ...}, "/name", "missing"),
    ({"description": ...}, "/description", "missing"),
    ({"attributes": ...}, "/attributes", "missing"),
    ({"oifm_id": "OIFM_TEST_12345"}, "/oifm_id", "wrong-format"),
    ({"oifm_id": "OIFM_TEST_123456\n"}, "/oifm_id", "wrong-format"),
    ({"oifm_id": "OIFM_TEST_12345\u0663"}, "/oifm_id", "wrong-format"),
    ({"oifm_id": 7}, "/oifm_id", "wrong-type"),
    ({"name": "cyst"}, "/name", "too-short"),
    ({"name": None}, "/name", "wrong-type"),
    ({"description": "mass"}, "/description", "too-short"),
    ({"synonyms": []}, "/synonyms", "too-few"),
    ({"synonyms": "PN"}, "/synonyms", "wrong-type"),
    ({"synonyms": ["PN", 5]}, "/synonyms/1", "wrong-type"),
    ({"tags": []}, "/tags", "too-few"),
    ({"tags": [None]}, "/tags/0", "wrong-type"),
    ({"attributes": []}, "/attributes", "too-few"),
    ({"attributes": {}}, "/attributes", "wrong-type"),
    ({"attributes": [5]}, "/attributes/0", "wrong-type"),
    ({"index_codes": []}, "/index_codes", "too-few"),
    ({"index_codes": [{"system": "ICD", "code": "1"}]}, "/index_codes/0/code", "too-short"),
    ({"index_codes": [{"system": "IC", "code": "100"}]}, "/index_codes/0/system", "too-short"),
    ({"index_codes": [{"code": "100"}]}, "/index_codes/0/system", "missing"),
    (
        {"index_codes": [{"system": "ICD", "code": "100", "display": ""}]},
        "/index_codes/0/display",
        "too-short",
    ),
    ({"contributors": {}}, "/contributors", "wrong-type"),
    ({"contributors": ["me"]}, "/contributors/0", "wrong-type"),
    ({"contributors": [make_organization(code="test")]}, "/contributors/0/code", "wrong-format"),
    ({"contributors": [make_organization(name="TRG")]}, "/contributors/0/name", "too-short"),
    ({"contributors": [make_organization(url="ftp://example.org")]}, "/contributors/0/url", "wrong-format"),
    ({"contributors": [make_organization(url="example.org")]}, "/contributors/0/url", "wrong-format"),
    (
        {"contributors": [make_organization(url="https://e.org/" + "a" * 2083)]},
        "/contributors/0/url",
        "too-long",
    ),
    ({"contributors": [make_person(email=...)]}, "/contributors/0/email", "missing"),
    ({"contributors": [make_person(email="reader")]}, "/contributors/0/email", "wrong-format"),
    ({"contributors": [make_person(email="a b@example.org")]}, "/contributors/0/email", "wrong-format"),
    (
        {"contributors": [make_person(organization_code="TESTS")]},
        "/contributors/0/organization_code",
        "wrong-format",
    ),
    ({"contributors": [make_person(github_username="me")]}, "/contributors/0/github_username", "too-short"),
    (with_choice(type=...), "/attributes/0/type", "missing"),
    (with_choice(type=None), "/attributes/0/type", "unknown-type"),
    (with_choice(type="text"), "/attributes/0/type", "unknown-type"),
    (with_choice(oifma_id=...), "/attributes/0/oifma_id", "missing"),
    (with_choice(oifma_id="OIFM_TEST_000010"), "/attributes/0/oifma_id", "wrong-format"),
    (with_choice(oifma_id=..., choice={"oifma_id": 1}), "/attributes/0/oifma_id", "missing"),
    (with_choice(name="T1"), "/attributes/0/name", "too-short"),
    (with_choice(name="a" * 101), "/attributes/0/name", "too-long"),
    (with_choice(description="size"), "/attributes/0/description", "too-short"),
    (with_choice(description="a" * 501), "/attributes/0/description", "too-long"),
    (with_choice(values=...), "/attributes/0/values", "missing"),
    (with_choice(values=[VALUE]), "/attributes/0/values", "too-few"),
    (with_choice(values=[VALUE, 5]), "/attributes/0/values/1", "wrong-type"),
    (
        with_choice(values=[VALUE, VALUE | {"value_code": "9"}]),
        "/attributes/0/values/1/value_code",
        "wrong-format",
    ),
    (with_choice(required="yes"), "/attributes/0/required", "wrong-type"),
    (with_choice(required=None), "/attributes/0/required", "wrong-type"),
    (with_choice(max_selected=0), "/attributes/0/max_selected", "too-small"),
    (with_choice(max_selected="every"), "/attributes/0/max_selected", "wrong-type"),
    (with_choice(max_selected=True), "/attributes/0/max_selected", "wrong-type"),
    (with_number(minimum="1"), "/attributes/0/minimum", "wrong-type"),
    (with_number(maximum=True), "/attributes/0/maximum", "wrong-type"),
    (with_number(unit=5), "/attributes/0/unit", "wrong-type"),
    (with_number(minimum=float("nan")), "/attributes/0/minimum", "not-finite"),
    (with_number(maximum=-INFINITE), "/attributes/0/maximum", "not-finite"),
    (with_number(unit=INFINITE), "/attributes/0/unit", "not-finite"),
    ({"extension": {"a/b": [1, INFINITE]}}, "/extension/a~1b/1", "not-finite"),
    ({"extension": {"a\0": 1}}, "/extension/a\0", "nul-character"),
    ({"extension": ["\0"]}, "/extension/0", "nul-character"),
    ({"name": "pulmonary\0nodule"}, "/name", "nul-character"),
    ({"\0": 1}, "/\0", "nul-character"),
    ({"attributes": [make_choice(), make_number(10)]}, "/attributes/1/oifma_id", "duplicate-attribute-id"),
    (with_choice(values=[VALUE, VALUE]), "/attributes/0/values/1/value_code", "duplicate-value-code"),
]


@pytest.mark.parametrize(("changes", "pointer", "code"), BROKEN_CONTENT)
def test_each_broken_rule_has_its_place_and_its_code(
    changes: dict[str, Any], pointer: str, code: str
) -> None:
    assert places(json.dumps(make_model(**changes)).encode()) == [(pointer, code)]


@pytest.mark.parametrize("number", [b"1e999", b"-1E999", b"NaN", b"Infinity", b"-Infinity"])
def test_numbers_that_are_not_finite_are_found_in_bounds_and_in_unknown_fields(number: bytes) -> None:
    assert places(model_bytes().replace(b"30.5", number)) == [("/attributes/1/maximum", "not-finite")]
    assert places(model_bytes()[:-1] + b', "unknown": ' + number + b"}") == [("/unknown", "not-finite")]


@pytest.mark.parametrize("escape", [rb"\ud800", rb"\uDFFF", rb"\ud83d\u0041", rb"\ud800\ud800"])
def test_lone_surrogates_are_found_in_text_and_in_keys(escape: bytes) -> None:
    assert places(model_bytes().replace(b"rounded", escape)) == [("/description", "lone-surrogate")]
    key = model_bytes()[:-1] + b', "key ' + escape + b'": 1}'
    assert [code for _, code in places(key)] == ["lone-surrogate"]


def test_an_escaped_backslash_before_ud800_is_not_a_surrogate() -> None:
    data = model_bytes(description=r"written as \ud800").replace(b"chest", rb"\u0041\ude00")
    assert places(data) == [("/tags/1", "lone-surrogate")]


@pytest.mark.parametrize(
    ("number", "shown"), [("1e999", "Infinity"), ("-1e999", "-Infinity"), ("NaN", "NaN")]
)
def test_a_number_that_is_not_finite_is_shown_as_json_writes_it(number: str, shown: str) -> None:
    (problem,) = parse_model(model_bytes().replace(b"30.5", number.encode())).problems
    assert problem.message.endswith(f"found {shown}")


def test_all_problems_of_a_file_are_listed_in_its_order() -> None:
    data = model_bytes(
        oifm_id="OIFM",
        synonyms=["\0", 3],
        attributes=[make_number(maximum="9", name=...), make_number(minimum=INFINITE), make_choice()],
        contributors=[make_person(email="nobody", name=...)],
        extension=INFINITE,
        zoom=1,
    )
    assert places(data) == [
        ("/oifm_id", "wrong-format"),
        ("/synonyms/0", "nul-character"),
        ("/synonyms/1", "wrong-type"),
        ("/contributors/0/name", "missing"),
        ("/contributors/0/email", "wrong-format"),
        ("/attributes/0/name", "missing"),
        ("/attributes/0/maximum", "wrong-type"),
        ("/attributes/1/oifma_id", "duplicate-attribute-id"),
        ("/attributes/1/minimum", "not-finite"),
        ("/extension", "not-finite"),
    ]
    assert [found.pointer for found in parse_model(data).warnings] == ["/extension", "/zoom"]


def test_a_person_gets_no_problems_of_an_organization() -> None:
    problems = parse_model(model_bytes(contributors=[{"github_username": "reader"}])).problems
    assert [found.pointer for found in problems] == [
        "/contributors/0/email",
        "/contributors/0/name",
        "/contributors/0/organization_code",
    ]


@pytest.mark.parametrize("person", [True, False])
def test_a_contributor_with_a_code_is_an_organization_unless_it_has_all_fields_of_a_person(
    person: bool,
) -> None:
    fields = make_person() if person else make_organization(email="office@example.org")
    model = parse_model(model_bytes(contributors=[fields | {"code": "TEST"}])).model
    assert model is not None
    assert model.contributors is not None
    assert isinstance(model.contributors[0], Person if person else Organization)


def test_messages_show_the_rule_and_the_content() -> None:
    data = model_bytes(oifm_id="OIFM\n\x1b", description="mass", attributes=[make_choice(max_selected=[1])])
    assert [found.message for found in parse_model(data).problems] == [
        r"must be an id such as OIFM_ABCD_123456, three or four letters and six digits; found 'OIFM\n\x1b'",
        "must have at least 5 characters; found 'mass'",
        "must be a whole number; found a list of 1",
    ]


def test_a_duplicate_names_the_place_of_the_other() -> None:
    (problem,) = parse_model(model_bytes(attributes=[make_choice(), make_number(10)])).problems
    assert "/attributes/0/oifma_id" in problem.message
    assert "'OIFMA_TEST_000010'" in problem.message


def test_numbers_of_any_length_can_be_shown() -> None:
    (problem,) = parse_model(model_bytes(name=10**4000)).problems
    assert problem.message == "must be text in quotes; found a number of 13288 bits"


@pytest.mark.parametrize("unknown", [True, False])
def test_very_many_problems_are_counted_but_not_all_listed(unknown: bool) -> None:
    many = {f"x{n}": n for n in range(1500)} if unknown else {"synonyms": [1] * 1500}
    parsed = parse_model(model_bytes(**many))
    found = parsed.warnings if unknown else parsed.problems
    assert len(found) == MOST_LISTED + 1
    assert found[-1].code == "many-problems"
    assert "1,500" in found[-1].message


def test_a_file_of_too_many_values_is_refused_before_validation() -> None:
    assert places(b'{"synonyms": [' + b"1," * 300_000 + b"1]}") == [("", "too-big")]


def test_a_large_text_is_not_counted_as_many_values() -> None:
    assert places(model_bytes(description="a" * 300_000)) == []
    assert places(model_bytes(description="a," * 300_000)) == []
    assert places(b'{"a": "' + b"," * 300_000) == [("", "not-json")]
