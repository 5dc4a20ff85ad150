"""An index of the samples, and a directory to change."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from tests.builders import write_model
from tests.cli.commands import SAMPLES, edit, run
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers import Server


@pytest.fixture(autouse=True)
def where_no_settings_are(own_directory: None) -> None:
    """Run each test in a directory of its own, where no settings are."""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An index of the samples."""
    path = tmp_path_factory.mktemp("index") / "samples.db"
    result = run("index", "update", SAMPLES, "--db", path)
    assert result.exit_code == 0, result.output
    return path


@pytest.fixture
def db(filled: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An index of the samples, selected by the environment."""
    monkeypatch.setenv("FINDINGMODEL_DB", str(filled))
    return filled


@pytest.fixture
def place(any_server: Server | None, tmp_path: Path) -> Iterator[str]:
    """The URL of a database that does not exist yet, once for each kind."""
    if any_server is None:
        yield str(tmp_path / "index.db")
        return
    with own_database(any_server.uri) as name:
        yield any_server.url(name)


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """A directory of four models to change."""
    directory = tmp_path / "defs"
    shutil.copytree(SAMPLES / "chest", directory)
    assert len(list(directory.iterdir())) >= 3
    return directory


@pytest.fixture
def samples(place: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """An index of the samples in each kind of database, selected by the environment."""
    monkeypatch.setenv("FINDINGMODEL_DB", place)
    assert run("index", "update", SAMPLES).exit_code == 0
    return place


@pytest.fixture
def edited(samples: str, tmp_path: Path) -> Path:
    """The samples with one edited, one added, one moved, one removed and one broken file."""
    directory = tmp_path / "edited"
    for path in SAMPLES.rglob("*.fm.json"):
        copy = directory / path.relative_to(SAMPLES)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(path.read_bytes())
    edit(directory / "chest/pneumothorax.fm.json", description="Air where\nit should not be.")
    write_model(directory, "new/nodule.fm.json", 1, name="nodule <b>\x1b[31mred")
    (directory / "msk/baker_s_cyst.fm.json").rename(directory / "baker.fm.json")
    (directory / "chest/pulmonary_embolism.fm.json").unlink()
    (directory / "breast/breast_mass.fm.json").write_text("{")
    return directory
