"""The contract of a store: several stores on one database."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import StoreClosedError
from findingmodel.stores.records import Counts, TermQuery, WriteBatch
from tests.stores.contract_support import OpenStore, contents, crowd, labels_of
from tests.stores.samples import LONG_SECONDS, make_id, make_record, make_writer, person, upserts

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store

CYCLES = 40
"""So many times a store is opened and closed where leaks are looked for."""


class UpdateRules:
    """Updates run one at a time and are counted."""

    async def test_generations_count_finished_updates(self, open_store: OpenStore, filled: Store) -> None:
        assert await filled.generation() == 0
        first = await filled.advance()
        second = await filled.advance()
        other = await open_store()
        assert await filled.generation() == await other.generation() == second > first
        await other.setup()
        third = await other.advance()
        assert third > second
        assert [generation % 1_000 for generation in (first, second, third)] == [1, 2, 3]

    async def test_a_generation_that_was_lost_is_not_used_again(
        self, open_store: OpenStore, filled: Store
    ) -> None:
        """A server may lose its last update in a failover, and a file may be restored from a copy."""
        reached = set()
        for branch in map(str, range(5)):  # each is like the same index, restored to its beginning
            store = await open_store(branch=branch)
            await store.setup()
            reached.add(await store.advance())
        assert len(reached) == 5

    async def test_no_two_indexes_have_a_generation_in_common(
        self, open_store: OpenStore, filled: Store
    ) -> None:
        other = await open_store(branch="other")
        await other.setup()
        first, second = [{await store.advance() for _ in range(3)} for store in (filled, other)]
        assert len(first | second) == 6


class SharingRules:
    """Stores of one branch share its data; branches share nothing."""

    async def test_another_store_sees_what_was_written(self, open_store: OpenStore, store: Store) -> None:
        reader = await open_store()
        assert (await reader.counts()).models == 0
        await store.setup()
        await store.write(upserts(make_record(1)))
        await store.advance()
        assert await reader.generation() == await store.generation() > 0
        assert await contents(reader) == await contents(store)

    async def test_branches_know_nothing_of_each_other(self, open_store: OpenStore, filled: Store) -> None:
        before = await contents(filled)
        other = await open_store(branch="other")
        assert (await other.counts()) == Counts(0, 0, 0)
        await other.setup()
        await other.write(WriteBatch(upserts=[make_record(1, "else")], credits=[person("ann")]))
        await other.write(WriteBatch(removals=[make_id(2)]))
        assert await other.leases.acquire(make_writer("other"), LONG_SECONDS) is None
        assert await filled.leases.acquire(make_writer("mine"), LONG_SECONDS) is None
        await other.advance()
        assert await filled.generation() == 0
        assert await contents(filled) == before
        assert (await other.counts()) == Counts(1, 1, 0)

    async def test_a_model_never_goes_missing_while_it_is_replaced(
        self, open_store: OpenStore, filled: Store
    ) -> None:
        reader = await open_store()
        ids = [record.entry["oifm_id"] for record in crowd()]
        keys = [oifm_id.lower() for oifm_id in ids]
        new = [make_record(n, f"new {n}", path=f"new/{n}.fm.json") for n in range(36)]

        async def write() -> None:
            for _ in range(5):
                await filled.write(WriteBatch(upserts=new, removals=["OIFM_NONE_000001"]))
                await filled.write(WriteBatch(upserts=crowd(), credits=[person("ann")]))

        context = asyncio.create_task(write())
        reads = 0
        while not context.done() or reads == 0:
            assert len(await reader.get(ids)) == 36
            assert len(await reader.lookup(keys)) == 36
            assert len(await reader.manifest()) == 36
            reads += 1
            await asyncio.sleep(0)
        await context

    async def test_a_batch_that_was_interrupted_is_repaired_by_writing_it_again(
        self, open_store: OpenStore
    ) -> None:
        whole = WriteBatch(upserts=crowd(), credits=[person("ann")])
        cut, sound = await open_store(), await open_store(branch="other")
        for store in (cut, sound):
            await store.setup()
        await cut.write(whole._replace(upserts=whole.upserts[:17], credits=()))
        await cut.write(whole)
        await sound.write(whole)
        assert await contents(cut) == await contents(sound)


class ClosingRules:
    """A closed store raises, and holds no resources."""

    async def test_closing_is_idempotent(self, store: Store) -> None:
        await store.close()
        await store.close()

    async def test_a_closed_store_says_so(self, filled: Store) -> None:
        await filled.close()
        lease = make_writer("mine")
        calls = [
            filled.open(),
            filled.setup(),
            filled.generation(),
            filled.counts(),
            filled.get(["x"]),
            filled.lookup(["x"]),
            filled.models(["x"]),
            filled.page(sort="name", descending=False, offset=0, limit=1),
            filled.contributors("person"),
            filled.terms.candidates(TermQuery((("x",),)), limit=1),
            filled.terms.frequencies(["x"]),
            labels_of(filled),
            filled.terms.words(),
            filled.manifest(),
            filled.owners(["x"]),
            filled.credits(["x"]),
            filled.write(upserts(make_record(1))),
            filled.advance(),
            filled.leases.acquire(lease, LONG_SECONDS),
            filled.leases.renew(lease, LONG_SECONDS),
            filled.leases.release(lease),
            filled.leases.status(),
        ]
        for call in calls:
            with pytest.raises(StoreClosedError, match="closed"):
                await call

    async def test_closing_one_store_leaves_the_others_open(
        self, open_store: OpenStore, filled: Store
    ) -> None:
        other = await open_store()
        await filled.close()
        assert (await other.counts()).models == 36

    async def test_opening_and_closing_leaks_nothing(self, open_store: OpenStore, filled: Store) -> None:
        async def cycle() -> None:
            store = await open_store()
            await asyncio.gather(store.counts(), store.get([make_id(1)]))
            await store.close()

        await filled.close()
        await cycle()
        threads_before, files_before = threading.enumerate(), _open_files()
        for _ in range(CYCLES):
            await cycle()
        late = [thread for thread in threading.enumerate() if thread not in threads_before]
        for thread in late:
            if thread.daemon:  # it checks twice a second whether to end; the thread of a pool stays
                thread.join(timeout=10)
        assert sum(thread.is_alive() for thread in late) < CYCLES
        assert _open_files() - files_before < CYCLES


def _open_files() -> int:
    files = Path("/proc/self/fd")
    return len(list(files.iterdir())) if files.exists() else 0
