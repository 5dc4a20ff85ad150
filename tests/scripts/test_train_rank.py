from __future__ import annotations

import pytest
from judging.cases import Case
from judging.fitting import FOLDS, answers, cross_validated, fit, folds
from judging.measures import calibration_error, interval, p_value
from judging.queries import Judged

from findingmodel.search.rank import Evidence


def case(number: int, right: float = 0.9, wrong: float = 0.2) -> Case:
    """A query whose right candidate has more evidence than the wrong ones."""
    relevant = f"OIFM_TEST_{number:06d}"
    ids = [relevant, *(f"OIFM_OTHER_{other:06d}" for other in range(3))]
    evidence = [
        tuple([right] * len(Evidence._fields)),
        *(tuple([wrong + other / 100] * len(Evidence._fields)) for other in range(3)),
    ]
    judged = Judged(f"q{number}", "some words", "kind", {relevant: 2}, None)
    return Case(judged, False, 0.0, 2, [], ids, evidence, [False] * len(ids))


CASES = [case(number) for number in range(40)]


def test_the_right_candidates_are_first_and_more_likely() -> None:
    for answer in answers(fit(CASES), CASES):
        assert answer.ids[0] == next(iter(answer.case.judged.relevant))
        assert answer.likelihoods == sorted(answer.likelihoods, reverse=True)
        assert answer.likelihoods[0] > 0.8
        assert answer.likelihoods[1] < 0.2


def test_queries_with_a_model_in_common_are_in_one_fold() -> None:
    shared = [
        one._replace(judged=one.judged._replace(relevant={**one.judged.relevant, "OIFM_SHARED_000001": 1}))
        for one in CASES
    ]
    assert len(set(folds(shared))) == 1
    assert set(folds(CASES)) == set(range(FOLDS))


def test_every_case_is_answered_once_by_a_model_of_other_folds() -> None:
    found = cross_validated(CASES)
    assert sorted(one.case.judged.qid for one in found) == sorted(one.judged.qid for one in CASES)


def test_evidence_that_is_left_out_weighs_nothing() -> None:
    model = fit(CASES, ["coverage"])
    assert model.key_words[Evidence._fields.index("coverage")] == 0


def test_what_contradicts_is_never_sure() -> None:
    against = [one._replace(contradicts=[True, False, False, False]) for one in CASES]
    for answer in answers(fit(CASES), against):
        place = answer.ids.index(next(iter(answer.case.judged.relevant)))
        assert answer.likelihoods[place] <= 0.45


def test_figures_have_intervals_that_hold_their_mean() -> None:
    mean, low, high = interval([0.0, 1.0] * 50)
    assert low < mean == 0.5 < high
    assert p_value([1.0] * 30) < 0.01 < p_value([1.0, -1.0] * 15)
    assert calibration_error([(0.95, True)] * 19 + [(0.95, False)]) == pytest.approx(0.0)
