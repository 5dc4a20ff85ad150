from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.expansion import make_plan
from findingmodel.search.rank import rank
from findingmodel.search.vocabulary import Vocabulary
from findingmodel.stores.records import Candidate
from findingmodel.text.query import parse_query
from findingmodel.text.terms import analyze_entry
from tests.search_index import FINDINGS, filled

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
        assert 0 <= one.coverage <= 1
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


def test_confidence_raises_a_score_and_low_confidence_hardly_does() -> None:
    plan = plan_of("thyroid nodule large")
    plain = {one.candidate.oifm_id: one.score for one in rank(plan, CANDIDATES)}
    for confidence in (0.1, 0.9):
        lifted = rank(plan, [candidate._replace(confidence=confidence) for candidate in CANDIDATES])
        for one in lifted:
            score = plain.get(one.candidate.oifm_id, 0.0)
            assert score <= one.score <= 1 - (1 - score) * (1 - confidence) + 0.2
