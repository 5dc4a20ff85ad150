"""Put candidates in order, and estimate how likely each is right: pure, total, the same for every store.

The evidence for an entry (`Evidence`) is weighed by a linear model, which `scripts/train_rank.py` learns from
judged queries and writes to ``data/ranking.txt``:

    z    the sum of weight times evidence, by which entries are ordered
    p    1 / (1 + e^-(sum of weight times `likelihood_inputs`)), and no more than that of the entry before

p is the score of a hit: the likelihood that it is right. An entry with a label that equals the query, word
for word, scores 1 or more.
"""

from __future__ import annotations

from functools import cache
from math import exp, log
from operator import mul
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.search.score import Fit, Nearness, Scorer
from findingmodel.text.query import NUMBER_WEIGHT
from findingmodel.text.tables import sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.search.expansion import Plan
    from findingmodel.stores.records import Candidate
    from findingmodel.text.terms import Terms

_TABLE = Path(__file__).with_name("data") / "ranking.txt"

LEAST = 0.01
"""The lowest score of a hit; less would be shown as nothing."""
DECIDING = 5
"""Hits that decide whether anything answers a query."""
EXACT = 1.0
"""The lowest score of an exact match."""
BY_ID = 2.0
AS_TYPED = {"id": BY_ID, "name": 1.9, "slug": 1.8, "synonym": 1.7}  # the field equals the query but for case
_EXACT_NAME, _EXACT_SYNONYM = 1.2, 1.1  # it does so after analysis
_MAX_INEXACT = 0.999
MOST_CONTRADICTING = 0.45
"""The highest score of an entry that names the opposite of what was asked, or another grade."""

_DIGITS = 9  # the sum of the same numbers in another order differs only after these
_LABEL_SHARE = 0.65  # of the score by words alone, which only chooses whom to weigh
_MOST_WEIGHED = 40  # candidates
_WORTH_WEIGHING = 0.2  # of the best score by words alone
_ALONE = 3.0  # the lead of the only candidate
CONTRADICTION = 2.0
"""What an entry that contradicts the query loses from its sum."""


class Evidence(NamedTuple):
    """What speaks for an entry, each from 0 to about 1; see `findingmodel.search.score`."""

    label: float
    asked: float
    named: float
    name: float
    coverage: float
    near_label: float
    near_name: float
    near_entry: float


class Ranked(NamedTuple):
    """A candidate with its score.

    Attributes:
        candidate: the entry.
        score: greater is better; 1 and more is an exact match, less the likelihood that the entry is right.
        fit: how well its words fit.
        evidence: what was weighed; None if there is no word to compare.
    """

    candidate: Candidate
    score: float
    fit: Fit
    evidence: Evidence | None = None


class Model(NamedTuple):
    """The learned numbers.

    Attributes:
        key_words, sentence: the weights of `Evidence` for queries of these kinds.
        likelihood: the weights of `likelihood_inputs`.
        matched: the likelihood of the best hit from which a query is matched.
        unmatched: the likelihood that one of the first `DECIDING` hits is right below which it is unmatched.
    """

    key_words: tuple[float, ...]
    sentence: tuple[float, ...]
    likelihood: tuple[float, ...]
    matched: float
    unmatched: float

    def weights(self, *, narrative: bool) -> tuple[float, ...]:
        """Return the weights of evidence."""
        return self.sentence if narrative else self.key_words


INPUTS = ("sum", "lead", "lead over next", "unknown", "words", *Evidence._fields, "label squared", "constant")
"""The names of `likelihood_inputs`."""


@cache
def ranking_model() -> Model:
    """Return the model in ``data/ranking.txt``."""
    read = {title: _numbers(body) for title, body in sections(_TABLE)}
    status = read["status"]
    return Model(
        tuple([read["key words"][name] for name in Evidence._fields]),
        tuple([read["sentence"][name] for name in Evidence._fields]),
        tuple([read["likelihood"][name] for name in INPUTS]),
        status["matched"],
        status["unmatched"],
    )


def _numbers(body: Iterable[str]) -> dict[str, float]:
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in body)}


def rank(plan: Plan, candidates: Iterable[Candidate], model: Model | None = None) -> list[Ranked]:
    """Return the candidates that answer the query of *plan*, best first, each once.

    Ties are broken by ``oifm_id``. Entries are left out that lack a phrase of the query or have an excluded
    one, or that are hardly likely to be right. Numbers alone find only what is named so.
    """
    exact, weighed = weigh(plan, candidates)
    return [*sorted(exact, key=exact_order), *_likely(plan, weighed, model or ranking_model())]


def exact_order(one: Ranked) -> tuple[float, float, str]:
    """Return the sort key of an exact match; of equals the one whose name is nearest in meaning is first."""
    nearest = round(one.evidence.near_name, _DIGITS) if one.evidence else 0.0
    return (-one.score, -nearest, one.candidate.oifm_id)


def weigh(plan: Plan, candidates: Iterable[Candidate]) -> tuple[list[Ranked], list[tuple[Fit, Evidence]]]:
    """Return the exact matches among *candidates*, and the best of the others with the evidence for them."""
    scorer = Scorer(plan)
    fits = {fit.candidate.oifm_id: fit for fit in map(scorer.fit, _allowed(plan, candidates))}
    exact = [
        Ranked(fit.candidate, score, fit, _evidence(fit, scorer.nearness(fit.candidate)))
        for fit in fits.values()
        if (score := _score_of_exact(plan, fit))
    ]
    for one in exact:
        del fits[one.candidate.oifm_id]
    if not plan.words:  # filters alone
        return [*exact, *(Ranked(fit.candidate, 0.0, fit) for fit in fits.values())], []
    others = _promising(plan, fits.values(), best=1.0 if exact else 0.0)
    return exact, [(fit, _evidence(fit, scorer.nearness(fit.candidate))) for fit in others]


