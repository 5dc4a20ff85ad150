"""Tally: counts and breaches of an attack."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NotMadeError", "Tally"]

_MOST_SHOWN = 20


class NotMadeError(Exception):
    """The attack is impossible on this machine, so there is no result."""


class Tally:
    """The result of one attack.

    Attributes:
        counts: how often each action was taken.
        broken: one sentence for each breach of a guarantee.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []

    def count(self, what: str, by: int = 1) -> None:
        """Count an action."""
        self.counts[what] += by

    def expect(self, holds: object, otherwise: str) -> None:
        """Record the breach *otherwise* unless *holds* is true."""
        if not holds:
            self.broken.append(otherwise)

    def none_of(self, breaches: Iterable[str], where: str) -> None:
        """Record *breaches*, found at *where*."""
        self.broken += [f"{where}: {breach}" for breach in breaches]

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and the breaches for JSON."""
        return {
            "counts": dict(self.counts),
            "broken": self.broken[:_MOST_SHOWN],
            "breaches": len(self.broken),
        }
