"""A database for each test, and stores on it."""

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
    """Yield a function that opens the stores that *make* returns; they are closed after the block."""
    async with contextlib.AsyncExitStack() as opened:

        async def open_store(branch: str = "main") -> Store:
            store = make(branch)
            opened.push_async_callback(store.close)
            await store.open()
            return store

        yield open_store


@contextlib.contextmanager
def own_database(uri: str) -> Iterator[str]:
    """Yield the name of a database that does not exist, and drop it afterwards."""
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
