"""Why an entry was found: `Match`, a plain tuple, so that a search can do without pydantic."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Match"]


class Match(NamedTuple):
    """One reason why a search found an entry.

    Attributes:
        stage: how the words of the query were read (`findingmodel.search.readings.STAGES`); "exact" if the
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
