"""Following an index: what another process changes, on every kind of store."""

from __future__ import annotations

import asyncio
import threading
from contextlib import aclosing
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel import Index
from findingmodel.stores.mongo import live
from findingmodel.stores.mongo.live import Alarm
from findingmodel.stores.records import WriteBatch
from findingmodel.update.follow import ChangeFeed
from tests.builders import write_model
from tests.stores.databases import mongo_store, own_database
from tests.stores.samples import make_id, make_record, moved, upserts

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store
    from tests.servers import Server


async def test_a_feed_yields_what_each_update_changed(store: Store) -> None:
    await store.setup()
    await store.write(upserts(make_record(1), make_record(2), make_record(3)))
    async with aclosing(ChangeFeed(store).follow()) as feed:
        assert await anext(feed) == []
        gone = WriteBatch([make_record(2, "new"), make_record(4)], [moved(make_record(1), "b.fm.json").file])
        await store.write(gone._replace(removals=[make_id(3)]))
        generation = await store.advance()
        assert [tuple(change) for change in await anext(feed)] == [
            ("moved", make_id(1), "b.fm.json", generation),
            ("updated", make_id(2), "finding_2.fm.json", generation),
            ("removed", make_id(3), "finding_3.fm.json", generation),
            ("added", make_id(4), "finding_4.fm.json", generation),
        ]


async def test_an_update_without_a_change_of_models_is_not_yielded(memory: Store) -> None:
    async with aclosing(ChangeFeed(memory).follow()) as feed:
        await anext(feed)
        await memory.advance()
        waiting = asyncio.ensure_future(anext(feed))
        await memory.write(upserts(make_record(1)))
        await memory.advance()
        assert [change.kind for change in await waiting] == ["added"]


async def test_a_feed_that_failed_goes_on_and_misses_nothing(memory: Store) -> None:
    feed = ChangeFeed(memory)
    async with aclosing(feed.follow()) as updates:
        await anext(updates)
    await memory.write(upserts(make_record(1)))
    await memory.advance()
    async with aclosing(feed.follow()) as updates:
        assert [change.oifm_id for change in await anext(updates)] == [make_id(1)]


@pytest.mark.mongo
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
async def test_a_change_stream_wakes_at_once(
    replica_server: Server, monkeypatch: pytest.MonkeyPatch, driver: Any
) -> None:
    monkeypatch.setattr(live, "POLL_SECONDS", 3_600)
    with own_database(replica_server.uri) as name:
        store, other = (mongo_store(replica_server.uri, name, driver=driver) for _ in range(2))
        await store.setup()
        async with aclosing(store.generations()) as generations:
            await anext(generations)
            waiting = asyncio.ensure_future(anext(generations))
            generation = await other.advance()
            assert await asyncio.wait_for(waiting, 30) == generation
        await store.close()
        await other.close()


@pytest.mark.mongo
async def test_a_server_without_change_streams_is_not_asked_for_one_again(
    secantus: Server, database: str
) -> None:
    store = mongo_store(secantus.uri, database)
    alarm = Alarm(store.connection)
    await alarm.set()
    assert not alarm.is_live
    await store.close()


async def test_an_index_follows_the_updates_of_another(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    async with Index(url) as index, Index(url) as other:
        await other.setup_indexes()

        async def first_change() -> Any:
            async with aclosing(index.changes()) as changes:
                return await anext(changes)

        following = asyncio.create_task(first_change())
        while not following.done():  # the feed may start after a write, which is then its first state
            number = 1 + (await other.count())
            await other._store.write(upserts(make_record(number)))
            await other._store.advance()
            await asyncio.sleep(0.1)
        change = await following
    assert change.kind == "added"
    assert change.generation > 0


def test_code_that_is_not_asynchronous_can_follow_too(tmp_path: Any) -> None:
    url = f"sqlite:///{tmp_path}/x.db"
    with Index.sync(url) as index, Index.sync(url) as other:
        changes = iter(index.changes())
        ended = threading.Event()

        def write() -> None:
            while not ended.wait(0.1):
                write_model(tmp_path / "defs", f"{other.count()}.fm.json", other.count() + 1)
                other.update_from_directory(tmp_path / "defs")

        writer = threading.Thread(target=write)
        writer.start()
        try:
            assert next(changes).kind == "added"
        finally:
            ended.set()
            writer.join()
