"""Who may write: the one rule by which both stores hand out the writer's lease."""

from __future__ import annotations

import os
import time

from findingmodel.stores.records import Lease

__all__ = ["is_free", "is_orphaned", "new_holder", "runs_here"]


def is_free(held: Lease, wanted: Lease, *, now_ns: int) -> bool:
    """Return whether *held* stands in the way of *wanted* no longer.

    It is free if it is the same holder's, if it has expired, or if its process died on this host.
    """
    if held.holder == wanted.holder or held.expires_ns <= now_ns:
        return True
    is_neighbour = held.host == wanted.host and _processes_of(held) in ("", _processes_of(wanted))
    return is_neighbour and not runs_here(held.pid)


def is_orphaned(held: Lease | None) -> bool:
    """Return whether whoever took *held* is gone and has not given it back."""
    if held is None:
        return False
    nobody = Lease(new_holder(), os.uname().nodename, 0, 0)
    return is_free(held, nobody, now_ns=time.time_ns())


def new_holder() -> str:
    """Return the name of a new holder, which says whose process numbers it goes by.

    Containers may have one host name, and each its own processes: who cannot see a process there must not
    take it for dead.
    """
    try:
        space = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116  # pathlib costs start-up time
    except OSError:
        space = 0  # a system that has one for all
    return f"{space}.{os.urandom(8).hex()}"


def _processes_of(lease: Lease) -> str:
    return lease.holder.rpartition(".")[0]


def runs_here(pid: int) -> bool:
    """Return whether a process *pid* runs on this host."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
