"""The writer's lease: the values that stores keep, and the one rule by which they grant it.

How an update takes, renews and waits for it is in `findingmodel.update.lease`.
"""

from __future__ import annotations

import os
from enum import StrEnum
from functools import cache
from typing import NamedTuple

from findingmodel.errors import LeaseHeldError

LONGEST_SECONDS = 86_400
"""The longest time that a lease can be taken for."""

_NS = 1_000_000_000
_SKEW_NS = 5 * _NS  # clocks of machines that share a file may differ by this


class Writer(NamedTuple):
    """An update, or another write, that holds the lease or asks for it."""

    holder: str  # random; unique for each update
    process: str = ""  # random; unique for each process
    system: str = ""  # the boot and the PID namespace in which `pid` is a process; "" if unknown
    host: str = ""  # for display: containers may share a host name
    pid: int = 0

    def __str__(self) -> str:
        return f"process {self.pid} on {self.host}"


class Lease(NamedTuple):
    """The right to write, held by one writer at a time."""

    writer: Writer
    expires_ns: int  # since the epoch; the clock is the server's, or this machine's for a file
    lasts_ns: int = LONGEST_SECONDS * _NS  # from its last renewal

    @classmethod
    def starting(cls, writer: Writer, now_ns: int, seconds: float) -> Lease:
        """Return the lease of *writer* that starts at *now_ns* and lasts *seconds*."""
        lasts_ns = int(seconds * _NS)
        return cls(writer, now_ns + lasts_ns, lasts_ns)

    def revoked(self) -> Lease:
        """Return this lease as it is stored after it was ended: expired, and no longer its holder's."""
        return Lease(self.writer._replace(holder=os.urandom(8).hex()), 0, 0)

    def __str__(self) -> str:
        return str(self.writer)


class LeaseState(StrEnum):
    """What is known of the writer that holds a lease."""

    RUNNING = "running"  # its process runs on this system
    UNKNOWN = "unknown"  # it has some time left, and its process cannot be seen from here
    DEAD = "dead"  # its process has ended on this system
    EXPIRED = "expired"  # it was not renewed in time
    VOID = "void"  # it ends later than it can last, so it was taken by a clock that was wrong

    @property
    def is_free(self) -> bool:
        """Whether any writer may take the lease."""
        return self in (LeaseState.DEAD, LeaseState.EXPIRED, LeaseState.VOID)


class LeaseStatus(NamedTuple):
    """A stored lease, and what is known of its writer."""

    lease: Lease
    state: LeaseState
    seconds_left: float

    @classmethod
    def at(cls, lease: Lease, now_ns: int) -> LeaseStatus:
        """Return the status of *lease* at *now_ns*, by the clock that it was taken by."""
        left = lease.expires_ns - now_ns
        return cls(lease, _state(lease, left), left / _NS)


def _state(lease: Lease, left_ns: int) -> LeaseState:
    if left_ns <= 0:
        return LeaseState.EXPIRED
    if left_ns > lease.lasts_ns + _SKEW_NS:
        return LeaseState.VOID
    writer = lease.writer
    if not writer.system or writer.system != this_system():
        return LeaseState.UNKNOWN
    return LeaseState.RUNNING if runs_here(writer.pid) else LeaseState.DEAD


def is_free(lease: Lease, writer: Writer, *, now_ns: int) -> bool:
    """Return whether *writer* may take *lease*: it holds it, or its holder is gone."""
    return holds(lease, writer) or LeaseStatus.at(lease, now_ns).state.is_free


def holds(lease: Lease | None, writer: Writer) -> bool:
    """Return whether *writer* holds the stored *lease*, be it expired."""
    return lease is not None and lease.writer.holder == writer.holder


def lease_lost(lease: Lease | None) -> LeaseHeldError:
    """Return the error of a writer that lost its lease, as it may after a pause, to that of *lease*."""
    by = "" if lease is None or lease.expires_ns == 0 else f" to {lease}"
    return LeaseHeldError(
        f"this update paused for so long that it lost its lease{by}; what it wrote before stays, "
        "and the next update does the rest"
    )


def new_writer() -> Writer:
    """Return a new writer of this process."""
    pid = os.getpid()
    return Writer(os.urandom(8).hex(), this_process(), this_system(), os.uname().nodename, pid)


def this_process() -> str:
    """Return the random token of this process; a forked child has another one."""
    return _process_token(os.getpid())


@cache
def _process_token(_pid: int) -> str:
    return os.urandom(8).hex()


@cache
def this_system() -> str:
    """Return the boot and the PID namespace of this process, within which a PID means one process.

    The namespace alone would not do: the first one of every host has the same number. A system without
    namespaces is known by the address of its network card; without either, the result is empty, and no PID
    decides.
    """
    try:
        with open("/proc/sys/kernel/random/boot_id") as file:  # noqa: PTH123  # pathlib costs start-up time
            return f"{file.read().strip()}/{os.stat('/proc/self/ns/pid').st_ino}"  # noqa: PTH116
    except OSError:
        import uuid  # here, because most systems do without

        node = uuid.getnode()
        is_random = bool(node >> 40 & 1)  # RFC 9562, section 6.10
        return "" if is_random else f"{node:012x}"


def runs_here(pid: int) -> bool:
    """Return whether a process *pid* runs on this system; a zombie does not."""
    if pid <= 0:
        return False
    try:
        os.kill(pid, 0)
    except (ProcessLookupError, OverflowError):
        return False
    except PermissionError:
        pass
    return not _is_zombie(pid)


def _is_zombie(pid: int) -> bool:
    """Return whether the process has ended and waits for its parent.

    Source: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:  # noqa: PTH123
            status = file.read()
    except OSError:  # it has gone since, or the system has no such files
        return False
    return status.rpartition(b")")[2].split()[:1] in ([b"Z"], [b"X"], [b"x"])
