from __future__ import annotations

import pytest

from findingmodel.errors import QueryError
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.lookup import distinct_entries, find, find_by_code
from findingmodel.search.searcher import search
from tests.builders import make_choice, make_model, make_number
from tests.search_index import filled, record_of

CODE = {"system": "SNOMED-CT", "code": "123.4", "display": "something"}
OTHER = {"system": "RADLEX", "code": "RID9", "display": "something else"}


def attribute_with(number: int, code: dict[str, str]) -> dict:
    return {**make_choice(number), "index_codes": [code]}


def value_with(number: int, code: dict[str, str]) -> dict:
    attribute = make_choice(number)
    attribute["values"][1]["index_codes"] = [code]
    return attribute


INDEX = filled(
    [
        record_of(make_model(1, attributes=[value_with(10, CODE)], index_codes=[OTHER])),
        record_of(make_model(2, attributes=[attribute_with(20, CODE), make_number(21)], index_codes=...)),
        record_of(make_model(3, attributes=[value_with(30, CODE)], index_codes=[CODE])),
        record_of(make_model(4, index_codes=[OTHER])),
    ]
)


def carried(system: str, code: str, **page: int) -> list[tuple[str, str, str]]:
    found = run_without_loop(find_by_code(INDEX, system, code, **page))
    return [(entry["oifm_id"], element.place, element.id) for entry, element in found]


@pytest.mark.parametrize("system", ["SNOMED-CT", "snomed", "SNOMEDCT"])
def test_models_attributes_and_values_that_carry_a_code_are_distinguished(system: str) -> None:
    assert carried(system, "123.4") == [
        ("OIFM_TEST_000003", "model", "OIFM_TEST_000003"),
        ("OIFM_TEST_000003", "value", "OIFMA_TEST_000030.1"),
        ("OIFM_TEST_000002", "attribute", "OIFMA_TEST_000020"),
        ("OIFM_TEST_000001", "value", "OIFMA_TEST_000010.1"),
    ]


def test_limit_and_offset_count_models() -> None:
    assert carried("SNOMED", "123.4", limit=1, offset=1) == [
        ("OIFM_TEST_000002", "attribute", "OIFMA_TEST_000020")
    ]
    assert carried("SNOMED", "123.4", limit=5, offset=3) == []


@pytest.mark.parametrize("page", [{"limit": 0}, {"limit": -1}, {"offset": -1}])
def test_a_page_has_at_least_one_model(page: dict[str, int]) -> None:
    with pytest.raises(QueryError, match="at least one model"):
        carried("SNOMED", "123.4", **page)


@pytest.mark.parametrize(("system", "code"), [("RADLEX", "123.4"), ("SNOMED", "123"), ("", ""), ("x", "*")])
def test_a_code_of_another_system_is_another_code(system: str, code: str) -> None:
    assert carried(system, code) == []


def test_a_query_may_be_a_code() -> None:
    hits = run_without_loop(search(INDEX, "code:snomed:123.4"))
    assert [hit.entry["oifm_id"] for hit in hits] == [
        "OIFM_TEST_000001",
        "OIFM_TEST_000002",
        "OIFM_TEST_000003",
    ]
    hits = run_without_loop(search(INDEX, "nodule type 2 code:snomed:123.4"))
    assert {hit.entry["oifm_id"] for hit in hits} <= {
        "OIFM_TEST_000001",
        "OIFM_TEST_000002",
        "OIFM_TEST_000003",
    }


def test_a_hit_by_code_names_the_part_that_carries_it() -> None:
    hits = run_without_loop(search(INDEX, "code:snomed:123.4"))
    matched = {hit.entry["oifm_id"]: [match[:3] for match in hit.matched] for hit in hits}
    assert matched["OIFM_TEST_000002"] == [("filter", "code", ("attribute", "OIFMA_TEST_000020", "margin"))]
    assert [terms[0] for _, _, terms in matched["OIFM_TEST_000003"]] == ["model", "value"]
    assert all(hit.score == sum(match.score for match in hit.matched) for hit in hits)


def test_a_key_may_be_a_code() -> None:
    found = run_without_loop(find(INDEX, "CODE:snomed:123.4"))
    assert found == distinct_entries(run_without_loop(find_by_code(INDEX, "SNOMED-CT", "123.4")))
    assert found


@pytest.mark.parametrize("key", ["code:", "code:RID1", "code::1", "code:radlex:"])
def test_a_key_without_system_or_code_is_an_error(key: str) -> None:
    with pytest.raises(QueryError, match="does not name a system and a code"):
        run_without_loop(find(INDEX, key))
