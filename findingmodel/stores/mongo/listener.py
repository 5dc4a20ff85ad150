"""PoolListener: what the driver tells of its connections, told on in two words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pymongo.monitoring import ConnectionCheckOutFailedReason, ConnectionPoolListener

if TYPE_CHECKING:
    from findingmodel.stores.mongo.pool import PoolCounter

__all__ = ["PoolListener"]


class PoolListener(ConnectionPoolListener):
    """Passes the events of one client on to *counter*. The driver calls it from any thread."""

    def __init__(self, counter: PoolCounter) -> None:
        self._counter = counter

    def connection_created(self, event: Any) -> None:
        """Count a connection that is being made."""
        self._counter.add(created=1)

    def connection_closed(self, event: Any) -> None:
        """Count a connection that is gone."""
        self._counter.add(closed=1)

    def connection_checked_out(self, event: Any) -> None:
        """Count a connection that is in use from now on."""
        self._counter.add(checked_out=1, in_use=1)

    def connection_checked_in(self, event: Any) -> None:
        """Count a connection that is free again."""
        self._counter.add(in_use=-1)

    def connection_check_out_failed(self, event: Any) -> None:
        """Count a connection that was wanted in vain."""
        if event.reason == ConnectionCheckOutFailedReason.TIMEOUT:
            self._counter.add(timeouts=1)
        else:
            self._counter.add(failures=1)

    def connection_check_out_started(self, event: Any) -> None:
        """Do nothing: how it ended is what counts."""

    def connection_ready(self, event: Any) -> None:
        """Do nothing: it was counted when it was created."""

    def pool_created(self, event: Any) -> None:
        """Do nothing: a pool without connections costs nothing."""

    def pool_ready(self, event: Any) -> None:
        """Do nothing, likewise."""

    def pool_cleared(self, event: Any) -> None:
        """Do nothing: its connections are closed one by one."""

    def pool_closed(self, event: Any) -> None:
        """Do nothing, likewise."""
