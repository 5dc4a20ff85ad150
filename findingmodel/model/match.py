"""Why an entry was found: `Match`, a plain tuple, so that a search can do without pydantic."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Match"]


class Match(NamedTuple):
    """One reason why a search found an entry.

    Attributes:
        stage: the step of the search that found it, such as ``exact`` or ``fuzzy``.
        field: the field of the entry that matched, such as ``name`` or ``synonyms``.
        terms: the terms of the query that matched there.
        score: what this match is worth; higher is better.
    """

    stage: str
    field: str
    terms: tuple[str, ...]
    score: float
