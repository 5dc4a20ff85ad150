"""Index.warm: what the first users would wait for is loaded before."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel import Index, SyncIndex
from findingmodel.errors import ConfigError, QueryError
from findingmodel.settings import Settings
from tests.builders import write_model

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
async def url(tmp_path: Path) -> str:
    for number in range(1, 6):
        write_model(tmp_path / "defs", f"{number}.fm.json", number)
    async with Index(f"sqlite:///{tmp_path}/x.db") as index:
        await index.update_from_directory(tmp_path / "defs")
    return f"sqlite:///{tmp_path}/x.db"


async def test_warm_queries_are_answered_from_the_cache(url: str) -> None:
    async with Index(url) as index:
        assert (await index.warm(["nodule", "pulmonary nodule", "tag:"])).size >= 2
        misses = index.cache_statistics.misses
        assert len(await index.search("nodule")) == 5
        assert await index.search("pulmonary nodule")
        statistics = index.cache_statistics
        assert (statistics.misses, statistics.hits) == (misses, 2)
        assert 0 < statistics.hit_rate < 1


async def test_an_index_is_warm_when_it_opens_if_a_setting_names_queries(url: str, tmp_path: Path) -> None:
    file = tmp_path / "queries.txt"
    file.write_text("\ufeffnodule\n\n  pulmonary nodule \n", encoding="utf-8")
    settings = Settings.load(db=url, warm_queries=str(file))
    async with Index(settings=settings) as index:
        assert index.cache_statistics.misses == 2
        await index.search("nodule")
        assert index.cache_statistics.hits == 1
    with SyncIndex(Index(settings=settings)) as blocking:
        assert blocking.cache_statistics.misses == 2
        assert blocking.warm(["nodule"]).hits == 1


async def test_a_file_that_cannot_be_read_is_named(url: str, tmp_path: Path) -> None:
    index = Index(settings=Settings.load(db=url, warm_queries=str(tmp_path / "none.txt")))
    with pytest.raises(ConfigError, match=r"none\.txt' of the setting warm_queries: No such file"):
        await index.__aenter__()
    await index.close()


async def test_the_limit_of_answers_is_checked(url: str) -> None:
    async with Index(url) as index:
        with pytest.raises(QueryError):
            await index.warm(["nodule"], limit=0)
