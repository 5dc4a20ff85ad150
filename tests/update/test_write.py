"""Spool and BatchWriter: held-back batches are written unchanged and in order, or not at all."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from findingmodel.errors import LeaseHeldError, NotWrittenError
from findingmodel.stores.records import Credit, FileState, Record, WriteBatch
from findingmodel.text.terms import Terms
from findingmodel.update.lease import WriterLease
from findingmodel.update.options import UpdateObserver
from findingmodel.update.write import BatchWriter, Spool
from tests.stores.contract_support import contents, some_json, some_text
from tests.stores.samples import (
    LONG_SECONDS,
    make_id,
    make_record,
    make_writer,
    organization,
    person,
    steps_of,
    upserts,
)

if TYPE_CHECKING:
    from findingmodel.stores.lease import Writer
    from findingmodel.stores.protocol import Store

pytestmark = pytest.mark.slow

FAR_NS = 9 * 10**18

tuples = st.lists(some_text, max_size=3).map(tuple)
numbers = st.integers(0, 2**64)
kinds = st.sampled_from(["person", "organization"])
credit_rows = st.builds(
    Credit, kinds, some_text, st.dictionaries(some_text, some_json, max_size=3), numbers, some_text
)
states = st.builds(FileState, some_text, numbers, numbers, some_text, numbers, some_text, tuples)
records = st.builds(
    Record,
    some_text,
    tuples,
    tuples,
    tuples,
    st.builds(Terms, some_text, some_text, some_text, some_text),
    tuples,
    st.lists(credit_rows, max_size=2).map(tuple),
    states,
    st.binary(max_size=40) | some_text.map(str.encode),
)
batches = st.builds(
    WriteBatch,
    st.lists(records, max_size=3),
    st.lists(states, max_size=3),
    st.lists(some_text, max_size=3),
    st.lists(credit_rows, max_size=3),
    st.lists(st.tuples(kinds, some_text), max_size=3),
)


@settings(max_examples=150)
@given(st.lists(batches, max_size=4))
def test_batches_are_read_back_unchanged(kept: list[WriteBatch]) -> None:
    with Spool() as spool:
        for batch in kept:
            spool.keep(batch)
        assert list(spool.batches()) == [batch for batch in kept if any(batch)]
        assert list(spool.batches()) == [batch for batch in kept if any(batch)]


def test_batches_can_be_added_after_reading() -> None:
    one, two = upserts(make_record(1)), upserts(make_record(2, model=b"line\nline\n"))
    with Spool() as spool:
        spool.keep(one)
        assert len(list(spool.batches())) == 1
        spool.keep(two)
        assert [list(batch.upserts) for batch in spool.batches()] == [list(one.upserts), list(two.upserts)]


def test_batches_too_large_for_memory_are_read_back_unchanged() -> None:
    large = [make_record(number)._replace(model=bytes([number]) * 6_000_000) for number in (1, 2, 3, 4)]
    with Spool() as spool:
        for record in large:
            spool.keep(upserts(record))
        assert [batch.upserts[0] for batch in spool.batches()] == large


async def lease_on(store: Store) -> WriterLease:
    lease = WriterLease(store, 60)
    await lease.take()
    return lease


def three_steps() -> list[WriteBatch]:
    """Return batches whose order matters."""
    return [
        WriteBatch(
            upserts=[make_record(1, "first"), make_record(2)], credits=[person("ann"), organization("ACR")]
        ),
        WriteBatch(upserts=[make_record(1, "second")], withdrawn=[("organization", "ACR")]),
        WriteBatch(removals=[make_id(2)]),
    ]


async def test_writes_go_to_the_store_at_once(memory: Store) -> None:
    with BatchWriter(await lease_on(memory), held_back=False) as writer:
        assert not writer.holds_back
        await writer.write(upserts(make_record(1)))
        assert (await memory.counts()).models == 1
        assert await memory.generation() == 0
        await writer.finish()
    assert await steps_of(memory) == 1


async def test_held_back_batches_are_written_in_order_when_released(memory: Store) -> None:
    with BatchWriter(await lease_on(memory), held_back=True) as writer:
        for batch in three_steps()[:2]:
            await writer.write(batch)
        assert writer.holds_back
        assert (await memory.counts()) == (0, 0, 0)
        await writer.release()
        assert (await memory.counts()) == (2, 1, 0)
        await writer.write(three_steps()[2])
        await writer.finish()
    assert (await memory.get([make_id(1)]))[make_id(1)]["name"] == "second"
    assert (await memory.counts()) == (1, 1, 0)
    assert await steps_of(memory) == 1


async def test_batches_that_are_not_released_are_never_written(memory: Store) -> None:
    with BatchWriter(await lease_on(memory), held_back=True) as writer:
        for batch in three_steps():
            await writer.write(batch)
        await writer.finish()
    assert (await memory.counts()) == (0, 0, 0)
    assert await memory.generation() == 0


async def test_an_error_drops_held_back_batches(memory: Store) -> None:
    async def write_and_fail() -> None:
        with BatchWriter(await lease_on(memory), held_back=True) as writer:
            await writer.write(upserts(make_record(1)))
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        await write_and_fail()
    assert (await memory.counts()).models == 0


@pytest.mark.parametrize("held_back", [False, True])
async def test_a_dry_run_writes_nothing_even_when_released(memory: Store, held_back: bool) -> None:
    before = await contents(memory)
    with BatchWriter(None, held_back=held_back) as writer:
        for batch in three_steps():
            await writer.write(batch)
        await writer.release()
        await writer.write(three_steps()[0])
        await writer.finish()
        assert not writer.holds_back
    assert await contents(memory) == before
    assert await memory.generation() == 0


async def test_empty_batches_change_nothing(memory: Store) -> None:
    with BatchWriter(await lease_on(memory), held_back=False) as writer:
        await writer.write(WriteBatch())
        await writer.release()
        await writer.finish()
    assert await memory.generation() == 0


async def test_nothing_is_written_once_the_lease_is_lost(memory: Store) -> None:
    lease = WriterLease(memory, 0)  # expires at once
    await lease.take()
    assert await memory.leases.acquire(make_writer("another"), LONG_SECONDS) is None
    with BatchWriter(lease, held_back=False) as writer:
        with pytest.raises(LeaseHeldError, match="lost its lease to process 1 on elsewhere"):
            await writer.write(upserts(make_record(1)))
        await writer.finish()
    assert (await memory.counts()).models == 0
    assert await memory.generation() == 0


class Choosy:
    """A store that does not write the model with a given id."""

    def __init__(self, store: Store, oifm_id: str) -> None:
        self._store = store
        self._oifm_id = oifm_id

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, batch: WriteBatch, writer: Writer) -> None:
        taken = [record for record in batch.upserts if record.file.oifm_id != self._oifm_id]
        await self._store.write(batch._replace(upserts=taken), writer)
        if len(taken) < len(batch.upserts) or self._oifm_id in batch.removals:
            raise NotWrittenError("1 of 2 models was not written", {self._oifm_id: "too large"})


async def test_a_model_that_the_store_does_not_write_is_a_rejection_and_stops_no_other(memory: Store) -> None:
    choosy: Any = Choosy(memory, make_id(2))
    refused = make_record(2, contributors=[person("ann")])
    with BatchWriter(await lease_on(choosy), held_back=True) as writer:
        await writer.write(upserts(make_record(1), refused))
        await writer.write(upserts(make_record(3)))
        await writer.release()
        assert writer.rejections == [(refused.file, refused.credits, "too large")]
        with pytest.raises(NotWrittenError):  # no file causes this
            await writer.write(WriteBatch(removals=[make_id(2)]))
    assert sorted(state.oifm_id for state in await memory.manifest()) == [make_id(1), make_id(3)]


class Slow:
    """A store whose writes end when the test allows it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.has_begun, self.may_end = asyncio.Event(), asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    async def write(self, batch: WriteBatch, writer: Writer) -> None:
        self.has_begun.set()
        await self.may_end.wait()
        await self._store.write(batch, writer)


async def test_a_cancelled_caller_waits_for_the_end_of_a_running_write(memory: Store) -> None:
    """Otherwise the lease would be released before the write takes effect."""
    slow: Any = Slow(memory)
    observer = UpdateObserver()
    with BatchWriter(await lease_on(slow), held_back=False, observer=observer) as writer:
        task = asyncio.create_task(writer.write(upserts(make_record(1), make_record(2))))
        await slow.has_begun.wait()
        task.cancel()
        await asyncio.sleep(0)
        assert not task.done()
        slow.may_end.set()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert (await memory.counts()).models == 2
    written = observer.counts
    assert (written.models, written.removals, str(written)) == (2, 0, "2 written and 0 removed")
