"""An index of the samples, and a directory to change."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import SAMPLES, run
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Server


@pytest.fixture(autouse=True)
def where_no_settings_are(own_directory: None) -> None:
    """Commands and programs name files without a directory, and look for settings where they are."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the samples."""
    path = tmp_path_factory.mktemp("index") / "samples.db"
    result = run("index", "update", SAMPLES, "--db", path)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def db(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The index of the samples, as the one that the environment names."""
    monkeypatch.setenv("FINDINGMODEL_DB", str(filled))
    return filled


@pytest.fixture
def place(any_server: Server | None, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not exist yet, of each kind."""
    if any_server is None:
        yield str(tmp_path / "index.db")
        return
    with own_database(any_server.uri) as name:
        yield f"{any_server.uri}/{name}"


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """A directory of four models, to be changed."""
    directory = tmp_path / "defs"
    shutil.copytree(SAMPLES / "chest", directory)
    assert len(list(directory.iterdir())) >= 3
    return directory
