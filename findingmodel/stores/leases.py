"""Who may write: the one rule by which both stores hand out the writer's lease."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from findingmodel.stores.records import Lease

__all__ = ["is_free", "runs_here"]


def is_free(held: Lease, wanted: Lease, *, now_ns: int) -> bool:
    """Return whether *held* stands in the way of *wanted* no longer.

    It is free if it is the same holder's, if it has expired, or if its process died on this host.
    """
    if held.holder == wanted.holder or held.expires_ns <= now_ns:
        return True
    return held.host == wanted.host and not runs_here(held.pid)


def runs_here(pid: int) -> bool:
    """Return whether a process *pid* runs on this host."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
