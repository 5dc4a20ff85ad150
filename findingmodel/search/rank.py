"""rank: candidates in the order of their scores. Pure, total, and the same whichever store proposed them."""

from __future__ import annotations

from heapq import heappush, heappushpop
from operator import itemgetter
from typing import TYPE_CHECKING

from findingmodel.search.scoring import DIGITS, Ranked, Scorer
from findingmodel.text.query import NUMBER_WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from findingmodel.search.plan import Plan
    from findingmodel.search.sources import Proposal
    from findingmodel.stores.records import Terms

__all__ = ["rank"]

_FLOOR, _FLOOR_UNKNOWN, _FLOOR_SENTENCE = 0.35, 0.45, 0.3
_FLOOR_BELOW_BEST = 0.2
_LOOKED_AT = 3  # the entry that covers most of the query may be second, after one with a better name


def rank(plan: Plan, proposals: Iterable[Proposal], wanted: int | None = None) -> list[Ranked]:
    """Return the proposed entries that answer the query of *plan*, best first, each once.

    Ties are broken by ``oifm_id``. One is left out that lacks a phrase of the query or has an excluded one,
    or that scores next to nothing beside the best. If the best cover too little of the query, nothing answers
    it; a word that no entry has may well be the finding, so with one of these more of the others is asked
    for. Numbers alone find only what is named so.

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
    """Return by id the entries that can be among the *wanted* best."""
    scorer = Scorer(plan)
    best: dict[str, Ranked] = {}
    scores: list[float] = []  # a heap of the wanted best
    top = 0.0
    for bound, (candidate, sureness) in sorted(
        _bounded(plan, scorer, proposals), key=itemgetter(0), reverse=True
    ):
        if bound < _least(top) or (len(scores) == wanted and bound < scores[0]):
            break
        if bound < 1 and len(scores) == wanted and not sureness and scorer.close_bound(candidate) < scores[0]:
            continue
        ranked = _fused(scorer.score(candidate), sureness)
        known = best.get(candidate.oifm_id)
        if known is None and wanted is not None:
            (heappushpop if len(scores) == wanted else heappush)(scores, ranked.score)
        if known is None or ranked.score > known.score:
            best[candidate.oifm_id] = ranked
            top = max(top, ranked.score)
    return best


def _bounded(plan: Plan, scorer: Scorer, proposals: Iterable[Proposal]) -> Iterator[tuple[float, Proposal]]:
    """Yield the proposals that the query does not exclude, with what each scores at most."""
    picky = bool(plan.query.phrases or plan.query.excluded)
    for proposal in proposals:
        if not (picky and _is_unwanted(plan, proposal[0].terms)):
            bound = scorer.bound(proposal[0])
            sureness = proposal[1]
            yield (1 - (1 - bound) * (1 - sureness) if sureness and bound < 1 else bound), proposal


def _least(top: float) -> float:
    return min(top, 1.0) * _FLOOR_BELOW_BEST


def _fused(ranked: Ranked, sureness: float) -> Ranked:
    """Return *ranked* with another source's evidence, as independent of its own."""
    if not sureness or ranked.score >= 1:
        return ranked
    return ranked._replace(
        score=round(1 - (1 - ranked.score) * (1 - sureness), DIGITS),
        coverage=1 - (1 - ranked.coverage) * (1 - sureness),
    )


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
