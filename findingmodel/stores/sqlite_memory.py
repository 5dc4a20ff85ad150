"""Memory: what a connection has read that searches ask for again, until somebody writes in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from findingmodel.stores.records import Candidate, EntryRow

__all__ = ["Memory"]

_MOST = 4_096  # of each kind


class Memory:
    """What is known of one state of the file, through one connection that never writes.

    Attributes:
        size: how many entries there are; None if that was not asked for yet.
        candidates: some of them, by row number; about 1 kB each.
        entries: some of them, by id; about 3 kB each. They are shared by all who ask, and nobody's to change.
    """

    def __init__(self) -> None:
        self._version: int | None = None
        self._forget()

    def _forget(self) -> None:
        self.size: int | None = None
        self.candidates: dict[int, Candidate] = {}
        self.entries: dict[str, EntryRow] = {}

    def renew(self, version: int) -> None:
        """Forget everything if *version* is of another state than what is known."""
        if version != self._version:
            self._version = version
            self._forget()

    def shrink(self) -> None:
        """Forget what there is too much of."""
        if len(self.candidates) > _MOST:
            self.candidates = {}
        if len(self.entries) > _MOST:
            self.entries = {}
