"""The writer's lease after a failed release, and within a transaction."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from findingmodel.errors import LeaseHeldError, StoreError, StoreUnavailableError
from findingmodel.stores.sqlite.store import SQLiteLeases, SQLiteStore
from findingmodel.update.lease import transaction, writer_lease
from tests.stores.databases import opening
from tests.stores.samples import LONG_SECONDS, make_writer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from findingmodel.stores.lease import Lease
    from findingmodel.stores.protocol import Store


class DeafLeases(SQLiteLeases):
    """Leases that cannot be released."""

    released = 0

    async def release(self, lease: Lease) -> None:
        self.released += 1
        raise StoreUnavailableError("no server answered in time")


class Deaf(SQLiteStore):
    """A store in which leases cannot be released."""

    def __init__(self, path: Path, *, branch: str = "main") -> None:
        super().__init__(path, branch=branch)
        self.leases: DeafLeases = DeafLeases(self.database)


@pytest.fixture
async def deaf(tmp_path: Path) -> AsyncIterator[Deaf]:
    async with opening(lambda branch: Deaf(tmp_path / "x.db", branch=branch)) as open_store:
        store = await open_store()
        await store.setup()
        yield store  # type: ignore[misc]


async def fail(store: Deaf, error: Exception) -> None:
    async with writer_lease(store, lease_seconds=3_600):
        raise error


async def test_a_lease_that_this_process_could_not_release_is_abandoned(deaf: Deaf) -> None:
    for _ in range(3):
        with pytest.raises(KeyError):
            await fail(deaf, KeyError())
    assert deaf.leases.released == 1


async def test_an_unavailable_store_is_not_asked_to_release(deaf: Deaf) -> None:
    for _ in range(2):
        with pytest.raises(StoreUnavailableError, match="the first error"):
            await fail(deaf, StoreUnavailableError("the first error"))
    assert deaf.leases.released == 0


async def test_a_failed_release_at_the_end_is_raised_and_blocks_nobody(deaf: Deaf) -> None:
    with pytest.raises(StoreUnavailableError, match="no server answered"):
        async with writer_lease(deaf, lease_seconds=3_600):
            pass
    async with writer_lease(deaf, lease_seconds=3_600) as lease:
        assert lease.needs_recovery


async def test_only_one_of_several_writers_takes_over_an_abandoned_lease(deaf: Deaf) -> None:
    with pytest.raises(KeyError):
        await fail(deaf, KeyError())

    async def hold() -> None:
        async with writer_lease(deaf, lease_seconds=3_600):
            await asyncio.sleep(0)

    results = await asyncio.gather(*(hold() for _ in range(5)), return_exceptions=True)
    assert sum(isinstance(result, LeaseHeldError) for result in results) == 4


async def test_the_lease_of_a_live_holder_in_this_process_is_not_taken_over(tmp_path: Path) -> None:
    async with opening(lambda branch: SQLiteStore(tmp_path / "y.db", branch=branch)) as open_store:
        store, other = await open_store(), await open_store()
        await store.setup()
        async with writer_lease(store, lease_seconds=3_600):
            with pytest.raises(LeaseHeldError, match="another update is running, process"):
                await writer_lease(other, lease_seconds=3_600).__aenter__()
        async with writer_lease(other, lease_seconds=3_600):
            pass


async def test_the_lease_of_another_process_is_not_taken_over(deaf: Deaf) -> None:
    other = make_writer("other", host="elsewhere")
    assert await deaf.leases.acquire(other, LONG_SECONDS) is None
    with pytest.raises(LeaseHeldError, match="process 1 on elsewhere"):
        await fail(deaf, KeyError())


async def test_updates_within_a_transaction_share_its_lease(tmp_path: Path) -> None:
    async with opening(lambda branch: SQLiteStore(tmp_path / "y.db", branch=branch)) as open_store:
        store = await open_store()
        async with transaction(store, lease_seconds=60):
            async with writer_lease(store, lease_seconds=60) as one:
                pass
            async with writer_lease(store, lease_seconds=60) as two:
                assert one is two
        async with writer_lease(store, lease_seconds=60) as three:
            assert three is not one


async def test_a_refused_transaction_leaves_no_lease(tmp_path: Path) -> None:
    async with opening(lambda branch: SQLiteStore(tmp_path / "y.db", branch=branch)) as open_store:
        store, other = await open_store(), await open_store()
        with pytest.raises(StoreError, match="a reason"):
            await refused(store)
        async with writer_lease(other, lease_seconds=60):
            pass


async def refused(store: Store) -> None:
    async with transaction(store, lease_seconds=60):
        raise StoreError("a reason")


async def test_a_lease_that_needs_recovery_passes_that_on_to_the_next_writer(tmp_path: Path) -> None:
    """Models were written and contributors were not: the next writer must know."""
    async with opening(lambda branch: SQLiteStore(tmp_path / "y.db", branch=branch)) as open_store:
        store, other = await open_store(), await open_store()
        await store.setup()
        with pytest.raises(KeyError):
            await indebted(store)
        assert await other.leases.needs_recovery()
        async with writer_lease(other, lease_seconds=3_600) as lease:
            assert lease.needs_recovery
        assert await store.leases.needs_recovery()
        async with writer_lease(store, lease_seconds=3_600) as lease:
            lease.needs_recovery = False
        assert not await other.leases.needs_recovery()


async def indebted(store: Store) -> None:
    async with writer_lease(store, lease_seconds=3_600) as lease:
        lease.needs_recovery = True
        raise KeyError
