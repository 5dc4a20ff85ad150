"""The names that code for findingmodel 0.3 uses: methods and parameters, models and fields."""

from __future__ import annotations

import inspect
from typing import Any

import pytest

import findingmodel
from findingmodel import Index, IndexEntry, IndexReturnType
from findingmodel.model.finding import AttributeType
from tests.builders import make_choice, make_model

NONE = inspect.Parameter.empty

METHODS: dict[str, dict[str, Any]] = {
    "setup_indexes": {},
    "count": {},
    "count_people": {},
    "count_organizations": {},
    "contains": {"id_or_name_or_syn": NONE},
    "get": {"id_or_name_or_syn": NONE},
    "get_person": {"github_username": NONE},
    "get_organization": {"code": NONE},
    "get_people": {},  # from 0.4 on
    "get_organizations": {},
    "validate_model": {"model": NONE, "allow_duplicate_synonyms": False, "exclude_oifm_id": None},
    "validate_models_batch": {"models": NONE, "allow_duplicate_synonyms": False},
    "add_or_update_contributors": {"contributors": NONE},
    "add_or_update_entry_from_file": {"filename": NONE, "model": None, "allow_duplicate_synonyms": False},
    "remove_entry": {"id_or_name": NONE},
    "remove_unused_entries": {"active_filenames": NONE},
    "search": {"query": NONE, "limit": 10},
    "update_from_directory": {"directory": NONE, "allow_duplicate_synonyms": False},
    "to_markdown": {},
}
"""Public methods in 0.3.2 and their parameters, in order, with their defaults."""


@pytest.mark.parametrize("name", METHODS)
def test_a_method_accepts_the_same_parameters_as_before(name: str) -> None:
    method = getattr(Index, name)
    assert inspect.iscoroutinefunction(method)
    parameters = list(inspect.signature(method).parameters.values())[1:]
    old = METHODS[name]
    assert {p.name: p.default for p in parameters[: len(old)]} == old
    assert all(p.kind is p.POSITIONAL_OR_KEYWORD for p in parameters[: len(old)])
    assert all(p.default is not NONE for p in parameters[len(old) :])


def test_a_batch_search_takes_its_limit_under_both_names() -> None:
    queries, limit, also, *_ = list(inspect.signature(Index.search_batch).parameters.values())[1:]
    assert (queries.name, queries.default) == ("queries", NONE)
    assert (limit.kind, limit.default) == (limit.POSITIONAL_OR_KEYWORD, 10)
    assert also.name == "limit_per_query"


def test_the_constructor_accepts_the_same_keywords_as_before() -> None:
    parameters = inspect.signature(Index).parameters
    assert {"mongodb_uri", "db_name", "client", "branch"} <= parameters.keys()
    assert all(parameter.default is None for parameter in parameters.values())


def test_an_entry_has_the_same_fields_as_before_and_one_optional_field_more() -> None:
    *fields, new = IndexEntry.model_fields
    assert (new, IndexEntry.model_fields[new].default) == ("replaces", None)
    assert fields == [
        "oifm_id",
        "name",
        "slug_name",
        "filename",
        "file_hash_sha256",
        "description",
        "synonyms",
        "tags",
        "contributors",
        "attributes",
    ]
    assert list(findingmodel.AttributeInfo.model_fields) == ["attribute_id", "name", "type"]


def test_adding_a_file_returns_a_word() -> None:
    assert [*map(str, IndexReturnType)] == ["added", "updated", "unchanged"]


def test_a_finding_model_is_built_and_written_as_before() -> None:
    model = findingmodel.FindingModelFull(**make_model(1))
    again = findingmodel.FindingModelFull.model_validate_json(model.model_dump_json(exclude_none=True))
    assert again == model
    assert model.index_codes_str == "RADLEX RID50149 pulmonary nodule"
    assert model.attributes[0].oifma_id == "OIFMA_TEST_000010"
    assert model.attributes[0].type == AttributeType.CHOICE == "choice"
    assert model.name.casefold() in model.as_markdown(hide_ids=True).casefold()


def test_a_draft_needs_no_ids() -> None:
    values = [findingmodel.ChoiceValue(name="present"), findingmodel.ChoiceValue(name="absent")]
    draft = findingmodel.FindingModelBase(
        name="pleural effusion",
        description="Fluid in the pleural space.",
        synonyms=["effusion"],
        attributes=[
            findingmodel.ChoiceAttribute(name="presence", values=values, max_selected=1),
            findingmodel.NumericAttribute(name="depth", minimum=0, maximum=20, unit="cm"),
        ],
    )
    full = findingmodel.add_ids(draft, "TEST")
    assert full.oifm_id.startswith("OIFM_TEST_")
    assert findingmodel.ChoiceAttributeIded(**make_choice(1)).values[0].value_code == "OIFMA_TEST_000001.0"


@pytest.mark.parametrize("source", ["TEST", "abc"])
def test_ids_are_made_as_before(source: str) -> None:
    assert findingmodel.generate_oifm_id(source).startswith(f"OIFM_{source.upper()}_")
    assert findingmodel.generate_oifma_id(source).startswith(f"OIFMA_{source.upper()}_")