def _allowed(plan: Plan, candidates: Iterable[Candidate]) -> Iterable[Candidate]:
    if not (plan.query.phrases or plan.query.excluded):
        return candidates
    return [candidate for candidate in candidates if not _is_excluded(plan, candidate.terms)]


def _score_of_exact(plan: Plan, fit: Fit) -> float:
    """Return the score of an exact match; 0 if it is none."""
    if fit.candidate.oifm_id.lower() in plan.query.ids:
        return BY_ID
    if not fit.exact:
        return 0.0
    return _EXACT_SYNONYM if fit.number else _EXACT_NAME


def _promising(plan: Plan, fits: Iterable[Fit], best: float) -> list[Fit]:
    """Return the best *fits* by words alone, and none that is far worse than the first or than *best*."""
    only_numbers = all(word.weight <= NUMBER_WEIGHT for word in plan.words)
    found = sorted(
        (
            -round(_LABEL_SHARE * fit.label + (1 - _LABEL_SHARE) * fit.coverage, _DIGITS),
            fit.candidate.oifm_id,
            fit,
        )
        for fit in fits
        if fit.coverage == 1 or not only_numbers
    )
    least = min(found[0][0] if found else 0.0, -best) * _WORTH_WEIGHING
    return [fit for score, _, fit in found[:_MOST_WEIGHED] if score <= least]


def _evidence(fit: Fit, near: Nearness) -> Evidence:
    name = 0.0 if fit.number else fit.label
    return Evidence(fit.label, fit.asked, fit.named, name, fit.coverage, near.label, near.name, near.entry)


def _likely(plan: Plan, weighed: Sequence[tuple[Fit, Evidence]], model: Model) -> list[Ranked]:
    """Return those of *weighed* that are likely enough to be right, the best first."""
    if not weighed:
        return []
    weights = model.weights(narrative=plan.query.narrative)
    sums = [
        round(sum(map(mul, weights, evidence)) - CONTRADICTION * fit.contradicts, _DIGITS)
        for fit, evidence in weighed
    ]
    order = sorted(range(len(sums)), key=lambda place: (-sums[place], weighed[place][0].candidate.oifm_id))
    evidence = [weighed[place][1] for place in order]
    found, most = [], _MAX_INEXACT
    for place, row in zip(
        order, likelihood_inputs(sums, order, evidence, unknown_share(plan), len(plan.words)), strict=True
    ):
        fit, own = weighed[place]
        most = min(1 / (1 + exp(-sum(map(mul, model.likelihood, row)))), most)
        likely = min(most, MOST_CONTRADICTING) if fit.contradicts else most
        score = round(max(likely, LEAST), _DIGITS)
        found.append(Ranked(fit.candidate, score, fit, own))
    return found


def likelihood_inputs(
    sums: Sequence[float], order: Sequence[int], evidence: Sequence[Evidence], unknown: float, words: int
) -> list[tuple[float, ...]]:
    """Return what the likelihood of each hit is estimated from, named `INPUTS`.

    Args:
        sums: of all candidates.
        order: the places in *sums* of the hits, the best first.
        evidence: for each hit.
        unknown: the share of the query, by weight, that no entry has.
        words: how many words the query has.
    """
    best = sums[order[0]]
    total = best + log(sum([exp(value - best) for value in sums]))
    second = sums[order[1]] if len(order) > 1 else best - _ALONE
    return [
        (
            sums[place],
            sums[place] - total,
            sums[place] - second,
            unknown,
            log(words or 1),
            *own,
            own.label**2,
            1.0,
        )
        for place, own in zip(order, evidence, strict=True)
    ]


def unknown_share(plan: Plan) -> float:
    """Return the share of the query that the index does not know, by weight and quality."""
    total = sum(plan.weights)
    unknown = [
        weight * (1 - max([expansion.quality for expansion in expansions], default=0.0))
        for weight, expansions in zip(plan.weights, plan.by_place, strict=True)
    ]
    return sum(unknown) / total if total else 0.0


def shares(ranked: Ranked, plan: Plan) -> tuple[float, float]:
    """Return which part of the score comes from single words, and which from labels as a whole."""
    if ranked.evidence is None:
        return 0.0, ranked.score
    weights = ranking_model().weights(narrative=plan.query.narrative)
    by_name = {
        name: weight * value
        for name, weight, value in zip(Evidence._fields, weights, ranked.evidence, strict=True)
    }
    words = max(by_name.pop("coverage"), 0.0)
    labels = max(sum(by_name.values()), 0.0)
    share = words / (words + labels or 1.0)
    return ranked.score * share, ranked.score * (1 - share)


def _is_excluded(plan: Plan, terms: Terms) -> bool:
    query = plan.query
    if any(_has(phrase, terms[:2]) for phrase in query.excluded):
        return True
    return not all(_has(phrase, terms[:3]) for phrase in query.phrases)


def _has(phrase: Sequence[str], fields: Sequence[str]) -> bool:
    text = f" {' '.join(phrase)} "
    return any(text in f" {field} " for field in fields)
