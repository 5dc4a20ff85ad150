"""An index on every kind of store, for the tests of the write path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.stores.sqlite import SQLiteStore
from tests.servers import any_server
from tests.stores.databases import mongo_store, opening, own_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from tests.servers import Server

__all__ = ["any_server"]  # fixtures are found by their names here


@pytest.fixture
async def store(any_server: Server | None, tmp_path: Path) -> AsyncIterator[Store]:
    """An open store, of each kind, on a database that does not exist yet."""
    if any_server is None:
        async with opening(lambda branch: SQLiteStore(tmp_path / "index.db", branch=branch)) as open_store:
            yield await open_store()
        return
    uri = any_server.uri
    with own_database(uri) as name:
        async with opening(lambda branch: mongo_store(uri, name, branch)) as open_store:
            yield await open_store()


@pytest.fixture
async def memory() -> AsyncIterator[Store]:
    """A store in memory, that is open and set up."""
    async with opening(lambda branch: SQLiteStore(":memory:", branch=branch)) as open_store:
        opened = await open_store()
        await opened.setup()
        yield opened
