"""Parsing: any bytes become a finding model, or problems with a place, a code and a message."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel import Parsed, parse_model
from findingmodel.model.rules import SENTENCES
from tests.builders import (
    make_choice,
    make_model,
    make_number,
    make_person,
    model_bytes,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


def places(data: bytes) -> list[tuple[str, str]]:
    parsed = parse_model(data)
    assert (parsed.model is None) == bool(parsed.problems)
    return [(found.pointer, found.code) for found in parsed.problems]


def warned(data: bytes) -> list[tuple[str, str]]:
    return [(found.pointer, found.code) for found in parse_model(data).warnings]


def resolve(document: Any, pointer: str) -> Any:
    for step in pointer.split("/")[1:]:
        key = step.replace("~1", "/").replace("~0", "~")
        document = document[int(key)] if isinstance(document, list) else document[key]
    return document


# valid files


def test_a_valid_file_has_no_problems_and_no_warnings() -> None:
    parsed = parse_model(model_bytes(7))
    assert parsed.problems == parsed.warnings == ()
    assert parsed.model is not None
    assert parsed.model.oifm_id == "OIFM_TEST_000007"
    assert [attribute.type for attribute in parsed.model.attributes] == ["choice", "numeric"]


@pytest.mark.parametrize("field", ["synonyms", "tags", "contributors", "index_codes"])
def test_optional_fields_may_be_absent_or_null(field: str) -> None:
    assert places(model_bytes(**{field: ...})) == places(model_bytes(**{field: None})) == []


def test_a_byte_order_mark_is_accepted_with_a_warning() -> None:
    parsed = parse_model(b"\xef\xbb\xbf" + model_bytes())
    assert parsed.model == parse_model(model_bytes()).model
    assert [found.code for found in parsed.warnings] == ["bom"]


def test_unknown_fields_are_kept_and_warned_about_wherever_they_are() -> None:
    choice = make_choice(choice={"deep": [1]}, **{"a/b~c": 1})
    person = make_person(person="kept")
    data = model_bytes(attributes=[choice, make_number(colour="red")], contributors=[person], numeric=None)
    assert sorted(warned(data)) == [
        ("/attributes/0/a~1b~0c", "unknown-field"),
        ("/attributes/0/choice", "unknown-field"),
        ("/attributes/1/colour", "unknown-field"),
        ("/contributors/0/person", "unknown-field"),
        ("/numeric", "unknown-field"),
    ]
    model = parse_model(data).model
    assert model is not None
    assert json.loads(model.model_dump_json(exclude_unset=True)) == json.loads(data)


def test_unknown_fields_may_have_names_of_methods() -> None:
    model = parse_model(model_bytes(model_dump=1, as_markdown=2, __class__=3)).model
    assert model is not None
    assert model.as_markdown().startswith("# Pulmonary nodule")
    assert model.model_dump()["as_markdown"] == 2


@given(
    JSON.filter(
        lambda value: "nan" not in (text := repr(value)) and "inf" not in text and r"\x00" not in text
    )
)
def test_unknown_fields_survive_load_dump_and_load(extra: Any) -> None:
    parsed = parse_model(model_bytes(extension=extra))
    assert parsed.model is not None
    again = parse_model(parsed.model.model_dump_json().encode())
    assert again.model == parsed.model
    assert again.model is not None
    assert again.model.model_dump()["extension"] == extra


@pytest.mark.parametrize("huge", [2**63, -(2**64), 10**300])
def test_integers_beyond_64_bits_survive(huge: int) -> None:
    data = model_bytes(attributes=[make_number(minimum=huge, maximum=None)], huge=[huge])
    model = parse_model(data).model
    assert model is not None
    assert json.loads(model.model_dump_json(exclude_unset=True)) == json.loads(data)


def test_whole_and_broken_numbers_stay_what_they_are() -> None:
    model = parse_model(model_bytes(attributes=[make_number(minimum=3, maximum=3.0)])).model
    assert model is not None
    assert '"minimum":3,"maximum":3.0,' in model.model_dump_json()


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    assert places(model_bytes(description=r"written as \u0000 in a text about escapes")) == []


def test_a_pair_of_surrogates_is_one_character() -> None:
    model = parse_model(model_bytes().replace(b"rounded", rb"\ud83e\udec1 rounded")).model
    assert model is not None
    assert "\U0001fac1 rounded" in model.description


# broken bytes

BROKEN_BYTES = [
    pytest.param(b"", "", "empty", id="empty"),
    pytest.param(b" \n\t\r", "", "empty", id="white-space"),
    pytest.param(b"\xef\xbb\xbf", "", "empty", id="only-a-bom"),
    pytest.param(b'{"name": "caf\xe9"}', "", "not-utf8", id="latin-1"),
    pytest.param('{"name": "cyst"}'.encode("utf-16"), "", "not-utf8", id="utf-16"),
    pytest.param(b'{"a": "\xed\xa0\x80"}', "", "not-utf8", id="surrogate-in-utf-8"),
    pytest.param('{"name": "cyst"}'.encode("utf-16-le"), "", "not-json", id="utf-16-without-bom"),
    pytest.param(b'{"name": "cyst",}', "", "not-json", id="trailing-comma"),
    pytest.param(b'{"name": "cyst"', "", "not-json", id="cut-short"),
    pytest.param(model_bytes() + b"}", "", "not-json", id="text-after-the-end"),
    pytest.param(b"// comment\n{}", "", "not-json", id="comment"),
    pytest.param(b'{"name": nan}', "", "not-json", id="nan-in-lower-case"),
    pytest.param(b'{"name": "\\ud800", }', "", "not-json", id="surrogate-and-broken"),
    pytest.param(b"[]", "", "not-object", id="list"),
    pytest.param(b"null", "", "not-object", id="null"),
    pytest.param(b'"cyst"', "", "not-object", id="string"),
    pytest.param(b"NaN", "", "not-finite", id="only-nan"),
    pytest.param(b"[" * 10_000 + b"]" * 10_000, "", "too-deep", id="deep-list"),
    pytest.param(b'{"a":' * 10_000 + b"1" + b"}" * 10_000, "", "too-deep", id="deep-object"),
    pytest.param(b"[" * 100_000, "", "too-deep", id="deep-and-cut-short"),
    pytest.param(b'{"n": 1' + b"0" * 5000 + b"}", "", "number-too-long", id="5001-digits"),
]


@pytest.mark.parametrize(("data", "pointer", "code"), BROKEN_BYTES)
def test_bytes_that_are_not_a_json_object_are_one_problem(data: bytes, pointer: str, code: str) -> None:
    assert places(data) == [(pointer, code)]


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_an_unknown_field_that_is_too_deep_is_refused(opening: bytes) -> None:
    closing = b"]" if opening == b"[" else b"}"
    data = model_bytes()[:-1] + b', "extension": ' + opening * 10_000 + b"1" + closing * 10_000 + b"}"
    assert places(data) == [("", "too-deep")]


def test_the_maximum_depth_can_be_set() -> None:
    def parsed(depth: int, most: int) -> Parsed:
        data = model_bytes()[:-1] + b', "extension": ' + b"[" * (depth - 1) + b"]" * (depth - 1) + b"}"
        return parse_model(data, max_nesting=most)

    assert parsed(30, 30).model is not None
    (problem,) = parsed(31, 30).problems
    assert (problem.pointer, problem.code) == ("/extension" + "/0" * 29, "too-deep")
    assert "more than 30 deep" in problem.message
    assert parse_model(model_bytes(), max_nesting=10).model is not None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b'{"name": "caf\xe9"}', "byte 0xE9 at offset 13"),
        (b'\xef\xbb\xbf{"name": "caf\xe9"}', "byte 0xE9 at offset 16"),
        ('{\n  "näme": "é" x}'.encode(), "line 2, column 15"),
        (b"[" * 300, "line 1, column 202"),
        (b'{"name": "cyst"', "EOF while parsing an object"),
        (b"[1, 2]", "found a list of 2"),
        (b'"' + b"a" * 99 + b'"', "found '" + "a" * 60 + "'…"),
        (b"true", "found true"),
    ],
)
def test_messages_name_place_and_content(data: bytes, message: str) -> None:
    assert message in parse_model(data).problems[0].message


# any bytes


@given(st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_a_problem_and_not_an_exception(data: bytes) -> None:
    assert places(data)


@given(st.data())
def test_any_change_of_a_byte_leaves_a_model_or_problems(data: st.DataObject) -> None:
    good = model_bytes()
    at = data.draw(st.integers(0, len(good) - 1))
    changed = good[:at] + data.draw(st.binary(max_size=2)) + good[at + data.draw(st.integers(0, 2)) :]
    parsed = parse_model(changed)
    assert (parsed.model is None) == bool(parsed.problems)
    assert {found.code for found in (*parsed.problems, *parsed.warnings)} <= set(SENTENCES)


@given(st.dictionaries(st.sampled_from([*make_model(), "choice", "a/b", "~"]), JSON, min_size=1))
def test_every_pointer_leads_to_its_place_in_the_file(changes: dict[str, Any]) -> None:
    document = make_model(**changes)
    parsed = parse_model(json.dumps(document).encode())
    for found in (*parsed.problems, *parsed.warnings):
        missing = found.code == "missing"
        resolve(document, found.pointer.rpartition("/")[0] if missing else found.pointer)
        assert found.message
        assert "\n" not in found.message


# forms of older files


def old_form(number: int = 1) -> dict[str, Any]:
    """A model as older programs wrote it: values without codes, "all", a code of two characters."""
    model = make_model(number)
    choice, _ = model["attributes"]
    for value in choice["values"]:
        del value["value_code"]
    choice["max_selected"] = "all"
    model["index_codes"][0]["code"] = "R1"
    return model


def test_forms_of_older_files_are_accepted_with_a_warning() -> None:
    data = json.dumps(old_form()).encode()
    assert warned(data) == [
        ("/attributes/0/values", "no-value-codes"),
        ("/attributes/0/max_selected", "all-selected"),
        ("/index_codes/0/code", "short-code"),
    ]
    model = parse_model(data).model
    assert model is not None
    choice = model.attributes[0]
    assert [value.value_code for value in choice.values] == [f"OIFMA_TEST_000010.{n}" for n in range(3)]
    assert choice.max_selected == 3
    assert model.index_codes is not None
    assert model.index_codes[0].code == "R1"


def test_codes_that_values_have_are_not_given_to_others() -> None:
    document = make_model()
    values = document["attributes"][0]["values"]
    values[2]["value_code"] = "OIFMA_TEST_000010.0"
    del values[0]["value_code"]
    values[1]["value_code"] = None
    model = parse_model(json.dumps(document).encode()).model
    assert model is not None
    assert [value.value_code[-1] for value in model.attributes[0].values] == ["1", "2", "0"]


def test_a_broken_file_of_an_older_form_fails_for_what_is_broken_only() -> None:
    assert places(json.dumps(old_form() | {"name": "x"}).encode()) == [("/name", "too-short")]


def test_unknown_fields_and_older_forms_are_warned_of_together() -> None:
    codes = [code for _, code in warned(json.dumps(old_form() | {"note": {"a": 1}}).encode())]
    assert codes == ["unknown-field", "no-value-codes", "all-selected", "short-code"]


# repeated keys


@pytest.mark.parametrize("colon", [": ", " : ", ":", "\t:\r\n"])
def test_a_repeated_key_is_a_warning_with_its_place_and_lines(colon: str) -> None:
    text = model_bytes().decode().replace('"name": "smooth"', f'"name"{colon}"x",\n "name"{colon}"smooth"')
    (warning,) = parse_model(text.encode()).warnings
    line = text[: text.index('"x"')].count("\n") + 1
    if "\n" not in colon:
        assert f"in lines {line} and {line + 1}" in warning.message
    assert (warning.pointer, warning.code) == ("/attributes/0/values/0/name", "repeated-key")


def test_a_key_that_is_repeated_in_unknown_fields_or_with_escapes_is_found() -> None:
    text = model_bytes(note=[{"a": 1}]).decode()
    text = text.replace('"a": 1', '"a": {"b": 1}, "\\u0061": [2, {"c": ":"}]').replace(
        '"name": "smo', '"n\\u0061me": "x", "name": "smo'
    )
    assert warned(text.encode()) == [
        ("/note", "unknown-field"),
        ("/attributes/0/values/0/name", "repeated-key"),
        ("/note/0/a", "repeated-key"),
    ]


@given(st.lists(st.text(alphabet='":, \n\\{}[]a'), min_size=1))
def test_text_that_looks_like_keys_is_no_repeated_key(texts: list[str]) -> None:
    assert warned(model_bytes(synonyms=[*texts, '"name": 1, "name": 2'])) == []
