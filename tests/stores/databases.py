"""Databases of a test's own, and stores on them."""

from __future__ import annotations

import contextlib
import uuid
from typing import TYPE_CHECKING

import pymongo

from findingmodel.stores.mongo.pool import PoolSettings
from findingmodel.stores.mongo.store import MongoStore

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator
    from typing import Any, Literal

    from findingmodel.stores.protocol import Store
    from tests.stores.contract_support import OpenStore


@contextlib.asynccontextmanager
async def opening(make: Callable[[str], Store]) -> AsyncIterator[OpenStore]:
    """Lend a function that opens stores, which *make* makes; they are closed with the block."""
    async with contextlib.AsyncExitStack() as opened:

        async def open_store(branch: str = "main") -> Store:
            store = make(branch)
            opened.push_async_callback(store.close)
            await store.open()
            return store

        yield open_store


@contextlib.contextmanager
def own_database(uri: str) -> Iterator[str]:
    """Lend the name of a database that does not exist, and drop it."""
    name = f"test_{uuid.uuid4().hex}"
    with pymongo.MongoClient[dict[str, object]](uri) as client:
        try:
            yield name
        finally:
            client.drop_database(name)


def mongo_store(
    uri: str, database: str, branch: str = "main", driver: Literal["motor", "pymongo"] = "motor", **parts: Any
) -> MongoStore:
    return MongoStore(uri, database=database, branch=branch, pool=PoolSettings(driver=driver), **parts)
