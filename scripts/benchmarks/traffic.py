"""Traffic: counts of commands and bytes between a client and a MongoDB server."""

from __future__ import annotations

from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

import bson
from pymongo import monitoring

__all__ = ["Traffic", "connect"]

_FRAME_BYTES = 21  # header of a message
_NOT_OURS = {"hello", "ismaster", "ping", "endSessions", "dropDatabase"}


class Traffic(monitoring.CommandListener):
    """Count commands, bytes sent and bytes received."""

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Set all counts to zero."""
        self.commands = self.sent = self.received = 0

    def facts(self) -> dict[str, float]:
        """Return the counts."""
        return {"commands": self.commands, "bytes_sent": self.sent, "bytes_received": self.received}

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        """Count a command."""
        if event.command_name not in _NOT_OURS:
            self.commands += 1
            self.sent += len(bson.encode(event.command)) + _FRAME_BYTES

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        """Count the bytes of a reply."""
        if event.command_name not in _NOT_OURS:
            self.received += len(bson.encode(event.reply)) + _FRAME_BYTES

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        """Ignore failures."""


def connect(url: str, driver: str, listener: Traffic) -> tuple[Any, str]:
    """Return a client of *driver* ("motor" or "pymongo") with *listener*, and the database in *url*."""
    module, name = {
        "motor": ("motor.motor_asyncio", "AsyncIOMotorClient"),
        "pymongo": ("pymongo", "AsyncMongoClient"),
    }[driver]
    client = getattr(import_module(module), name)(url, event_listeners=[listener])
    return client, urlsplit(url).path.strip("/")
