"""The canonical layout of files: it changes only the order of fields and white space."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.model.layout import Members, canonical, compact, indented, read
from findingmodel.model.parse import parse_model
from tests.builders import make_choice, make_model, make_number, make_organization, make_person

SAMPLES = Path(__file__).parent.parent.parent / "samples" / "defs"
FIELDS = ["oifm_id", "name", "description", "synonyms", "tags", "contributors", "attributes", "index_codes"]

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
NUMBER = st.sampled_from(["0", "-0", "1.0", "1e5", "1E-7", "0.10", "12345678901234567890123", "-3.50e+2"])
SCALAR = st.one_of(NUMBER, st.sampled_from(["true", "false", "null"]), TEXT.map(json.dumps))


def _objects(values: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    key = st.one_of(TEXT, st.sampled_from([*FIELDS, "values", "type", "value_code", "code", "a"]))
    member = st.tuples(key.map(json.dumps), values)
    return st.lists(member, max_size=5).map(
        lambda members: "{" + ", ".join(f"{k} :{v}" for k, v in members) + "}"
    )


JSON = st.recursive(
    SCALAR,
    lambda values: st.one_of(
        st.lists(values, max_size=4).map(lambda v: "[" + " , ".join(v) + "]"), _objects(values)
    ),
    max_leaves=25,
)
"""JSON text with any spaces, numbers in any form, and repeated fields."""


def sorted_members(value: Any) -> Any:
    """*value*, from `read`, with sorted fields; repeated fields keep their order."""
    if isinstance(value, Members):
        return (
            "object",
            sorted(((key, sorted_members(item)) for key, item in value), key=lambda member: member[0]),
        )
    return [sorted_members(item) for item in value] if isinstance(value, list) else value


@given(JSON)
def test_only_the_order_of_fields_and_white_space_changes(text: str) -> None:
    before, after = read(text.encode()), read(canonical(text.encode()))
    assert sorted_members(after) == sorted_members(before)


@given(JSON)
def test_canonical_text_does_not_change(text: str) -> None:
    once = canonical(text.encode())
    assert canonical(once) == once
    assert once.endswith(b"\n")
    assert b"\r" not in once


@given(JSON)
def test_the_layout_does_not_depend_on_the_order_of_known_fields(text: str) -> None:
    document = read(text.encode())
    if isinstance(document, Members) and len({key for key, _ in document}) == len(document):
        known = Members(member for member in document if member[0] in FIELDS)
        backwards = Members(reversed(known))
        assert canonical(compact(known).encode()) == canonical(compact(backwards).encode())


@given(JSON)
def test_compact_and_indented_text_have_the_same_value(text: str) -> None:
    value = read(text.encode())
    assert read(compact(value).encode()) == value
    assert read(indented(value).encode()) == value
    assert "\n" not in compact(value)


@given(
    st.recursive(
        st.one_of(TEXT, st.integers(), st.booleans()), lambda v: st.lists(v) | st.dictionaries(TEXT, v)
    )
)
def test_the_layout_is_that_of_the_standard_library(value: Any) -> None:
    text = json.dumps(value)
    assert indented(read(text.encode())) == json.dumps(value, indent=2, ensure_ascii=False)
    assert compact(read(text.encode())) == json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def test_fields_are_in_the_order_of_the_schema_followed_by_unknown_fields() -> None:
    choice = {**make_choice(), "zeta": 1, "alpha": {"b": 1, "a": 2}}
    model = make_model(
        attributes=[choice, make_number()], contributors=[make_person(), make_organization()], note="x"
    )

    def backwards(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: backwards(item) for key, item in reversed(value.items())}
        return list(map(backwards, value)) if isinstance(value, list) else value

    written = json.loads(canonical(json.dumps(backwards(model)).encode()))
    assert list(written) == [*FIELDS, "note"]
    first, second = written["attributes"]
    assert list(first) == [*make_choice(), "alpha", "zeta"]
    assert list(first["alpha"]) == ["a", "b"], "unknown objects keep their order"
    assert list(first["values"][2]) == ["value_code", "name", "index_codes"]
    assert list(first["values"][2]["index_codes"][0]) == ["system", "code", "display"]
    assert list(second) == list(make_number())
    assert [list(one) for one in written["contributors"]] == [list(make_person()), list(make_organization())]


@pytest.mark.parametrize("path", sorted(SAMPLES.rglob("*.fm.json")), ids=lambda path: path.stem)
def test_the_samples_are_canonical(path: Path) -> None:
    assert canonical(path.read_bytes()) == path.read_bytes()


def test_a_byte_order_mark_and_carriage_returns_are_removed() -> None:
    model = json.dumps(make_model(), indent=1).replace("\n", "\r\n")
    assert canonical(b"\xef\xbb\xbf" + model.encode()) == canonical(json.dumps(make_model()).encode())


def test_numbers_keep_every_digit() -> None:
    text = b'{"minimum": 1.0, "maximum": 1e5, "note": 123456789012345678901234567890, "x": -0.10}'
    written = canonical(text).decode()
    for digits in ("1.0", "1e5", "123456789012345678901234567890", "-0.10"):
        assert f": {digits}" in written


def test_deeply_nested_models_are_formatted() -> None:
    deep = json.loads("[" * 150 + "]" * 150)
    data = json.dumps(make_model(note=deep)).encode()
    assert parse_model(data).model is not None
    assert json.loads(canonical(data)) == json.loads(data)


def test_invalid_json_is_refused() -> None:
    with pytest.raises(ValueError, match="Expecting"):
        canonical(b"{")
