"""HitRow and MatchRow: what a search finds, and why."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from findingmodel.stores.records import EntryRow

__all__ = ["HitRow", "MatchRow"]


class MatchRow(NamedTuple):
    """One reason why an entry was found.

    Attributes:
        stage: how the words of the query were read (`findingmodel.search.readings.STAGES`); "exact" if the
            query as a whole is the field, "label" for how well the best name or synonym as a whole fits the
            query.
        field: where they were found: "id", "name", "slug", "synonym", "description", or "other" for tags,
            attributes and initials.
        terms: what was found there, in the words of the entry.
        score: what this adds to the score of the hit; all together are the score.
    """

    stage: str
    field: str
    terms: tuple[str, ...]
    score: float


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
    matched: tuple[MatchRow, ...]
    negated: bool = False
