"""Tally: how often each promise was attacked, and what it did not stand."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["NotMadeError", "Tally"]

_MOST_TOLD = 20


class NotMadeError(Exception):
    """An attack cannot be made on this machine, which says nothing of what would hold."""


class Tally:
    """What one attack did.

    Attributes:
        counts: what was done, and how often.
        broken: each breach of a promise, in a sentence.
    """

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.broken: list[str] = []

    def count(self, what: str, by: int = 1) -> None:
        """Count what was done."""
        self.counts[what] += by

    def expect(self, holds: object, otherwise: str) -> None:
        """Take note of a breach unless something *holds*."""
        if not holds:
            self.broken.append(otherwise)

    def none_of(self, breaches: Iterable[str], where: str) -> None:
        """Take note of *breaches*, which came to light at *where*."""
        self.broken += [f"{where}: {breach}" for breach in breaches]

    def as_dict(self) -> dict[str, Any]:
        """Return the counts and the breaches, as JSON has them."""
        return {"counts": dict(self.counts), "broken": self.broken[:_MOST_TOLD], "breaches": len(self.broken)}
