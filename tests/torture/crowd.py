"""Concurrency: several updates and many readers at once, in processes and in tasks."""

from __future__ import annotations

import asyncio
import random
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

from findingmodel import Index, LeaseHeldError
from findingmodel.settings import Settings
from tests.torture.inspect_index import check_complete, sqlite_faults
from tests.torture.tally import Tally
from tests.torture.world import World
from tests.torture.zygote import Zygote

if TYPE_CHECKING:
    from pathlib import Path

    from tests.torture.zygote import Ended

__all__ = ["many_at_once"]

_WRITERS = 3
_READERS = 12
_INDEXES = 3
_MODELS = 60


def many_at_once(home: Path, db: str, seed: int, rounds: int) -> Tally:
    """Update one index from processes and tasks at the same time, while tasks read it.

    Readers look up models that no edit touches, so they must always be found. In each round every writer
    updates from the same directory; those that do not wait may fail because another holds the lease.
    """
    tally, chance = Tally(), random.Random(seed)
    world = World(home / "defs", _MODELS, chance)
    with ExitStack() as stack, ThreadPoolExecutor(_WRITERS) as pool:
        zygotes = [
            stack.enter_context(Zygote(home / f"z{n}", FINDINGMODEL_LEDGER="off")) for n in range(_WRITERS)
        ]
        first = zygotes[0].run("index", "update", world.root, "--db", db)
        tally.expect(first.code == 0, f"the first update: {first.stderr}")
        world.settle()
        over = threading.Event()
        reading = threading.Thread(target=lambda: asyncio.run(_read(db, world, over, tally)))
        reading.start()
        try:
            for number in range(rounds):
                _round(world, db, tally, zygotes, pool, is_patient=number % 2 == 0)
        finally:
            over.set()
            reading.join()
    return tally


def _round(
    world: World, db: str, tally: Tally, zygotes: list[Zygote], pool: ThreadPoolExecutor, *, is_patient: bool
) -> None:
    keep = set(list(world.indexed)[:20])
    _edit_others(world, keep)
    options = ("--wait", "60") if is_patient else ()
    runs = [pool.submit(z.run, "index", "update", world.root, "--db", db, *options) for z in zygotes]
    within = asyncio.run(_update_in_tasks(db, world.root))
    tally.count("updates in tasks of one process", len(within))
    for run in runs:
        _judge(run.result(), tally, is_patient=is_patient)
    last = zygotes[0].run("index", "update", world.root, "--db", db, "--wait", "60")
    tally.expect(last.code in (0, 1), f"the last update: {last.stderr}")
    check_complete(tally, world, db, "after a round")
    tally.none_of(sqlite_faults(db), "after a round")
    tally.count("rounds")


def _edit_others(world: World, keep: set[str]) -> None:
    """Edit files other than those of the models that readers look up."""
    kept = {world.indexed[oifm_id][0] for oifm_id in keep}
    world.spare(kept)
    world.edit(15)


def _judge(ended: Ended, tally: Tally, *, is_patient: bool) -> None:
    tally.count("updates in processes")
    if ended.code == 3 and not is_patient:
        is_named = (
            "another update is running, process " in ended.stderr and len(ended.stderr.splitlines()) == 1
        )
        tally.expect(is_named, f"an update without the lease prints {ended.stderr!r}")
        tally.count("updates refused because of the lease")
        return
    if "waiting for another update to end: process " in ended.stderr:
        tally.count("updates that waited for another")
    tally.expect(ended.code in (0, 1), f"concurrent update: exit {ended.code}, {ended.stderr!r}")


async def _update_in_tasks(db: str, root: Path) -> list[Any]:
    """Update from several tasks of one Index, and from another Index of the same process."""
    settings = Settings(db=db, ledger="off")
    async with Index(settings=settings) as one, Index(settings=settings) as other:
        results = await asyncio.gather(
            one.update_from_directory(root, wait_seconds=60),
            one.update_from_directory(root, wait_seconds=60),
            other.update_from_directory(root, wait_seconds=60),
            return_exceptions=True,
        )
    for result in results:
        if isinstance(result, BaseException) and not isinstance(result, LeaseHeldError):
            raise result
    return list(results)


async def _read(db: str, world: World, over: threading.Event, tally: Tally) -> None:
    """Read from many tasks of several Index objects until *over* is set."""
    stable = list(world.indexed)[:20]
    settings = Settings(db=db, ledger="off", mongodb_min_pool_size=0)
    indexes = [Index(settings=settings) for _ in range(_INDEXES)]

    async def look(number: int) -> None:
        index, chance = indexes[number % _INDEXES], random.Random(number)
        while not over.is_set():
            await _look(index, chance.choice(stable), tally)
            await asyncio.sleep(0)

    try:
        for task in await asyncio.gather(*map(look, range(_READERS)), return_exceptions=True):
            tally.expect(task is None, f"a reader failed: {task!r}")
    finally:
        for index in indexes:
            await index.close()


async def _look(index: Index, oifm_id: str, tally: Tally) -> None:
    entry = await index.get(oifm_id)
    tally.expect(entry is not None, f"{oifm_id} was missing for a reader")
    models = await index.get_full_batch([oifm_id])
    tally.expect(oifm_id in models, f"the model of {oifm_id} was missing for a reader")
    if entry is not None:
        hits = await index.search(entry.name, limit=3)
        tally.expect(any(h.oifm_id == oifm_id for h in hits), f"{oifm_id} was not found by its name")
    tally.count("lookups by readers", 3)
