"""Memory: what a connection has read that searches ask for again and again, until somebody writes in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from findingmodel.stores.records import Candidate

__all__ = ["Memory"]

_MOST = 4_096  # candidates, of 2 kB each


class Memory:
    """What is known of one state of the file, through one connection that never writes.

    Attributes:
        entries: how many there are; None if that was not asked for yet.
        candidates: some of them, by row number.
    """

    def __init__(self) -> None:
        self._version: int | None = None
        self.entries: int | None = None
        self.candidates: dict[int, Candidate] = {}

    def renew(self, version: int) -> None:
        """Forget everything if *version* is of another state than what is known."""
        if version != self._version:
            self._version, self.entries, self.candidates = version, None, {}

    def shrink(self) -> None:
        """Forget candidates if there are many."""
        if len(self.candidates) > _MOST:
            self.candidates = {}
