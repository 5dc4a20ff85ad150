"""Fit the ranking model to judged queries, and cross-validate it by model.

Order: weights of a linear sum, by maximum likelihood of the right entry among the candidates of its query (a
softmax over each list: Cao et al. 2007, doi 10.1145/1273496.1273513). Queries of rare kinds count more, by
the root of how many there are. Likelihood: logistic regression on the ten best of each query. Both are
regularised, and fitted without the queries of one fold in turn; all queries with a model in common are in
one fold.
"""

from __future__ import annotations

import zlib
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from findingmodel.search.rank import (
    CONTRADICTION,
    MOST_CONTRADICTING,
    Evidence,
    Model,
    likelihood_inputs,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from numpy.typing import NDArray

    from judging.cases import Case

    Floats = NDArray[np.float64]

__all__ = ["FOLDS", "Answer", "answers", "cross_validated", "fit", "folds", "targets"]

FOLDS = 5
_DEPTH = 10  # hits whose likelihood is fitted
_STEPS = 400
_RATE = 0.3
_SHRINK = 1e-4  # of weights
_SHRINK_SENTENCE = 5e-4  # of how much those of a sentence differ
_FIRST_COUNTS = 10.0  # times as much as a later hit
_UNANSWERABLE_COUNTS = 4.0
_SMALL = 1e-9


class Answer(NamedTuple):
    """What a model makes of a case: *ids*, the best first, and *likelihoods* after the exact ones."""

    case: Case
    ids: list[str]
    likelihoods: list[float]


def targets(case: Case) -> set[str]:
    """Return the ids that are right: those with the highest grade."""
    relevant = case.judged.relevant
    best = max(relevant.values(), default=0)
    return {oifm_id for oifm_id, grade in relevant.items() if grade == best}


def folds(cases: Sequence[Case]) -> list[int]:
    """Return the fold of each case."""
    above: dict[str, str] = {}

    def root(oifm_id: str) -> str:
        while above.setdefault(oifm_id, oifm_id) != oifm_id:
            oifm_id = above[oifm_id]
        return oifm_id

    for case in cases:
        first, *others = case.judged.relevant or ("",)
        for other in others:
            above[root(other)] = root(first)
    keys = [
        root(next(iter(case.judged.relevant))) if case.judged.relevant else case.judged.qid for case in cases
    ]
    return [zlib.crc32(key.encode()) % FOLDS for key in keys]


def cross_validated(cases: Sequence[Case], without: Sequence[str] = ()) -> list[Answer]:
    """Return the answers to *cases*, by a model that has not seen its fold and *without*."""
    fold_of = folds(cases)
    found = []
    for fold in range(FOLDS):
        model = fit([case for case, own in zip(cases, fold_of, strict=True) if own != fold], without)
        found += answers(model, [case for case, own in zip(cases, fold_of, strict=True) if own == fold])
    return found


def fit(cases: Sequence[Case], without: Sequence[str] = ()) -> Model:
    """Return the model that fits *cases* best; evidence in *without* weighs nothing."""
    key_words, sentence = _fit_order(cases, np.array([name not in without for name in Evidence._fields]))
    model = Model(tuple(key_words), tuple(sentence), (), 1.0, 0.0)
    return model._replace(likelihood=tuple(_fit_likelihood(model, cases)))


def answers(model: Model, cases: Iterable[Case]) -> list[Answer]:
    """Return what *model* makes of *cases*."""
    found = []
    for case in cases:
        order, inputs = _best(model, case)
        odds = inputs @ np.array(model.likelihood) if len(inputs) else np.zeros(0)
        likely = 1 / (1 + np.exp(-odds))
        likely[[case.contradicts[place] for place in order]] = np.minimum(
            likely[[case.contradicts[place] for place in order]], MOST_CONTRADICTING
        )
        ids = [*case.exact, *(case.ids[place] for place in order)]
        found.append(Answer(case, ids, list(np.minimum.accumulate(likely))))
    return found


def _sums(model: Model, case: Case) -> Floats:
    weights: Floats = np.array(model.weights(narrative=case.narrative))
    against = CONTRADICTION * np.array(case.contradicts, dtype=float)
    sums: Floats = np.array(case.evidence).reshape(-1, len(weights)) @ weights - against
    return sums


def _best(model: Model, case: Case) -> tuple[list[int], Floats]:
    """Return the places of the best candidates, and the inputs of their likelihoods."""
    if not case.ids:
        return [], np.zeros((0, 1))
    sums = _sums(model, case)
    order = sorted(range(len(sums)), key=lambda place: (-sums[place], case.ids[place]))[:_DEPTH]
    evidence = [Evidence(*case.evidence[place]) for place in order]
    inputs = likelihood_inputs(list(sums), order, evidence, case.unknown, case.words)
    return order, np.array(inputs)


def _fit_order(cases: Sequence[Case], used: NDArray[np.bool_]) -> tuple[Floats, Floats]:
    """Return the weights of evidence for key words and for sentences."""
    usable = [case for case in cases if not case.exact and targets(case) & set(case.ids)]
    sizes = [len(case.ids) for case in usable]
    starts = np.cumsum([0, *sizes[:-1]])
    owner = np.repeat(np.arange(len(usable)), sizes)
    evidence = np.vstack([np.array(case.evidence) for case in usable]) * used
    narrative = np.repeat([case.narrative for case in usable], sizes)[:, None]
    inputs = np.hstack([evidence, evidence * narrative])
    against = CONTRADICTION * np.concatenate([np.array(case.contradicts, dtype=float) for case in usable])
    right = np.concatenate([np.isin(case.ids, list(targets(case))) for case in usable]).astype(float)
    kinds = Counter(case.judged.category for case in usable)
    share = np.array([kinds[case.judged.category] ** -0.5 for case in usable])
    share /= share.sum()
    shrink = np.repeat([_SHRINK, _SHRINK_SENTENCE], evidence.shape[1])
    weights, first, second = (np.zeros(inputs.shape[1]) for _ in range(3))
    for step in range(1, _STEPS + 1):
        sums = inputs @ weights - against
        powers = np.exp(sums - np.maximum.reduceat(sums, starts)[owner])
        likely = powers / np.add.reduceat(powers, starts)[owner]
        of_right = np.add.reduceat(likely * right, starts)[owner]
        gradient = inputs.T @ ((likely - likely * right / of_right) * share[owner]) + shrink * weights
        first = 0.9 * first + 0.1 * gradient
        second = 0.99 * second + 0.01 * gradient**2
        size = _RATE * (1 - (step - 1) / _STEPS) / (np.sqrt(second / (1 - 0.99**step)) + _SMALL)
        weights = weights - size * first / (1 - 0.9**step)
    key_words, more = np.split(weights, 2)
    return key_words * used, (key_words + more) * used


def _fit_likelihood(model: Model, cases: Sequence[Case]) -> Floats:
    """Return the weights of the logistic regression, by Newton's method."""
    rows: list[Floats] = []
    right: list[bool] = []
    share: list[float] = []
    for case in cases:
        if case.exact:
            continue
        order, inputs = _best(model, case)
        rows.extend(inputs)
        right += [case.ids[place] in targets(case) for place in order]
        each = _UNANSWERABLE_COUNTS if not case.judged.relevant else 1.0
        share += [each * (_FIRST_COUNTS if not rank else 1.0) for rank in range(len(order))]
    inputs, wanted, counts = np.array(rows), np.array(right, dtype=float), np.array(share)
    weights = np.zeros(inputs.shape[1])
    shrink = 1e-5 * counts.sum()
    for _ in range(60):
        likely = 1 / (1 + np.exp(-inputs @ weights))
        curvature = (inputs * (counts * likely * (1 - likely))[:, None]).T @ inputs
        gradient = inputs.T @ (counts * (likely - wanted)) + shrink * weights
        weights -= np.linalg.solve(curvature + shrink * np.eye(len(weights)), gradient)
    return weights
