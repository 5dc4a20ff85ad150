"""Counts of the models of each tag and of each contributor."""

from __future__ import annotations

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.facets import count_contributors, count_tags
from findingmodel.stores.records import WriteBatch
from tests.builders import make_model, make_organization, make_person
from tests.search_index import filled, make_records, record_of


def test_tags_are_counted_by_model_in_their_usual_spelling() -> None:
    tags = [["CT", "chest"], ["ct", "CT"], ["CT"], ["MR"], []]
    index = filled(make_records([(f"finding {n}", [], "", some) for n, some in enumerate(tags)]))
    assert list(run_without_loop(count_tags(index)).items()) == [("CT", 3), ("chest", 1), ("MR", 1)]


def test_tags_of_an_index_of_several_pages_are_all_counted() -> None:
    index = filled(make_records([(f"finding {n}", [], "", ["CT"]) for n in range(2_001)]))
    assert list(run_without_loop(count_tags(index)).items()) == [("CT", 2_001)]


def test_contributors_with_the_most_models_come_first() -> None:
    person, organization = make_person(), make_organization()
    records = [
        record_of(make_model(1, contributors=[person, organization])),
        record_of(make_model(2, contributors=[organization])),
        record_of(make_model(3, contributors=...)),
    ]
    index = filled([])
    stated = [credit for record in records for credit in record.credits]
    run_without_loop(index.write(WriteBatch(upserts=records, credits=stated)))
    found = run_without_loop(count_contributors(index))
    assert [(one.kind, one.key, one.models) for one in found] == [
        ("organization", organization["code"], 2),
        ("person", person["github_username"], 1),
    ]
    assert [one.organization for one in found] == [None, person["organization_code"]]


def test_an_empty_index_has_no_tags_and_no_contributors() -> None:
    assert run_without_loop(count_tags(filled([]))) == {}
    assert run_without_loop(count_contributors(filled([]))) == []
