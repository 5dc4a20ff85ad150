"""Index.transaction: writes become visible together or not at all, in SQLite and in a replica set."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from findingmodel import Index
from findingmodel.errors import DocumentError, LeaseHeldError, TransactionError
from tests.builders import write_model
from tests.stores.databases import own_database

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.servers import Server


class RollbackError(Exception):
    """Raised to roll back a transaction."""


@pytest.fixture(params=["sqlite", pytest.param("mongodb", marks=pytest.mark.mongo)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/x.db"
        return
    server: Server = request.getfixturevalue("replica_server")
    with own_database(server.uri) as name:
        yield server.url(name)


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    for number in range(1, 6):
        write_model(tmp_path / "defs", f"{number}.fm.json", number)
    return tmp_path / "defs"


@pytest.fixture
async def index(url: str, defs: Path) -> AsyncIterator[Index]:
    async with Index(url) as index:
        await index.update_from_directory(defs)
        yield index


@pytest.fixture
async def reader(url: str, index: Index) -> AsyncIterator[Index]:
    async with Index(url) as reader:
        yield reader


async def ids(index: Index) -> list[int]:
    return sorted(int(entry.oifm_id[-6:]) for entry in (await index.all()).entries)


async def test_changes_become_visible_together_at_the_end(
    index: Index, reader: Index, tmp_path: Path
) -> None:
    six, seven = write_model(tmp_path, "6.fm.json", 6), write_model(tmp_path, "7.fm.json", 7)
    async with index.transaction():
        await index.add_or_update_entry_from_file(six)
        assert await index.remove_entry("OIFM_TEST_000001")
        await index.add_or_update_entry_from_file(seven)
        assert await ids(index) == [2, 3, 4, 5, 6, 7]
        assert [hit.oifm_id for hit in await index.search("PN6", limit=1)] == ["OIFM_TEST_000006"]
        assert await ids(reader) == [1, 2, 3, 4, 5]
        assert await reader.search("PN6", limit=1) != await index.search("PN6", limit=1)
    assert await ids(index) == await ids(reader) == [2, 3, 4, 5, 6, 7]


async def test_an_error_rolls_back_and_leaves_nothing_in_the_cache(
    index: Index, reader: Index, tmp_path: Path
) -> None:
    six, other = write_model(tmp_path, "6.fm.json", 6), write_model(tmp_path, "8.fm.json", 8)

    async def change() -> None:
        async with index.transaction():
            await index.add_or_update_entry_from_file(six)
            await index.remove_entry("OIFM_TEST_000001")
            assert (await index.search("PN6", limit=1))[0].oifm_id == "OIFM_TEST_000006"
            assert await index.suggest("PN6")
            raise RollbackError

    with pytest.raises(RollbackError):
        await change()
    assert await ids(index) == await ids(reader) == [1, 2, 3, 4, 5]
    await index.add_or_update_entry_from_file(other)  # takes the generation that was rolled back
    assert "OIFM_TEST_000006" not in {hit.oifm_id for hit in await index.search("PN6")}
    assert await index.suggest("PN6") == []
    assert (await index.search("PN8", limit=1))[0].oifm_id == "OIFM_TEST_000008"


async def test_a_refused_file_does_not_end_the_transaction(index: Index, tmp_path: Path) -> None:
    six = write_model(tmp_path, "6.fm.json", 6)
    taken = write_model(tmp_path, "7.fm.json", 7, name="pulmonary nodule of type 2")
    async with index.transaction():
        await index.add_or_update_entry_from_file(six)
        with pytest.raises(DocumentError, match="already belongs to"):
            await index.add_or_update_entry_from_file(taken)
    assert await ids(index) == [1, 2, 3, 4, 5, 6]


async def test_a_transaction_may_update_from_a_directory(index: Index, reader: Index, defs: Path) -> None:
    write_model(defs, "9.fm.json", 9)
    (defs / "1.fm.json").unlink()
    async with index.transaction():
        report = await index.update_from_directory(defs)
        assert (report.added, report.removed) == (1, 1)
        assert await index.remove_entry("OIFM_TEST_000002")
        assert await ids(reader) == [1, 2, 3, 4, 5]
    assert await ids(reader) == [3, 4, 5, 9]


async def test_tasks_of_a_transaction_write_in_turn(index: Index, tmp_path: Path) -> None:
    files = [write_model(tmp_path, f"{number}.fm.json", number) for number in range(10, 20)]
    async with index.transaction():
        await asyncio.gather(*(index.add_or_update_entry_from_file(file) for file in files))
    assert await ids(index) == [*range(1, 6), *range(10, 20)]


async def test_transactions_do_not_nest(index: Index) -> None:
    async with index.transaction():
        with pytest.raises(TransactionError, match="do not nest"):
            await index.transaction().__aenter__()
        assert await index.remove_entry("OIFM_TEST_000001")
    assert await ids(index) == [2, 3, 4, 5]


async def test_a_task_outside_waits_for_the_end(index: Index) -> None:
    is_open, may_end = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with index.transaction():
            await index.remove_entry("OIFM_TEST_000001")
            is_open.set()
            await may_end.wait()

    holding = asyncio.create_task(hold())
    await is_open.wait()
    removing = asyncio.create_task(index.remove_entry("OIFM_TEST_000001"))
    assert await ids(index) == [1, 2, 3, 4, 5]
    may_end.set()
    await holding
    assert await removing is False


@pytest.mark.mongo
async def test_the_error_of_another_index_names_the_writer(replica_server: Server, defs: Path) -> None:
    with own_database(replica_server.uri) as name:
        url = replica_server.url(name)
        async with Index(url) as index, Index(url) as other:
            await index.update_from_directory(defs)
            async with index.transaction():
                await index.remove_entry("OIFM_TEST_000001")
                with pytest.raises(LeaseHeldError, match="another update is running, process"):
                    await other.remove_entry("OIFM_TEST_000002")
            assert await other.remove_entry("OIFM_TEST_000002")
            assert await ids(index) == [3, 4, 5]


@pytest.mark.mongo
async def test_a_standalone_server_has_no_transactions(secantus: Server, defs: Path) -> None:
    with own_database(secantus.uri) as name:
        async with Index(secantus.url(name)) as index:
            with pytest.raises(TransactionError, match="replica sets and sharded clusters only"):
                await index.transaction().__aenter__()
            assert (await index.update_from_directory(defs)).added == 5
