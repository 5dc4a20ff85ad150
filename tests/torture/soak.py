"""Soak test: one process uses an index for a long time, and needs no more resources at the end."""

from __future__ import annotations

import asyncio
import functools
import gc
import random
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel import Index
from findingmodel.settings import Settings
from tests.torture.inspect_index import check_complete, sqlite_faults
from tests.torture.tally import Tally
from tests.torture.world import World
from tests.torture.zygote import Zygote

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Room", "soak"]

_MODELS = 150
_WARM_STEPS = 60
"""Steps before the first measurement, when the allocator has reached its plateau; at least as many follow."""
_COME_AND_GO = {"files": 4, "sockets": 3, "threads": 8}
"""Allowed differences: drivers stop threads and connections at their own pace."""
_STEPS_TO_EMPTY = 20
_MOST_GROWTH_KB = 10_000
_PAGE_KB = 4


class Room(NamedTuple):
    """The resources of a process.

    Attributes:
        resident_kb: memory in use.
        files: open files, including sockets.
        sockets: open sockets.
        threads: threads.
    """

    resident_kb: int
    files: int
    sockets: int
    threads: int

    @classmethod
    def now(cls) -> Room:
        """Return the resources of this process now, after clearing bounded caches, which fill slowly."""
        _empty_caches()
        gc.collect()
        links = []
        for link in Path("/proc/self/fd").iterdir():
            try:
                links.append(str(link.readlink()))
            except OSError:
                continue  # the descriptor of the listing itself
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_KB
        sockets = sum(link.startswith("socket:") for link in links)
        return cls(resident, len(links), sockets, threading.active_count())


def soak(home: Path, dbs: Sequence[str], seed: int, seconds: float) -> Tally:
    """Use an index in each of *dbs* for *seconds*, and check its content after each step."""
    tally, chance = Tally(), random.Random(seed)
    until = time.monotonic() + seconds
    with Zygote(home / "zygote", FINDINGMODEL_LEDGER="off") as zygote:
        worlds = {db: World(home / f"defs{n}", _MODELS, chance) for n, db in enumerate(dbs)}
        with asyncio.Runner() as runner:
            warm: Room | None = None
            while warm is None or tally.counts["steps"] < 2 * _WARM_STEPS or time.monotonic() < until:
                for db, world in worlds.items():
                    _live(runner, zygote, db, world, chance, tally)
                if tally.counts["steps"] % _STEPS_TO_EMPTY < len(worlds):
                    _empty_caches()
                if warm is None and tally.counts["steps"] >= _WARM_STEPS:
                    warm = Room.now()
            _compare(warm, Room.now(), tally)
    return tally


def _empty_caches() -> None:
    for kept in gc.get_objects():
        if type(kept) is functools._lru_cache_wrapper:  # isinstance would call proxies of dead objects
            kept.cache_clear()


def _compare(before: Room, after: Room, tally: Tally) -> None:
    tally.counts["kB of memory when warm"] = before.resident_kb
    tally.counts["kB of memory at the end"] = after.resident_kb
    growth = after.resident_kb - before.resident_kb
    tally.expect(growth < _MOST_GROWTH_KB, f"memory grew by {growth:,} kB")
    for what, by in _COME_AND_GO.items():
        one, other = getattr(before, what), getattr(after, what)
        tally.counts[f"{what} when warm"], tally.counts[f"{what} at the end"] = one, other
        tally.expect(other <= one + by, f"{what}: {one} when warm, {other} at the end")


def _live(
    runner: asyncio.Runner, zygote: Zygote, db: str, world: World, chance: random.Random, tally: Tally
) -> None:
    """Edit, update in one of three ways, and check the content."""
    world.edit(chance.randint(0, 30))
    how = chance.random()
    if how < 0.2:
        ended = zygote.run("index", "update", world.root, "--db", db)
        tally.expect(ended.code in (0, 1), f"exit {ended.code}: {ended.stderr[-200:]}")
        tally.count("updates by a command")
    elif how < 0.4:
        asyncio.run(_update(db, world))
        tally.count("updates in an event loop of their own")
    else:
        runner.run(_update(db, world))
        tally.count("updates in a running loop")
    check_complete(tally, world, db, "after a step")
    people, organizations = world.contributors()
    runner.run(_search(db, world, chance, tally, (len(people), len(organizations))))
    if tally.counts["steps"] % 10 == 0:
        tally.none_of(sqlite_faults(db), "after a step")
    tally.count("steps")


async def _update(db: str, world: World) -> None:
    async with Index(settings=Settings(db=db, ledger="off")) as index:
        await index.update_from_directory(world.root)


async def _search(
    db: str, world: World, chance: random.Random, tally: Tally, contributors: tuple[int, int]
) -> None:
    """Look up some models by id, name and words, and check the counts."""
    async with Index(settings=Settings(db=db, ledger="off")) as index:
        tally.expect(await index.count() == len(world.indexed), "the count of models")
        counted = (await index.count_people(), await index.count_organizations())
        tally.expect(counted == contributors, f"{counted} people and organizations, not {contributors}")
        some = chance.sample(sorted(world.indexed), 5)
        models = await index.get_full_batch(some)
        names = [models[oifm_id].name for oifm_id in some]
        answers = await index.search_batch(names, limit=3)
        for oifm_id, name in zip(some, names, strict=True):
            tally.expect(any(hit.oifm_id == oifm_id for hit in answers[name]), f"{oifm_id} by its name")
        tally.expect(await index.get("nothing of the kind") is None, "what is not there")
        tally.count("searches", len(names))
