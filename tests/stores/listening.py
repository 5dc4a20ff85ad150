"""A MongoStore whose commands are recorded."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from motor.motor_asyncio import AsyncIOMotorClient
from pymongo import monitoring

from tests.stores.databases import mongo_store

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Coroutine

    from findingmodel.stores.mongo.store import MongoStore


class Commands(monitoring.CommandListener):
    """Records the commands that a client sends."""

    def __init__(self) -> None:
        self.sent: list[monitoring.CommandStartedEvent] = []

    def started(self, event: monitoring.CommandStartedEvent) -> None:
        self.sent.append(event)

    def succeeded(self, event: monitoring.CommandSucceededEvent) -> None:
        pass

    def failed(self, event: monitoring.CommandFailedEvent) -> None:
        pass

    async def of(self, call: Coroutine[Any, Any, Any]) -> list[str]:
        """Return the names of the commands that *call* sends, sorted."""
        self.sent.clear()
        await call
        return sorted(event.command_name for event in self.sent)


@asynccontextmanager
async def listened(uri: str, database: str) -> AsyncIterator[tuple[MongoStore, Commands]]:
    """Yield a store and the record of the commands that it sends."""
    commands = Commands()
    client: Any = AsyncIOMotorClient(uri, event_listeners=[commands])
    store = mongo_store(uri, database, client=client)
    try:
        yield store, commands
    finally:
        await store.close()
        client.close()
