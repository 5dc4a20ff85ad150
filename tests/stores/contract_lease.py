"""The contract of a store: the writer's lease, and what a writer that lost it may not do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import LeaseHeldError
from findingmodel.stores.lease import LeaseState, new_writer, this_system
from findingmodel.stores.records import WriteBatch
from tests.stores.contract_support import OpenStore, contents, crowd, pid_of_a_dead_process
from tests.stores.samples import LONG_SECONDS, make_id, make_record, make_writer, person, upserts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.stores.protocol import Store


@contextmanager
def zombie() -> Iterator[int]:
    """Yield the PID of a process that has ended, and whose parent has not asked for its exit code."""
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        yield process.pid


MINE, OTHER = make_writer("mine"), make_writer("other", pid=2)


class LeaseRules:
    """One update writes at a time."""

    async def test_a_lease_has_one_holder_at_a_time(self, store: Store) -> None:
        await store.setup()
        assert await store.leases.acquire(MINE, LONG_SECONDS) is None
        for _ in range(2):
            held = await store.leases.acquire(OTHER, LONG_SECONDS)
            assert held is not None
            assert held.writer == MINE
            assert await store.leases.acquire(MINE, LONG_SECONDS) is None
        await store.leases.release(MINE)
        assert await store.leases.acquire(OTHER, LONG_SECONDS) is None

    async def test_only_the_holder_can_release_a_lease(self, store: Store) -> None:
        await store.setup()
        await store.leases.release(MINE)
        await store.leases.acquire(MINE, LONG_SECONDS)
        await store.leases.release(OTHER)
        held = await store.leases.acquire(make_writer("third"), LONG_SECONDS)
        assert held is not None
        assert held.writer == MINE

    async def test_an_update_that_died_is_distinguished_from_a_running_one(self, store: Store) -> None:
        assert await store.leases.needs_recovery() is False
        await store.setup()
        assert await store.leases.needs_recovery() is False
        await store.leases.acquire(MINE, LONG_SECONDS)
        assert await store.leases.needs_recovery() is False
        assert await store.leases.renew(MINE, 0)
        assert await store.leases.needs_recovery() is True
        await store.leases.release(MINE)
        assert await store.leases.needs_recovery() is False

    async def test_an_expired_lease_can_be_taken(self, store: Store) -> None:
        await store.setup()
        await store.leases.acquire(MINE, 0)
        assert await store.leases.acquire(OTHER, LONG_SECONDS) is None
        held = await store.leases.acquire(MINE, LONG_SECONDS)
        assert held is not None
        assert held.writer == OTHER

    async def test_a_lease_of_a_dead_process_of_this_system_can_be_taken(self, store: Store) -> None:
        await store.setup()
        await store.leases.acquire(
            make_writer("dead", system=this_system(), pid=pid_of_a_dead_process()), LONG_SECONDS
        )
        assert await store.leases.acquire(MINE, LONG_SECONDS) is None

    async def test_a_process_that_waits_for_its_parent_is_dead(self, store: Store) -> None:
        """Its PID is still taken: it is a zombie."""
        await store.setup()
        with zombie() as pid:
            await store.leases.acquire(make_writer("zombie", system=this_system(), pid=pid), LONG_SECONDS)
            assert await store.leases.acquire(MINE, LONG_SECONDS) is None

    @pytest.mark.parametrize("host", ["elsewhere", os.uname().nodename])
    async def test_a_process_of_another_system_is_not_taken_for_dead(self, store: Store, host: str) -> None:
        """Containers may share a host name, and machines the number of the first PID namespace."""
        namespace = this_system().partition("/")[2]
        hidden = make_writer("hidden", system=f"other-boot/{namespace}", host=host, pid=2**22)
        await store.setup()
        await store.leases.acquire(hidden, LONG_SECONDS)
        held = await store.leases.acquire(MINE, LONG_SECONDS)
        assert held is not None
        assert held.writer == hidden

    async def test_a_living_process_keeps_its_lease(self, store: Store) -> None:
        await store.setup()
        await store.leases.acquire(new_writer(), LONG_SECONDS)
        held = await store.leases.acquire(MINE, LONG_SECONDS)
        assert held is not None
        assert held.writer.pid == os.getpid()

    async def test_one_of_many_concurrent_requests_gets_the_lease(self, open_store: OpenStore) -> None:
        stores = [await open_store() for _ in range(4)]
        await stores[0].setup()
        answers = await asyncio.gather(
            *(stores[n % 4].leases.acquire(make_writer(f"holder {n}"), LONG_SECONDS) for n in range(12))
        )
        assert answers.count(None) == 1
        holder = f"holder {answers.index(None)}"
        assert {answer.writer.holder for answer in answers if answer is not None} == {holder}

    async def test_a_lease_is_described(self, store: Store) -> None:
        await store.setup()
        assert await store.leases.status() is None
        await store.leases.acquire(MINE, LONG_SECONDS)
        status = await store.leases.status()
        assert status is not None
        assert (status.lease.writer, status.state) == (MINE, LeaseState.UNKNOWN)
        assert LONG_SECONDS - 60 < status.seconds_left <= LONG_SECONDS + 1


class FenceRules:
    """A writer that paused for longer than its lease lasts may find another writer at work, or gone."""

    @pytest.fixture(params=["at work", "gone"])
    async def successor(self, request: pytest.FixtureRequest, open_store: OpenStore, filled: Store) -> Store:
        """The store of a writer that took the expired lease of `MINE`, and may have released it since."""
        other = await open_store()
        await other.setup()
        assert await filled.leases.acquire(MINE, 0) is None
        assert await other.leases.acquire(OTHER, LONG_SECONDS) is None
        if request.param == "gone":
            await other.leases.release(OTHER)
        return other

    async def test_it_cannot_write(self, filled: Store, successor: Store) -> None:
        before = await contents(successor)
        batch = WriteBatch([make_record(1, "late")], removals=[make_id(2)], credits=[person("ann")])
        with pytest.raises(LeaseHeldError, match=r"cannot write to .* lost its lease"):
            await filled.write(batch, MINE)
        with pytest.raises(LeaseHeldError, match="lost its lease"):
            await filled.advance(MINE)
        assert await contents(successor) == before
        assert await successor.generation() == 0

    async def test_it_cannot_renew_the_lease(self, filled: Store, successor: Store) -> None:
        status = await successor.leases.status()
        assert await filled.leases.renew(MINE, LONG_SECONDS) is False
        assert (await successor.leases.status() is None) == (status is None)

    async def test_a_lease_that_expired_and_that_nobody_took_still_serves(self, filled: Store) -> None:
        await filled.leases.acquire(MINE, 0)
        await filled.write(upserts(make_record(1, "late")), MINE)
        assert await filled.leases.renew(MINE, LONG_SECONDS)
        assert await filled.advance(MINE) > 0
        assert (await filled.get([make_id(1)]))[make_id(1)]["name"] == "late"

    async def test_many_writes_under_one_lease(self, filled: Store) -> None:
        await filled.leases.acquire(MINE, LONG_SECONDS)
        for number in range(3):
            await filled.write(WriteBatch(upserts=crowd(), removals=[make_id(number)]), MINE)
            assert await filled.leases.renew(MINE, LONG_SECONDS)
        assert (await filled.counts()).models == 35


class RevokeRules:
    """A lease can be ended from outside."""

    async def test_a_lease_that_was_ended_is_free_and_its_update_counts_as_dead(
        self, open_store: OpenStore, filled: Store
    ) -> None:
        other = await open_store()
        await filled.leases.acquire(MINE, LONG_SECONDS)
        status = await other.leases.status()
        assert status is not None
        assert await other.leases.revoke(status.lease) is True
        assert await other.leases.needs_recovery() is True
        assert await filled.leases.renew(MINE, LONG_SECONDS) is False
        with pytest.raises(LeaseHeldError, match="lost its lease"):
            await filled.write(upserts(make_record(1, "late")), MINE)
        assert await other.leases.acquire(OTHER, LONG_SECONDS) is None

    async def test_a_lease_that_changed_meanwhile_is_left_alone(self, filled: Store) -> None:
        await filled.leases.acquire(MINE, LONG_SECONDS)
        status = await filled.leases.status()
        assert status is not None
        await filled.leases.renew(MINE, 2 * LONG_SECONDS)
        assert await filled.leases.revoke(status.lease) is False
        await filled.leases.release(MINE)
        assert await filled.leases.revoke(status.lease) is False
        assert await filled.leases.status() is None
