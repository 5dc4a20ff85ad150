from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.expansion import make_plan
from findingmodel.search.rank import MOST_CONTRADICTING, rank
from findingmodel.search.vocabulary import Vocabulary
from findingmodel.stores.records import Candidate
from findingmodel.text.query import parse_query
from findingmodel.text.terms import analyze_entry
from tests.search_index import FINDINGS, filled, make_records

if TYPE_CHECKING:
    from findingmodel.search.expansion import Plan

VOCABULARY = Vocabulary(filled())
CANDIDATES = [
    Candidate(f"OIFM_TEST_{number:06d}", analyze_entry(name, synonyms, description, tags))
    for number, (name, synonyms, description, tags) in enumerate(FINDINGS, 1)
]
WORDS = sorted(
    {word for name, *_ in FINDINGS for word in name.split()} | {"big", "kidney", "the", "left", "nothing"}
)


def plan_of(text: str) -> Plan:
    return run_without_loop(make_plan(parse_query(text), VOCABULARY))


def ids(text: str, candidates: list[Candidate] = CANDIDATES) -> list[str]:
    return [one.candidate.oifm_id for one in rank(plan_of(text), candidates)]


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6), st.permutations(CANDIDATES))
def test_the_order_of_the_candidates_does_not_matter(words: list[str], shuffled: list[Candidate]) -> None:
    text = " ".join(words)
    assert ids(text, shuffled) == ids(text)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_each_entry_is_ranked_once_however_often_it_is_a_candidate(words: list[str]) -> None:
    text = " ".join(words)
    assert ids(text, CANDIDATES * 2) == ids(text)


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_scores_and_coverages_are_within_bounds(words: list[str]) -> None:
    for one in rank(plan_of(" ".join(words)), CANDIDATES):
        assert 0 <= one.fit.coverage <= 1
        assert 0 < one.score <= 2


def test_equal_candidates_are_ordered_by_id() -> None:
    terms = analyze_entry("lung nodule", [], "", [])
    twins = [Candidate(oifm_id, terms) for oifm_id in ("OIFM_B_000001", "OIFM_A_000002", "OIFM_A_000001")]
    assert ids("nodule", twins) == ["OIFM_A_000001", "OIFM_A_000002", "OIFM_B_000001"]


@pytest.mark.parametrize(
    ("text", "better", "worse"),
    [
        ("nodule", ("nodule", [], "", []), ("nodule of the lung", [], "", [])),
        ("nodule", ("nodule of the lung", [], "", []), ("lung lesion", [], "A nodule", [])),
        ("nodule", ("nodule of the lung", [], "", []), ("lesion", ["nodule of the lung"], "", [])),
        ("lung nodule", ("lung nodule in a child", [], "", []), ("thyroid nodule", [], "", ["lung"])),
        ("kidney cyst", ("kidney cyst small", [], "", []), ("renal cyst small", [], "", [])),
        ("renal cyst", ("renal cyst small", [], "", []), ("renal mass", ["hepatic cyst"], "", [])),
    ],
)
def test_what_fits_better_ranks_higher(text, better, worse) -> None:
    candidates = [
        Candidate(oifm_id, analyze_entry(*fields))
        for oifm_id, fields in (("OIFM_Z_000001", better), ("OIFM_A_000001", worse))
    ]
    assert ids(text, candidates)[0] == "OIFM_Z_000001"


@given(st.lists(st.sampled_from(WORDS), min_size=1, max_size=6))
def test_scores_never_rise_down_the_list(words: list[str]) -> None:
    scores = [one.score for one in rank(plan_of(" ".join(words)), CANDIDATES) if not one.fit.contradicts]
    assert scores == sorted(scores, reverse=True)


@pytest.mark.parametrize(
    ("text", "right", "wrong"),
    [
        ("hyperintense lesion", "hyperintense mass", "hypointense lesion"),
        ("fracture type 2", "type II fracture of the dens", "type III fracture"),
        ("T12 fracture", "vertebral fracture", "L1 fracture"),
        ("right renal mass", "renal mass", "left renal mass"),
        ("diverticulosis", "colonic diverticulosis", "diverticulitis"),
        ("noncalcified plaque", "noncalcified pleural plaque", "calcified plaque"),
        ("ureter stone", "ureteral calculus", "urethra stone"),
    ],
)
def test_an_opposite_or_another_grade_is_behind_the_right_one_and_never_sure(text, right, wrong) -> None:
    candidates = [
        Candidate(oifm_id, analyze_entry(name, [], "", []))
        for oifm_id, name in (("OIFM_Z_000001", right), ("OIFM_A_000001", wrong))
    ]
    index = filled(make_records([(right, [], "", []), (wrong, [], "", [])]))
    plan = run_without_loop(make_plan(parse_query(text), Vocabulary(index)))
    found = {one.candidate.oifm_id: one for one in rank(plan, candidates)}
    assert next(iter(found)) == "OIFM_Z_000001"
    if "OIFM_A_000001" in found:
        assert found["OIFM_A_000001"].score <= MOST_CONTRADICTING
