"""SQLiteStore: the contract, and what only SQLite has: the file, its permissions, its schema version."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
from contextlib import closing, contextmanager
from contextvars import Context
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import (
    StoreClosedError,
    StoreError,
    StoreSchemaError,
    StoreUnavailableError,
    TransactionError,
)
from findingmodel.runtime.run_without_loop import Offload, inline, run_without_loop
from findingmodel.stores.records import TermQuery, WriteBatch
from findingmodel.stores.sqlite import cache as sqlite_memory
from findingmodel.stores.sqlite.connection import branches_in_file
from findingmodel.stores.sqlite.store import SQLiteStore
from tests.stores.contract import StoreContract
from tests.stores.contract_support import OpenStore, contents, crowd
from tests.stores.contract_transaction import RollbackError, TransactionRules
from tests.stores.databases import opening
from tests.stores.samples import make_id, make_record, upserts
from tests.update.ordinary import as_ordinary_user

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from findingmodel.stores.protocol import Store


class OnAFile:
    """Stores on one file: with slow calls in threads, and with all calls inline."""

    @pytest.fixture(params=[asyncio.to_thread, inline])
    async def open_store(self, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[OpenStore]:
        def make(branch: str) -> SQLiteStore:
            return SQLiteStore(tmp_path / "x.db", branch=branch, offload=request.param)

        async with opening(make) as open_store:
            yield open_store


class TestContract(OnAFile, StoreContract):
    """Every rule, on a file."""


class TestTransactions(OnAFile, TransactionRules):
    """The rules of transactions, on a file."""


@pytest.mark.parametrize("offload", [asyncio.to_thread, inline])
class TestTransactionsInMemory(TransactionRules):
    """In memory there is only one connection, and no other store."""

    @pytest.fixture
    async def open_store(self, offload: Offload) -> AsyncIterator[OpenStore]:
        async with opening(
            lambda branch: SQLiteStore(":memory:", branch=branch, offload=offload)
        ) as open_store:
            yield open_store

    async def test_another_store_sees_the_old_state_until_the_end(
        self, open_store: OpenStore, store: Store
    ) -> None:
        """In memory, readers in other tasks wait."""
        is_written, may_end = asyncio.Event(), asyncio.Event()

        async def write() -> None:
            async with store.transaction():
                await store.write(upserts(make_record(1, "new")))
                is_written.set()
                await may_end.wait()
                await store.write(upserts(make_record(2, "new")))

        context = asyncio.create_task(write())
        await is_written.wait()
        reading = [
            asyncio.create_task(store.get([make_id(1), make_id(2)])),
            asyncio.create_task(store.models([make_id(1), make_id(2)])),
        ]
        await asyncio.sleep(0)
        may_end.set()
        entries, models = await asyncio.gather(*reading)
        await context
        assert {entry["name"] for entry in entries.values()} == {"new"}
        assert all(b'"new"' in model for model in models.values())

    async def test_an_error_rolls_back_everything(self, open_store: OpenStore, store: Store) -> None:
        async def write() -> None:
            async with store.transaction():
                await store.write(upserts(make_record(1, "new")))
                raise RollbackError

        before = await contents(store)
        with pytest.raises(RollbackError):
            await write()
        assert await contents(store) == before


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    async with opening(lambda branch: SQLiteStore(tmp_path / "new" / "x.db", branch=branch)) as open_store:
        yield await open_store()


async def test_an_index_in_memory_keeps_what_was_written() -> None:
    store = SQLiteStore(":memory:")
    await store.write(WriteBatch(upserts=crowd()))
    assert (await store.counts()).models == 36
    assert len(await store.terms.candidates(TermQuery((("lung",),)), limit=100)) > 5
    await store.close()


async def test_reading_creates_no_file(store: Store, tmp_path: Path) -> None:
    assert await store.get([make_id(1)]) == {}
    assert await store.manifest() == []
    assert list(tmp_path.iterdir()) == []


async def test_the_file_is_readable_by_its_owner_only(store: Store, tmp_path: Path) -> None:
    old_mask = os.umask(0)
    try:
        await store.setup()
        await store.write(upserts(make_record(1)))
        modes = {
            path.name: stat.S_IMODE(path.stat().st_mode)
            for path in (tmp_path / "new", *(tmp_path / "new").iterdir())
        }
    finally:
        os.umask(old_mask)
    assert modes.pop("new") == 0o700
    assert set(modes.values()) == {0o600}
    assert "x.db" in modes


@pytest.mark.parametrize(
    ("version", "words"),
    [(99, r"schema 99.*upgrade findingmodel"), (1, r"schema 1 of an older.*delete the file")],
)
async def test_another_schema_is_refused_and_left_alone(
    store: Store, tmp_path: Path, version: int, words: str
) -> None:
    await store.setup()
    await store.close()
    with sqlite3.connect(tmp_path / "new" / "x.db") as connection:
        connection.execute(f"PRAGMA user_version = {version}")
    connection.close()
    other = SQLiteStore(tmp_path / "new" / "x.db")
    for call in (other.open, other.setup, other.manifest):
        with pytest.raises(StoreSchemaError, match=words):
            await call()
    await other.close()


async def test_another_programs_database_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "notes.db"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE notes (text)")
    connection.close()
    before = path.read_bytes()
    store = SQLiteStore(path)
    for call in (store.open, store.setup):
        with pytest.raises(StoreSchemaError, match="another program's"):
            await call()
    await store.close()
    assert path.read_bytes() == before


async def test_a_file_that_is_not_a_database_is_an_error_that_names_it(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("a letter, and a long one\n" * 99)
    (tmp_path / "directory.db").mkdir()
    for name, kind in (("text.db", StoreSchemaError), ("directory.db", StoreUnavailableError)):
        store = SQLiteStore(tmp_path / name)
        with pytest.raises(kind, match=name):
            await store.open()
        await store.close()


async def test_a_write_that_fails_leaves_the_old_state(store: Store, tmp_path: Path) -> None:
    await store.write(upserts(make_record(1, "before")))
    with sqlite3.connect(tmp_path / "new" / "x.db") as connection:
        connection.execute(
            'CREATE TRIGGER full BEFORE INSERT ON "models_main" BEGIN SELECT RAISE(ABORT, "no room"); END'
        )
    connection.close()
    with pytest.raises(StoreError, match="no room"):
        await store.write(upserts(make_record(1, "after"), make_record(2)))
    assert [entry["name"] for entry in (await store.get([make_id(1), make_id(2)])).values()] == ["before"]


async def test_a_database_that_cannot_be_written_can_be_read(store: Store, tmp_path: Path) -> None:
    await store.write(upserts(make_record(1)))
    await store.close()
    path = tmp_path / "new" / "x.db"
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    connection.close()
    path.chmod(0o400)
    reader = SQLiteStore(path)
    assert (await reader.counts()).models == 1
    await reader.close()


async def test_readers_in_threads_have_connections_of_their_own(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "x.db", offload=asyncio.to_thread)
    await store.write(WriteBatch(upserts=crowd()))
    query = TermQuery((("lung", "mass"),))
    answers = await asyncio.gather(*(store.terms.candidates(query, limit=50) for _ in range(64)))
    assert all(answer == answers[0] for answer in answers)
    assert len(answers[0]) > 5
    await store.close()


def remove_database(path: Path) -> None:
    for part in path.parent.glob(f"{path.name}*"):
        part.unlink()


async def test_a_file_that_was_removed_is_created_again(tmp_path: Path) -> None:
    async with opening(lambda branch: SQLiteStore(tmp_path / "x.db", branch=branch)) as open_store:
        store, other = await open_store(), await open_store()
        await store.setup()
        await store.write(upserts(make_record(1)))
        assert await other.get([make_id(1)])
        remove_database(tmp_path / "x.db")
        assert await other.get([make_id(1)]) == await store.get([make_id(1)]) == {}
        await store.write(upserts(make_record(2)))
        assert set(await other.get([make_id(1), make_id(2)])) == {make_id(2)}
        assert (await store.counts()).models == 1


async def test_a_file_that_replaced_another_is_read_and_written(tmp_path: Path) -> None:
    async with opening(lambda branch: SQLiteStore(tmp_path / branch, branch="main")) as open_store:
        new = await open_store("new.db")
        await new.setup()
        await new.write(upserts(make_record(2)))
        await new.close()
        store = await open_store("x.db")
        await store.setup()
        await store.write(upserts(make_record(1)))
        assert (await store.counts()).models == 1
        remove_database(tmp_path / "x.db")
        (tmp_path / "new.db").rename(tmp_path / "x.db")
        assert set(await store.get([make_id(1), make_id(2)])) == {make_id(2)}
        await store.write(upserts(make_record(3)))
        await store.close()
        again = await open_store("x.db")
        assert set(await again.get([make_id(1), make_id(2), make_id(3)])) == {make_id(2), make_id(3)}


async def test_writes_of_others_are_seen_at_once_despite_the_cache(store: Store, tmp_path: Path) -> None:
    query = TermQuery((("lung", "liver"),))

    async def seen(reader: Store) -> tuple[object, ...]:
        candidates = sorted(await reader.terms.candidates(query, limit=None))
        frequencies = await reader.terms.frequencies(["lung", "liver"])
        return candidates, await reader.get([make_id(1), make_id(2)]), frequencies

    async def seen_by_a_new_store() -> tuple[object, ...]:
        new = SQLiteStore(tmp_path / "new" / "x.db")
        try:
            return await seen(new)
        finally:
            await new.close()

    reader = SQLiteStore(tmp_path / "new" / "x.db")
    for batch in (
        upserts(make_record(1, "lung mass"), make_record(2, "lung cyst")),
        upserts(make_record(1, "liver mass", tags=["liver"])),
        WriteBatch(touches=[make_record(1, "liver mass", path="elsewhere.fm.json").file]),
        WriteBatch(removals=[make_id(2)]),
        upserts(make_record(3, "liver cyst")),  # in the place of the removed one
    ):
        await store.write(batch)  # and the generation has not changed yet
        assert await seen(reader) == await seen(reader) == await seen_by_a_new_store()
    await reader.close()


async def test_what_a_transaction_wrote_is_seen_within_it(tmp_path: Path) -> None:
    query = TermQuery((("mass", "cyst"),))
    store = SQLiteStore(tmp_path / "x.db")
    await store.write(upserts(make_record(1, "mass")))
    before = await store.terms.candidates(query, limit=None)
    async with store.transaction():
        await store.write(upserts(make_record(2, "cyst")))
        assert len(await store.terms.candidates(query, limit=None)) == 2
        await store.write(upserts(make_record(2, "other")))
        assert await store.terms.candidates(query, limit=None) == before
    assert await store.terms.candidates(query, limit=None) == before
    await store.close()


async def test_the_cache_of_entries_is_bounded(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_memory, "_MOST_READS", 20)
    records = {record.entry["oifm_id"]: record for record in crowd()}
    await store.write(WriteBatch(upserts=list(records.values())))
    everything = TermQuery((tuple(" ".join(" ".join(record.terms) for record in records.values()).split()),))
    for some in (records, list(records)[:5], records):
        found = await store.terms.candidates(everything, limit=None)
        assert {one.oifm_id: one.terms for one in found} == {
            oifm_id: record.terms for oifm_id, record in records.items()
        }
        assert await store.get(some) == {oifm_id: records[oifm_id].entry for oifm_id in some}


async def test_tokens_are_never_operators(store: Store) -> None:
    await store.write(upserts(make_record(1, "lung")))
    for token in (
        '"',
        "lung OR mass",
        "NEAR(lung mass)",
        "name:lung",
        "lung*",
        "^lung",
        "-",
        "(",
        "{name}",
        "NOT",
    ):
        assert await store.terms.candidates(TermQuery(((token,),), excluded=(token,)), limit=9) == []


async def test_a_write_that_fails_in_a_transaction_is_undone_alone(store: Store, tmp_path: Path) -> None:
    await store.setup()
    with sqlite3.connect(tmp_path / "new" / "x.db") as connection:
        connection.execute(
            'CREATE TRIGGER picky BEFORE INSERT ON "files_main" WHEN NEW.path = "bad" '
            'BEGIN SELECT RAISE(ABORT, "a bad path"); END'
        )
    connection.close()
    async with store.transaction():
        await store.write(upserts(make_record(1)))
        with pytest.raises(StoreError, match="a bad path"):
            await store.write(upserts(make_record(2), make_record(3, path="bad")))
        await store.write(upserts(make_record(4)))
    assert sorted(await store.get([make_id(n) for n in range(5)])) == [make_id(1), make_id(4)]


async def test_a_transaction_that_sqlite_rolled_back_is_reported_and_writes_nothing(
    store: Store, tmp_path: Path
) -> None:
    await store.setup()
    with sqlite3.connect(tmp_path / "new" / "x.db") as connection:
        connection.execute(
            'CREATE TRIGGER full BEFORE INSERT ON "files_main" WHEN NEW.path = "bad" '
            'BEGIN SELECT RAISE(ROLLBACK, "as when a disk is full"); END'
        )
    connection.close()

    async def write() -> None:
        async with store.transaction():
            await store.write(upserts(make_record(1)))
            with pytest.raises(StoreError, match="as when a disk is full"):
                await store.write(upserts(make_record(3, path="bad")))
            with pytest.raises(TransactionError, match=r"cannot write to .*rolled back, and nothing of it"):
                await store.write(upserts(make_record(4)))

    with pytest.raises(TransactionError, match=r"commit the transaction in .*rolled back, and nothing of it"):
        await write()
    assert await store.get([make_id(n) for n in range(5)]) == {}
    await store.write(upserts(make_record(4)))
    assert (await store.counts()).models == 1


async def test_a_store_that_is_closed_in_a_transaction_writes_nothing(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "x.db")

    async def write() -> None:
        async with store.transaction():
            await store.write(upserts(make_record(1)))
            await store.close()

    with pytest.raises(StoreClosedError):
        await write()
    reader = SQLiteStore(tmp_path / "x.db")
    assert (await reader.counts()).models == 0
    await reader.close()


def test_a_transaction_needs_no_event_loop(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "x.db")

    async def write() -> int:
        async with store.transaction():
            await store.write(upserts(make_record(1)))
            await store.write(upserts(make_record(2)))
        return (await store.counts()).models

    assert run_without_loop(write()) == 2
    run_without_loop(store.close())


async def test_another_loop_waits_for_a_transaction(tmp_path: Path) -> None:
    store = SQLiteStore(":memory:", offload=asyncio.to_thread)
    async with store.transaction():
        await store.write(upserts(make_record(1)))
        elsewhere = asyncio.create_task(asyncio.to_thread(asyncio.run, counted(store)), context=Context())
        await asyncio.sleep(0.05)  # gives a bug the chance to show; no assertion depends on it
        await store.write(upserts(make_record(2)))
    assert await elsewhere == 2
    await store.close()


async def counted(store: Store) -> int:
    return (await store.counts()).models


async def test_an_index_without_stamps_is_read_and_gets_them_with_the_next_write(tmp_path: Path) -> None:
    """The table of files as 2.0.0b1 made it."""
    path = tmp_path / "x.db"
    async with opening(lambda branch: SQLiteStore(path, branch=branch)) as open_store:
        await (await open_store()).write(WriteBatch([make_record(1, "one"), make_record(2, "two")]))
    with closing(sqlite3.connect(path)) as connection:
        connection.execute('ALTER TABLE "files_main" DROP COLUMN stamp')
    async with opening(lambda branch: SQLiteStore(path, branch=branch)) as open_store:
        store = await open_store()
        assert {state.stamp for state in await store.manifest()} == {0}
        again = make_record(1, "one")
        await store.write(WriteBatch([again]))
        assert {state.stamp for state in await store.manifest()} == {0, again.file.stamp}


@pytest.fixture
async def foreign(tmp_path: Path) -> AsyncIterator[Path]:
    """An index whose owner is another user than the one who runs the test, who may read it."""
    path = tmp_path / "theirs" / "x.db"
    async with opening(lambda branch: SQLiteStore(path, branch=branch)) as open_store:
        await (await open_store()).write(upserts(make_record(1)))
    path.chmod(0o644)
    path.parent.chmod(0o777)
    (tmp_path / "mine").mkdir()
    with as_ordinary_user(tmp_path / "mine"):
        if os.access(path, os.W_OK, effective_ids=True):  # the tests do not run as root
            path.chmod(0o444)
        yield path


async def test_an_index_of_another_user_is_read_and_no_file_is_left_beside_it(foreign: Path) -> None:
    """A file of locks that its owner may not write would shut the owner out."""
    async with opening(lambda branch: SQLiteStore(foreign, branch=branch)) as open_store:
        store = await open_store()
        assert (await store.counts()).models == 1
        assert branches_in_file(str(foreign)) == ["main"]
        assert [path.name for path in foreign.parent.iterdir()] == ["x.db"]


@contextmanager
def as_owner() -> Iterator[None]:
    """Run the block as the owner of the `foreign` index."""
    user = os.geteuid()
    os.seteuid(os.getuid())
    try:
        yield
    finally:
        os.seteuid(user)


@pytest.mark.skipif(os.getuid() != 0, reason="takes two users, and only root can become another")
async def test_a_reader_sees_what_the_other_user_writes(foreign: Path) -> None:
    async with opening(lambda branch: SQLiteStore(foreign, branch=branch)) as open_store:
        reader = await open_store()
        for number in (2, 3):
            with as_owner():
                owner = SQLiteStore(foreign)
                await owner.write(upserts(make_record(number)))
            assert (await reader.counts()).models == number  # while the owner has the file open
            with as_owner():
                await owner.close()
            assert (await reader.counts()).models == number  # and after


async def test_a_file_that_may_not_be_read_is_an_error_that_says_so(foreign: Path) -> None:
    with as_owner():
        foreign.chmod(0o600 if os.getuid() == 0 else 0)
    store = SQLiteStore(foreign)
    with pytest.raises(StoreUnavailableError, match=r"x\.db: you may not read this file"):
        await store.counts()
    with pytest.raises(StoreUnavailableError, match=r"x\.db: you may not read this file"):
        branches_in_file(str(foreign))
