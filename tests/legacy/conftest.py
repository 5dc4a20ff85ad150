"""Fixtures: an index as code for findingmodel 0.3 makes it, on a file and on each MongoDB server."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from motor.motor_asyncio import AsyncIOMotorClient

from findingmodel import FindingModelFull, Index
from tests.builders import make_model
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.servers import Server


@pytest.fixture(autouse=True)
def where_no_settings_are(own_directory: None) -> None:
    """Change to an empty directory: programs use relative file names, and read settings from there."""


@pytest.fixture
async def index(any_server: Server | None, tmp_path: Path) -> AsyncIterator[Index]:
    """An index that is never closed: 0.3 had no method ``close``."""
    if any_server is None:
        index = Index("sqlite:///index.db")
        await index.setup_indexes()
        yield index
        await index.close()
        return
    client: Any = AsyncIOMotorClient(any_server.uri)
    with own_database(any_server.uri) as name:
        index = Index(client=client, db_name=name, branch="main")
        await index.setup_indexes()
        await index.setup_indexes()
        yield index
    client.close()


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    directory = tmp_path / "defs"
    directory.mkdir()
    return directory


@pytest.fixture
async def populated(index: Index, defs: Path) -> Index:
    """An index with six models, whose files are in `defs`."""
    for number in range(1, 7):
        await index.add_or_update_entry_from_file(save(defs, model_of(number)))
    return index


def model_of(number: int, /, **changes: Any) -> FindingModelFull:
    return FindingModelFull(**make_model(number, **changes))


def save(directory: Path, model: FindingModelFull) -> Path:
    path = directory / f"{model.oifm_id.lower()}.fm.json"
    path.write_text(json.dumps(model.model_dump(exclude_none=True), indent=2))
    return path
