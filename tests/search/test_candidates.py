from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.candidates import FEW, SOME, make_filter, make_requests
from findingmodel.search.expansion import make_plan
from findingmodel.search.vocabulary import Vocabulary
from findingmodel.stores.records import TermQuery
from findingmodel.text.query import parse_query
from findingmodel.text.stem import stem
from tests.search_index import FINDINGS, filled, make_records

if TYPE_CHECKING:
    from findingmodel.search.candidates import Request
    from findingmodel.stores.sqlite.store import SQLiteStore

SMALL = filled()
CROWD = [(f"bone mass {number}", [], "", []) for number in range(FEW * 2)]


def requests(store: SQLiteStore, text: str) -> tuple[Request, ...]:
    return make_requests(run_without_loop(make_plan(parse_query(text), Vocabulary(store))))


def proposed(store: SQLiteStore, text: str) -> list[str]:
    first = requests(store, text)[0]
    return [one.oifm_id for one in run_without_loop(store.terms.candidates(first.query, limit=first.limit))]


def test_few_entries_are_candidates_by_any_word() -> None:
    (request,) = requests(SMALL, "renal cyst")
    assert (request.query.match, request.limit) == ("any", None)
    assert len(proposed(SMALL, "renal cyst")) > 2


def test_rare_words_alone_make_candidates_beside_light_common_ones() -> None:
    store = filled(make_records([*((f"left nodule {n}", [], "", []) for n in range(FEW * 2)), FINDINGS[3]]))
    (request,) = requests(store, "left pneumothorax")
    ((first, *_),) = request.query.groups
    assert first == "pneumothorax"


def test_two_common_words_make_a_candidate_and_one_does_not() -> None:
    others = [("bone cyst", [], "", []), ("liver mass", [], "", []), ("renal stone", [], "", [])]
    store = filled(make_records([*CROWD, *others]))
    pair, _ = requests(store, "bone mass")
    assert pair.query.match == "all"
    found = proposed(store, "bone mass")
    assert len(found) == len(CROWD)
    assert f"OIFM_TEST_{len(CROWD) + 1:06d}" not in found


def test_the_rarest_word_is_asked_for_alone_if_no_entry_has_two() -> None:
    apart = [(f"bone lesion {number}", [], "", []) for number in range(FEW * 2)]
    apart += [(f"kidney stone {number}", [], "", []) for number in range(FEW + 9)]
    store = filled(make_records(apart))
    pair, alone = requests(store, "bone kidney")
    assert run_without_loop(store.terms.candidates(pair.query, limit=pair.limit)) == []
    assert len(run_without_loop(store.terms.candidates(alone.query, limit=alone.limit))) == FEW + 9


def test_more_entries_than_can_be_ranked_are_left_to_the_store() -> None:
    store = filled(make_records([(f"fracture {number}", [], "", []) for number in range(SOME + 1)]))
    (request,) = requests(store, "fracture")
    assert request.limit == FEW


def test_unknown_words_ask_for_nothing() -> None:
    assert requests(SMALL, "xyzzy") == ()


def test_filters_alone_make_no_requests_by_word() -> None:
    plan = run_without_loop(make_plan(parse_query("tag:CT -bone"), Vocabulary(SMALL)))
    assert make_requests(plan) == ()
    assert make_filter(plan) == TermQuery((), "any", ("bone",), (("tag:ct",),))


def test_single_excluded_words_are_left_to_the_store() -> None:
    (request,) = requests(SMALL, 'cyst -kidney -"two words"')
    assert request.query.excluded == (stem("kidney"),)


@given(st.sets(st.sampled_from("abcdef"), max_size=6), st.integers(2, 4))
def test_an_entry_with_two_words_or_a_rare_one_has_a_token_of_every_group(has: set[str], common: int) -> None:
    from findingmodel.search.candidates import _any_two, _Group

    words = "abcd"[:common]
    groups = _any_two(("e",), [_Group(1, 1.0, (word,)) for word in words])
    is_candidate = "e" in has or len(has & set(words)) >= 2
    assert is_candidate == all(not has.isdisjoint(group) for group in groups)


def test_a_finding_is_a_candidate_for_every_pair_of_its_words() -> None:
    for name, *_ in FINDINGS:
        for one, other in product(name.split(), repeat=2):
            found = proposed(SMALL, f"{one} {other}")
            number = next(n for n, finding in enumerate(FINDINGS, 1) if finding[0] == name)
            assert f"OIFM_TEST_{number:06d}" in found


def test_of_too_many_expansions_the_best_are_asked_for_in_every_store() -> None:
    half = SOME * 3 // 4
    crowd = [(f"{part} {number}", [], "", []) for part in ("kidney", "renal") for number in range(half)]
    (request,) = requests(filled(make_records(crowd)), "kidney")
    assert (request.query.groups, request.limit) == (((stem("kidney"),),), None)
