"""rank: candidates in the order of their scores. Pure, total, and the same whichever store proposed them."""

from __future__ import annotations

from heapq import heappush, heappushpop
from operator import itemgetter
from typing import TYPE_CHECKING

from findingmodel.search.hits import EXACT
from findingmodel.search.scoring import DIGITS, Ranked, Scorer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from findingmodel.search.plan import Plan
    from findingmodel.search.sources import Proposal
    from findingmodel.stores.records import Terms

__all__ = ["rank"]

_FLOOR = 0.35  # of the coverage
_FLOOR_UNKNOWN = 0.45
_FLOOR_SENTENCE = 0.3
_FLOOR_BELOW_BEST = 0.2  # of the best score
_LOOKED_AT = 3  # the entry that covers most of the query may be second, after one with a better name


def rank(plan: Plan, proposals: Iterable[Proposal], wanted: int | None = None) -> list[Ranked]:
    """Return the proposed entries that answer the query of *plan*, best first, each once.

    Ties are broken by ``oifm_id``. One is left out that lacks a phrase of the query or has an excluded one,
    or that scores next to nothing beside the best. If the best cover too little of the query, nothing answers
    it; a word that no entry has may well be the finding, so with one of these more of the others is asked
    for.

    Args:
        plan: the query.
        proposals: from all sources.
        wanted: how many of the result must be there, the best; the others may be. All of them if None.
    """
    most = None if wanted is None else max(wanted, _LOOKED_AT)
    found = sorted(_scored(plan, proposals, most).values(), key=_order)
    if plan.words and max([one.coverage for one in found[:_LOOKED_AT]], default=0.0) < _floor(plan):
        return []
    least = _least(found[0].score) if found else 0.0
    return [one for one in found if one.score >= least]


def _scored(plan: Plan, proposals: Iterable[Proposal], wanted: int | None) -> dict[str, Ranked]:
    """Return by id the entries that can be among the *wanted* best.

    Those that may score most come first, so that the rest need no score once it cannot be high enough.
    """
    scorer = Scorer(plan)
    best: dict[str, Ranked] = {}
    wanted_scores: list[float] = []  # a heap of the best so far, of each entry as first proposed
    top = 0.0
    bounded = sorted(_bounded(plan, scorer, proposals), key=itemgetter(0), reverse=True)
    for bound, (candidate, sureness) in bounded:
        is_full = len(wanted_scores) == wanted
        if bound < _least(top) or (is_full and bound < wanted_scores[0]):
            break
        if is_full and bound < EXACT and not sureness and scorer.close_bound(candidate) < wanted_scores[0]:
            continue
        ranked = _fused(scorer.score(candidate), sureness)
        known = best.get(candidate.oifm_id)
        if known is None and wanted is not None:
            (heappushpop if is_full else heappush)(wanted_scores, ranked.score)
        if known is None or ranked.score > known.score:
            best[candidate.oifm_id] = ranked
            top = max(top, ranked.score)
    return best


def _bounded(plan: Plan, scorer: Scorer, proposals: Iterable[Proposal]) -> Iterator[tuple[float, Proposal]]:
    """Yield the proposals that the query does not exclude, with what each scores at most."""
    is_picky = bool(plan.query.phrases or plan.query.excluded)
    for proposal in proposals:
        candidate, sureness = proposal
        if not (is_picky and _is_unwanted(plan, candidate.terms)):
            bound = scorer.bound(candidate)
            yield (_together(bound, sureness) if sureness and bound < EXACT else bound), proposal


def _least(top: float) -> float:
    """Return the least score that is worth showing beside the best one, *top*."""
    return min(top, EXACT) * _FLOOR_BELOW_BEST


def _fused(ranked: Ranked, sureness: float) -> Ranked:
    """Return *ranked* with the evidence of a source that knows by other means than words."""
    if not sureness or ranked.score >= EXACT:
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
