"""The writer's lease: the value that stores keep, and the one rule by which they grant it.

How an update takes, renews and waits for it is in `findingmodel.update.lease`.
"""

from __future__ import annotations

import os
import time
from typing import NamedTuple


class Lease(NamedTuple):
    """The right to write, held by one update at a time."""

    holder: str  # unique for each update
    host: str
    pid: int  # on that host, where the death of the holder can be noticed
    expires_ns: int  # since the epoch; afterwards anyone may take the lease

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


def is_free(held: Lease, requested: Lease, *, now_ns: int) -> bool:
    """Return whether *requested* may replace *held*.

    It may if both have the same holder, if *held* has expired, or if its process died on this host.
    """
    if held.holder == requested.holder or held.expires_ns <= now_ns:
        return True
    is_neighbour = held.host == requested.host and _pid_namespace(held) in ("", _pid_namespace(requested))
    return is_neighbour and not runs_here(held.pid)


def is_orphaned(held: Lease | None) -> bool:
    """Return whether the holder of *held* has gone without releasing it."""
    if held is None:
        return False
    nobody = Lease(new_holder(), os.uname().nodename, 0, 0)
    return is_free(held, nobody, now_ns=time.time_ns())


def new_holder() -> str:
    """Return a unique holder that starts with the process's PID namespace.

    Containers may share a host name while each numbers its own processes: a process that is invisible from
    another namespace must not be taken for dead.
    """
    try:
        namespace = os.stat("/proc/self/ns/pid").st_ino  # noqa: PTH116  # pathlib costs start-up time
    except OSError:
        namespace = 0  # the system has one for all processes
    return f"{namespace}.{os.urandom(8).hex()}"


def _pid_namespace(lease: Lease) -> str:
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
