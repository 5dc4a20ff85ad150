"""rank: candidates in the order of their scores. Pure, total, and the same whichever store proposed them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.search.hits import EXACT
from findingmodel.search.score import DIGITS, Ranked, Scorer
from findingmodel.text.query import NUMBER_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.search.candidates import Proposal
    from findingmodel.search.plan import Plan
    from findingmodel.stores.records import Terms

__all__ = ["rank"]

_FLOOR = 0.35  # of the coverage
_FLOOR_UNKNOWN = 0.45
_FLOOR_SENTENCE = 0.3
_FLOOR_BELOW_BEST = 0.2  # of the best score
_LOOKED_AT = 3  # the entry that covers most of the query may be second, after one with a better name


def rank(plan: Plan, proposals: Iterable[Proposal]) -> list[Ranked]:
    """Return the proposed entries that answer the query of *plan*, best first, each once.

    Ties are broken by ``oifm_id``. One is left out that lacks a phrase of the query or has an excluded one,
    or that scores next to nothing beside the best. If the best cover too little of the query, nothing answers
    it; a word that no entry has may well be the finding, so with one of these more of the others is asked
    for. Numbers alone find only what is named so.
    """
    found = sorted(_scored(plan, proposals).values(), key=_order)
    if plan.words and max([one.coverage for one in found[:_LOOKED_AT]], default=0.0) < _floor(plan):
        return []
    least = min(found[0].score, EXACT) * _FLOOR_BELOW_BEST if found else 0.0
    return [one for one in found if one.score >= least]


def _scored(plan: Plan, proposals: Iterable[Proposal]) -> dict[str, Ranked]:
    """Return by id the entries that the query does not exclude."""
    scorer = Scorer(plan)
    is_picky = bool(plan.query.phrases or plan.query.excluded)
    best: dict[str, Ranked] = {}
    for candidate, sureness in proposals:
        if is_picky and _is_unwanted(plan, candidate.terms):
            continue
        ranked = scorer.score(candidate)
        if sureness:
            ranked = _fused(ranked, sureness)
        known = best.get(candidate.oifm_id)
        if known is None or ranked.score > known.score:
            best[candidate.oifm_id] = ranked
    return best


def _fused(ranked: Ranked, sureness: float) -> Ranked:
    """Return *ranked* with the evidence of a source that knows by other means than words."""
    if ranked.score >= EXACT:
        return ranked
    return ranked._replace(
        score=round(_together(ranked.score, sureness), DIGITS),
        coverage=_together(ranked.coverage, sureness),
    )


def _together(one: float, other: float) -> float:
    """Return how sure two independent pieces of evidence make, as probabilities would."""
    return 1 - (1 - one) * (1 - other)


def _order(ranked: Ranked) -> tuple[float, str]:
    return (-ranked.score, ranked.candidate.oifm_id)


def _floor(plan: Plan) -> float:
    if all(word.weight <= NUMBER_WEIGHT for word in plan.words):
        return 1.0
    if plan.query.narrative:
        return _FLOOR_SENTENCE
    return _FLOOR_UNKNOWN if plan.unknown else _FLOOR


def _is_unwanted(plan: Plan, terms: Terms) -> bool:
    query = plan.query
    if any(_has(phrase, terms[:2]) for phrase in query.excluded):
        return True
    return not all(_has(phrase, terms[:3]) for phrase in query.phrases)


def _has(phrase: Sequence[str], fields: Sequence[str]) -> bool:
    text = f" {' '.join(phrase)} "
    return any(text in f" {field} " for field in fields)
