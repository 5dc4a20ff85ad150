"""ServerFacts: what a server says of itself, its clock above all."""

from __future__ import annotations

import time
from datetime import UTC
from typing import TYPE_CHECKING, Any, NamedTuple

from pymongo.errors import OperationFailure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    Clock = Callable[[], int]

_NO_SUCH_COMMAND = 59
_SECOND_NS = 1_000_000_000
_MAX_AGE_NS = 60 * _SECOND_NS


class ServerFacts(NamedTuple):
    """The reply to one ``hello``.

    Attributes:
        now_ns: the server's time when it replied, since the epoch.
        read_at_ns: this process's monotonic time when the reply was read.
        has_transactions: whether it is a member of a replica set, or a router of a sharded cluster.
    """

    now_ns: int
    read_at_ns: int
    has_transactions: bool

    @classmethod
    async def ask(cls, database: Any) -> ServerFacts:
        """Return the facts of the server of *database*; the defaults if it does not know the command."""
        try:
            hello = await database.command("hello")
        except OperationFailure as error:
            if error.code != _NO_SUCH_COMMAND:
                raise
            hello = {}
        return cls.of(hello)

    @classmethod
    def of(cls, hello: dict[str, Any], *, clock: Clock = time.time_ns) -> ServerFacts:
        """Return the facts in the reply *hello*; a server that tells no time has that of *clock*."""
        local_time: datetime | None = hello.get("localTime")
        if local_time is None:
            now_ns = clock()
        else:
            at = local_time if local_time.tzinfo else local_time.replace(tzinfo=UTC)
            now_ns = int(at.timestamp() * 1_000) * 1_000_000
        has_transactions = bool(hello.get("setName")) or hello.get("msg") == "isdbgrid"
        return cls(now_ns, time.monotonic_ns(), has_transactions)

    @property
    def is_old(self) -> bool:
        """Whether the server should be asked again: its clock may have been set since."""
        return time.monotonic_ns() - self.read_at_ns > _MAX_AGE_NS

    def time_ns(self) -> int:
        """Return the server's time now, since the epoch, whatever this machine's wall clock says."""
        return self.now_ns + time.monotonic_ns() - self.read_at_ns
