"""The contract of a store: several stores on one database."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import StoreClosedError
from findingmodel.stores.records import Counts, TermQuery, WriteBatch
from tests.stores.contract_support import OpenStore, contents, crowd, labels_of, pid_of_a_dead_process
from tests.stores.samples import LONG_NS, make_id, make_lease, make_record, person, upserts

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store

CYCLES = 40
"""So many times a store is opened and closed where leaks are looked for."""


class UpdateRules:
    """Updates run one at a time and are counted."""

    async def test_generations_count_finished_updates(self, open_store: OpenStore, filled: Store) -> None:
        assert await filled.generation() == 0
        first = await filled.advance()
        assert [await filled.advance() for _ in range(2)] == [first + 1, first + 2]
        other = await open_store()
        assert await filled.generation() == await other.generation() == first + 2
        await other.setup()
        assert await other.advance() == first + 3

    async def test_no_two_indexes_have_a_generation_in_common(
        self, open_store: OpenStore, filled: Store
    ) -> None:
        other = await open_store(branch="other")
        await other.setup()
        first, second = [{await store.advance() for _ in range(3)} for store in (filled, other)]
        assert len(first | second) == 6

    async def test_a_lease_has_one_holder_at_a_time(self, store: Store) -> None:
        later = time.time_ns() + LONG_NS
        mine, other = make_lease("mine", expires_ns=later), make_lease("other", expires_ns=later, pid=2)
        await store.setup()
        assert await store.leases.acquire(mine) is None
        assert await store.leases.acquire(other) == mine
        renewed = mine._replace(expires_ns=later + LONG_NS)
        assert await store.leases.acquire(renewed) is None
        assert await store.leases.acquire(other) == renewed
        await store.leases.release(mine)
        assert await store.leases.acquire(other) is None

    async def test_only_the_holder_can_release_a_lease(self, store: Store) -> None:
        later = time.time_ns() + LONG_NS
        mine = make_lease("mine", expires_ns=later)
        await store.setup()
        await store.leases.release(mine)
        await store.leases.acquire(mine)
        await store.leases.release(make_lease("other", expires_ns=later))
        assert await store.leases.acquire(make_lease("third", expires_ns=later)) == mine

    async def test_an_update_that_died_is_distinguished_from_a_running_one(self, store: Store) -> None:
        assert await store.leases.needs_recovery() is False
        await store.setup()
        assert await store.leases.needs_recovery() is False
        lease = make_lease("a", expires_ns=time.time_ns() + LONG_NS)
        await store.leases.acquire(lease)
        assert await store.leases.needs_recovery() is False
        await store.leases.acquire(lease._replace(expires_ns=1))
        assert await store.leases.needs_recovery() is True
        await store.leases.release(lease)
        assert await store.leases.needs_recovery() is False

    async def test_an_expired_lease_can_be_taken(self, store: Store) -> None:
        await store.setup()
        await store.leases.acquire(make_lease("old", expires_ns=time.time_ns() - 1))
        taken = make_lease("new", expires_ns=time.time_ns() + LONG_NS)
        assert await store.leases.acquire(taken) is None
        assert await store.leases.acquire(make_lease("old", expires_ns=time.time_ns() + LONG_NS)) == taken

    async def test_a_lease_of_a_dead_process_of_this_host_can_be_taken(self, store: Store) -> None:
        later = time.time_ns() + LONG_NS
        dead = make_lease("dead", expires_ns=later, host="here", pid=pid_of_a_dead_process())
        await store.setup()
        await store.leases.acquire(dead)
        assert await store.leases.acquire(make_lease("far", expires_ns=later, host="there")) == dead
        assert (
            await store.leases.acquire(make_lease("near", expires_ns=later, host="here", pid=os.getpid()))
            is None
        )
        held = await store.leases.acquire(make_lease("next", expires_ns=later, host="here"))
        assert held is not None
        assert held.holder == "near"

    async def test_one_of_many_concurrent_requests_gets_the_lease(self, open_store: OpenStore) -> None:
        stores = [await open_store() for _ in range(4)]
        await stores[0].setup()
        later = time.time_ns() + LONG_NS
        answers = await asyncio.gather(
            *(stores[n % 4].leases.acquire(make_lease(f"holder {n}", expires_ns=later)) for n in range(12))
        )
        assert answers.count(None) == 1
        holder = f"holder {answers.index(None)}"
        assert {answer.holder for answer in answers if answer is not None} == {holder}


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
        assert await other.leases.acquire(make_lease("other", expires_ns=time.time_ns() + LONG_NS)) is None
        assert await filled.leases.acquire(make_lease("mine", expires_ns=time.time_ns() + LONG_NS)) is None
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
        lease = make_lease("mine", expires_ns=1)
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
            filled.leases.acquire(lease),
            filled.leases.release(lease),
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
