"""Generations: how the updates of an index are numbered, so that no two indexes are taken for one."""

from __future__ import annotations

import os

__all__ = ["first_generation"]

_ROOM = 1_000
"""So many updates can follow a start before they meet the next one; then they go on, and nothing is lost."""

_START_BYTES = 4


def first_generation() -> int:
    """Return the generation of an index whose first update is finished: one more than a random start.

    What is remembered of an index is kept by its generation, for minutes, and by other processes. If all
    began with 1, one that was dropped and filled anew would be answered from what was in the old one.

    >>> first_generation() % 1_000
    1
    """
    return int.from_bytes(os.urandom(_START_BYTES)) * _ROOM + 1
