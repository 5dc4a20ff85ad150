"""Fixtures for all tests: isolation from the user's settings and data; servers, databases and stores."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from findingmodel.stores.sqlite.store import SQLiteStore
from tests.builders import write_model
from tests.environment import isolate
from tests.servers import EXTERNAL_URI, running, servers_under_test
from tests.stores.databases import mongo_store, opening, own_database
from tests.update.update_rules import age

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from tests.servers import Server

# No deadlines: on a busy machine, an example can take longer than any of them.
settings.register_profile("default", deadline=None)
settings.register_profile("fast", max_examples=10, deadline=None)


@pytest.fixture(autouse=True, scope="session")
def bare_session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Hide the user's settings and data from fixtures that outlive a test."""
    with pytest.MonkeyPatch.context() as patch:
        isolate(patch, tmp_path_factory.mktemp("home"))
        yield


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Hide the user's settings and data from each test."""
    isolate(monkeypatch, tmp_path)


@pytest.fixture
def own_directory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Make the test's own directory the current one."""
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="session", params=servers_under_test())
def mongo_server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Each MongoDB server under test in turn, started for the first test that uses it."""
    with running(request.param) as server:
        yield server


@pytest.fixture(
    scope="session",
    params=["sqlite", *(pytest.param(kind, marks=pytest.mark.mongo) for kind in servers_under_test())],
)
def any_server(request: pytest.FixtureRequest) -> Iterator[Server | None]:
    """Each MongoDB server under test in turn, and None for a local file."""
    if request.param == "sqlite":
        yield None
        return
    with running(request.param) as server:
        yield server


@pytest.fixture(scope="session")
def replica_server() -> Iterator[Server]:
    """A replica set of one member, which supports transactions; the external server if one is set."""
    with running("external" if os.environ.get(EXTERNAL_URI) else "secantus-replica") as server:
        yield server


@pytest.fixture
def mongo_database(mongo_server: Server) -> Iterator[str]:
    """The name of a database of this test, on each server under test."""
    with own_database(mongo_server.uri) as name:
        yield name


@pytest.fixture(scope="session")
def secantus() -> Iterator[Server]:
    """The server that is most like MongoDB, for tests that need only one server."""
    with running("secantus") as server:
        yield server


@pytest.fixture
def database(secantus: Server) -> Iterator[str]:
    """The name of a database of this test on `secantus`."""
    with own_database(secantus.uri) as name:
        yield name


@pytest.fixture
async def store(any_server: Server | None, tmp_path: Path) -> AsyncIterator[Store]:
    """An open store of each kind, on a database that does not exist yet."""
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
    """A store in memory, open and set up."""
    async with opening(lambda branch: SQLiteStore(":memory:", branch=branch)) as open_store:
        opened = await open_store()
        await opened.setup()
        yield opened


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """Thirty models in two directories."""
    directory = tmp_path / "defs"
    for number in range(1, 31):
        write_model(directory, f"{'chest' if number % 2 else 'neck/deep'}/model_{number:02}.fm.json", number)
    age(directory)
    return directory
