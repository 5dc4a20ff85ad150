"""Codes that can and cannot be of their system, and units."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.author.lint import codes as rules
from findingmodel.author.lint.codes import has_luhn_digit, has_verhoeff_digit, is_ucum
from findingmodel.author.lint.document import lint_document
from tests.author.lint.samples import as_file, tidy_model


def found(**changes: Any) -> dict[str, str]:
    """The messages about a model, by the code of the rule."""
    return {one.code: one.message for _, one in lint_document(as_file(tidy_model(**changes))).violations}


def about(system: str, code: str) -> str | None:
    """The message about a code; None if it may exist."""
    messages = found(index_codes=[{"system": system, "code": code}])
    return next((text for rule, text in messages.items() if rule.endswith("-code")), None)


@pytest.mark.parametrize(
    ("system", "code"),
    [
        ("SNOMED", "59282003"),
        ("SNOMED", "2667000"),
        ("SNOMED-CT", "705057003"),
        ("SNOMED", "999000011000000103"),  # of an extension: its partition is 10
        ("LOINC", "24627-2"),
        ("LOINC", "LA6751-7"),
        ("LOINC", "LP33022-2"),
        ("RADLEX", "RID4834"),
        ("RadLex", "RPID145"),
        ("GAMUTS", "4312"),
        ("RADELEMENT", "RDES195"),
        ("RADELEMENT", "RDE1301"),
    ],
)
def test_codes_that_exist_are_accepted(system: str, code: str) -> None:
    assert about(system, code) is None


@pytest.mark.parametrize(
    ("system", "code", "reason"),
    [
        ("SNOMED", "59282030", "check digit"),
        ("SNOMED", "69282003", "check digit"),
        ("SNOMED", "059282003", "6 to 18 digits"),
        ("SNOMED", "RID4834", "6 to 18 digits"),
        ("SNOMED", "98764016", "description"),
        ("LOINC", "24627-3", "check digit"),
        ("LOINC", "24627", "hyphen"),
        ("LOINC", "LX6751-7", "hyphen"),
        ("RADLEX", "rid4834", "RID and a number"),
        ("RADLEX", "RID 4834", "RID and a number"),
        ("RADLEX", "4834", "RID and a number"),
        ("GAMUTS", "4312.0", "whole number"),
        ("RADELEMENT", "RDEX195", "RDES"),
    ],
)
def test_impossible_codes_are_refused_with_the_reason(system: str, code: str, reason: str) -> None:
    message = about(system, code)
    assert message is not None
    assert reason in message


@given(st.from_regex("[1-9][0-9]{5,16}", fullmatch=True), st.integers(0, 9))
def test_a_check_digit_finds_every_mistyped_digit_and_swap(number: str, other: int) -> None:
    digit = next(str(one) for one in range(10) if has_verhoeff_digit(f"{number}{one}"))
    whole = number + digit
    for place in range(len(whole)):
        mistyped = f"{whole[:place]}{other}{whole[place + 1 :]}"
        assert has_verhoeff_digit(mistyped) == (mistyped == whole)
    for place in range(len(whole) - 1):
        swapped = f"{whole[:place]}{whole[place + 1]}{whole[place]}{whole[place + 2 :]}"
        assert has_verhoeff_digit(swapped) == (swapped == whole)


@given(st.from_regex("(LA|LP|LL|LG|)[0-9]{1,7}", fullmatch=True))
def test_exactly_one_luhn_digit_is_right(number: str) -> None:
    assert sum(has_luhn_digit(f"{number}{digit}") for digit in range(10)) == 1


def test_a_code_may_be_held_by_several_parts_but_once_by_each() -> None:
    code = {"system": "RADLEX", "code": "RID4834"}
    assert "repeated-code" not in found(index_codes=[code, code | {"code": "RID1301"}])
    messages = found(index_codes=[code, {"system": "RadLex", "code": "RID4834", "display": "the same"}])
    assert messages["repeated-code"].startswith("RadLex RID4834 repeats the code at /index_codes/0")


def test_equal_codes_of_two_systems_do_not_repeat_each_other() -> None:
    codes = [{"system": system, "code": "59282003"} for system in ("A:1", "B:1", "SNOMED")]
    assert found(index_codes=codes).keys() == {"unknown-system"}


@pytest.mark.parametrize(
    ("first", "second", "is_removed"),
    [
        ({}, {}, True),
        ({"display": "one"}, {}, True),
        ({"display": "one"}, {"display": "other"}, False),
        ({}, {"note": ["x"]}, False),
    ],
)
def test_a_repeated_code_is_removed_only_if_it_adds_nothing(
    first: dict[str, str], second: dict[str, str], is_removed: bool
) -> None:
    code = {"system": "RADLEX", "code": "RID4834"}
    model = as_file(tidy_model(index_codes=[code | first, code | second]))
    (found,) = lint_document(model).violations
    assert bool(found[1].edits) == is_removed


@pytest.mark.parametrize(
    "unit", ["mm", "cm3", "mL/(100.g.min)", "%", "1", "{score}", "[hnsf'U]", "ug/dL", "kPa"]
)
def test_units_of_ucum_are_accepted(unit: str) -> None:
    assert is_ucum(unit)


@pytest.mark.parametrize("unit", sorted(rules._SAME))
def test_a_spelling_that_is_corrected_is_no_unit_but_its_correction_is(unit: str) -> None:
    assert is_ucum(rules._SAME[unit])
    assert not is_ucum(unit) or unit == "kpa"


@pytest.mark.parametrize("unit", sorted(rules._CALLED))
def test_the_advice_for_a_unit_that_readers_know_by_another_name_is_a_unit(unit: str) -> None:
    assert is_ucum(rules._CALLED[unit])


@pytest.mark.parametrize(
    ("system", "rule", "is_corrected"),
    [
        ("SNOMED-CT", "system-spelling", True),
        ("sct", "system-spelling", True),
        ("SNOMEDCT_US", "system-spelling", False),
        ("SNOMED:2024", "unknown-system", False),
        ("ICD10", "unknown-system", False),
    ],
)
def test_a_system_is_renamed_only_if_its_name_says_no_more(
    system: str, rule: str, is_corrected: bool
) -> None:
    model = as_file(tidy_model(index_codes=[{"system": system, "code": "59282003"}]))
    (found,) = lint_document(model).violations
    assert (found[1].code, bool(found[1].edits)) == (rule, is_corrected)


def with_unit(unit: str) -> dict[str, str]:
    model = tidy_model()
    model["attributes"][2]["unit"] = unit
    return found(attributes=model["attributes"])


@pytest.mark.parametrize(
    ("unit", "advice"),
    [
        ("Degrees", "write deg"),
        ("mm/year", "write mm/a"),
        ("HU", "write [hnsf'U]"),
        ("per lobe", "{score}"),
        ("x" * 1_000, "{score}"),
    ],
)
def test_the_message_about_a_unit_says_what_to_write(unit: str, advice: str) -> None:
    assert advice in with_unit(unit)["unit-not-ucum"]


def test_spaces_around_a_unit_are_only_spaces() -> None:
    assert with_unit("mm ").keys() == {"spaces"}


def test_without_the_library_units_are_not_judged(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "ucumvert", None)
    rules._parser.cache_clear()
    rules.is_ucum.cache_clear()
    try:
        assert not rules.can_check_units()
        assert with_unit("per lobe") == {}
    finally:
        rules._parser.cache_clear()
        rules.is_ucum.cache_clear()
