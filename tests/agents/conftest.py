"""An index of the samples in a file."""

from __future__ import annotations

import asyncio

import pytest

from findingmodel import Index
from tests.agents.serving import SAMPLES


@pytest.fixture(scope="session")
def samples(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of an index of the samples."""
    url = f"sqlite:///{tmp_path_factory.mktemp('index') / 'samples.db'}"

    async def fill() -> None:
        async with Index(url) as index:
            assert (await index.update_from_directory(SAMPLES)).ok

    asyncio.run(fill())
    return url
