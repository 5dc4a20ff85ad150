"""HitRow: what a search finds, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from findingmodel.index.results import SearchHit
    from findingmodel.stores.records import EntryRow

__all__ = ["EXACT", "HitRow", "Match", "is_clear", "main_reason"]


class Match(NamedTuple):
    """One reason why a search found an entry.

    Attributes:
        stage: how the words of the query were read (`findingmodel.search.expansion.STAGES`); "exact" if the
            query as a whole is the field, "label" for how well the best name or synonym as a whole fits the
            query, "filter" for what a filter by code found.
        field: where they were found: "id", "name", "slug", "synonym", "description", "code", or "other" for
            tags, attributes and initials.
        terms: what was found there, in the words of the entry; of a code its place ("model", "attribute" or
            "value"), and the id and the name of what carries it there.
        score: what this adds to the score of the hit; all together are the score.
    """

    stage: str
    field: str
    terms: tuple[str, ...]
    score: float


EXACT = 1.0
"""A score of this and more is that of an exact match."""

_WHOLE = ("exact", "label")  # stages that compare whole names
_GOOD = 0.5  # on judged queries a best hit below this is the right one in 4 of 10 cases
_NEAR = 0.8  # with a second hit nearer than this the best one is right in 6 of 10 cases, else in 9


class HitRow(NamedTuple):
    """An entry that answers a query.

    Attributes:
        entry: the entry.
        score: greater is better; 1 and more is an exact match.
        matched: why it was found.
        negated: the query denies this finding, as in "no pneumothorax".
    """

    entry: EntryRow
    score: float
    matched: tuple[Match, ...]
    negated: bool = False


def is_clear(hits: Sequence[HitRow | SearchHit]) -> bool:
    """Return whether the first of *hits*, best first, is good and the second clearly worse.

    An exact match is clear unless another entry matches as exactly: models may share a synonym.
    """
    best = hits[0].score if hits else 0.0
    second = hits[1].score if len(hits) > 1 else 0.0
    if best >= EXACT:
        return second < best
    return best >= _GOOD and second < _NEAR * best


def main_reason(hit: HitRow | SearchHit) -> Match | None:
    """Return what best tells why *hit* was found; None if a filter alone did.

    A whole name or synonym tells more than words do.
    """
    whole = [match for match in hit.matched if match.stage in _WHOLE]
    reasons = whole or hit.matched
    return reasons[0] if reasons else None
