"""Servers and databases for the tests of stores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.servers import mongo_server, replica_server, running
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers import Server

__all__ = ["mongo_server", "replica_server"]  # fixtures are found by their names here


@pytest.fixture
def mongo_database(mongo_server: Server) -> Iterator[str]:
    """The name of a database of the test's own on each server under test."""
    with own_database(mongo_server.uri) as name:
        yield name


@pytest.fixture(scope="session")
def secantus() -> Iterator[Server]:
    """The most faithful of the servers, for tests that need one and not every one."""
    with running("secantus") as server:
        yield server


@pytest.fixture
def database(secantus: Server) -> Iterator[str]:
    """The name of a database of the test's own on that server."""
    with own_database(secantus.uri) as name:
        yield name
