"""An empty environment for every test here, an index of the samples, and a directory to change."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from findingmodel.config import Settings
from tests.cli.commands import SAMPLES, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for view in Settings().describe():
        for name in view.variables:
            monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)


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
def defs(tmp_path: Path) -> Path:
    """A directory of four models, to be changed."""
    directory = tmp_path / "defs"
    shutil.copytree(SAMPLES / "chest", directory)
    assert len(list(directory.iterdir())) >= 3
    return directory
