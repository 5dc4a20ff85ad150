"""An index of the samples in a file, and the SDK's client connected to a server within the test."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from findingmodel import Index
from tests.agents.serving import SAMPLES
from tests.environment import isolate

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    isolate(monkeypatch, tmp_path)


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of an index of the samples."""
    url = f"sqlite:///{tmp_path_factory.mktemp('index') / 'samples.db'}"

    async def fill() -> None:
        async with Index(url) as index:
            assert (await index.update_from_directory(SAMPLES)).ok

    asyncio.run(fill())
    return url
