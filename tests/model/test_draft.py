"""Stubs of models: valid, with new ids and the attributes that nearly every finding has."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel import parse_model
from findingmodel.errors import ConfigError, DocumentError
from findingmodel.model.draft import PLACEHOLDER, make_stub
from tests.builders import make_organization, make_person


def test_a_stub_is_a_valid_model_with_presence_and_change() -> None:
    stub = make_stub(
        "pleural plaque", "abcd", tags=["CT"], synonyms=["hyaline plaque"], contributor=make_person()
    )
    parsed = parse_model(stub.model_dump_json(exclude_none=True).encode())
    assert (parsed.problems, parsed.warnings) == ((), ())
    assert parsed.model == stub
    assert stub.oifm_id.startswith("OIFM_ABCD_")
    assert stub.description == PLACEHOLDER
    assert (stub.tags, stub.synonyms) == (["CT"], ["hyaline plaque"])
    values = {attribute.name: [value.name for value in attribute.values] for attribute in stub.attributes}
    assert values["presence"] == ["absent", "present", "indeterminate", "unknown"]
    assert values["change from prior"][:4] == ["unchanged", "stable", "new", "resolved"]


def test_values_and_attributes_have_codes() -> None:
    presence, change = make_stub("pleural plaque", "ABCD").attributes
    assert presence.index_codes_str == "SNOMED 705057003 Presence (property) (qualifier value)"
    assert change.values[2].index_codes_str == "RADLEX RID5720 new; SNOMED 7147002 New (qualifier value)"
    assert change.values[3].index_codes is None


def test_attributes_and_values_are_described_as_in_the_public_collection() -> None:
    presence, change = make_stub("pleural {plaque}", "ABCD").attributes
    assert presence.description == "Presence or absence of pleural {plaque}"
    assert change.description == "Whether and how pleural {plaque} has changed over time"
    described = {value.name: value.description for value in [*presence.values, *change.values]}
    assert described["absent"] == "Pleural {plaque} is absent"
    assert described["indeterminate"] == "Presence of pleural {plaque} cannot be determined"
    assert described["resolved"] == "Pleural {plaque} seen on a prior exam has resolved"
    assert described["larger"] == "Pleural {plaque} is larger"


def test_ids_in_use_are_not_assigned() -> None:
    class AllButOne:
        def __contains__(self, new_id: object) -> bool:
            return str(new_id)[-1] != "7"

    stub = make_stub("pleural plaque", "ABCD", taken=AllButOne())
    ids = [stub.oifm_id, *(attribute.oifma_id for attribute in stub.attributes)]
    assert {found[-1] for found in ids} == {"7"}
    assert len(set(ids)) == 3


def test_stubs_have_different_ids() -> None:
    ids = [make_stub("pleural plaque", "ABCD").oifm_id for _ in range(20)]
    assert len(set(ids)) == 20


@pytest.mark.parametrize("source", ["", "AB", "ABCDE", "AB1", "äbc", "../x"])
def test_the_source_must_be_an_organization_code(source: str) -> None:
    with pytest.raises(ConfigError, match="three or four letters"):
        make_stub("pleural plaque", source)


@pytest.mark.parametrize(
    ("arguments", "pointer"),
    [({"name": "PE"}, "/name"), ({"name": "plaque", "description": "x"}, "/description")],
)
def test_a_broken_rule_is_reported_with_its_place(arguments: dict[str, str], pointer: str) -> None:
    with pytest.raises(DocumentError) as caught:
        make_stub(**{"source": "ABCD", **arguments})
    assert [problem.pointer for problem in caught.value.problems] == [pointer]


def test_the_contributor_is_checked() -> None:
    with pytest.raises(DocumentError, match="contributors/0"):
        make_stub("pleural plaque", "ABCD", contributor=make_organization(name="x"))


@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=5, max_size=40))
def test_any_allowed_name_makes_a_valid_stub(name: str) -> None:
    document = make_stub(name, "ABCD").model_dump_json(exclude_none=True)
    assert parse_model(document.encode()).problems == ()
    assert json.loads(document)["name"] == name
