"""What an index holds, looked at from outside, and what is wrong with that."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from findingmodel.settings import Settings
from findingmodel.stores import open_store
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.stores.protocol import Store
    from tests.torture.tally import Tally
    from tests.torture.world import Held, World

__all__ = [
    "complete",
    "half_done",
    "held_in",
    "is_sound",
    "judge_complete",
    "judge_half_done",
    "ledger_lines",
    "told_in",
]


_LOOKS = 3
_PAUSE_SECONDS = 0.3


def held_in(db: str) -> tuple[Held, list[str]]:
    """Return what the index *db* holds, and where it contradicts itself.

    It is looked at again where it does: a server may still be writing what one that was killed has sent it,
    and what is asked for first and last is then of different moments.
    """
    for _ in range(_LOOKS):
        held, wrong = asyncio.run(_look(db))
        if not wrong:
            break
        time.sleep(_PAUSE_SECONDS)
    return held, wrong


def told_in(db: str) -> tuple[int, set[str], set[str]]:
    """Return the generation of the index *db*, and the people and organizations that it knows."""
    return asyncio.run(_told(db))


async def _told(db: str) -> tuple[int, set[str], set[str]]:
    store = open_store(db, branch="main", settings=Settings(db=db), offload=asyncio.to_thread)
    try:
        people, organizations = [
            {credit.key for credit in await store.contributors(kind)} for kind in ("person", "organization")
        ]
        return await store.generation(), people, organizations
    finally:
        await store.close()


async def _look(db: str) -> tuple[Held, list[str]]:
    settings = Settings(db=db)
    store = open_store(db, branch="main", settings=settings, offload=asyncio.to_thread)
    try:
        await store.open()
        return await _contents(store)
    finally:
        await store.close()


async def _contents(store: Store) -> tuple[Held, list[str]]:
    states = await store.manifest()
    ids = [state.oifm_id for state in states]
    texts, entries = await store.models(ids), await store.get(ids)
    names = [row async for rows in store.iter_labels() for row in rows]
    wrong = [f"{len(ids) - len(set(ids))} ids are held twice"] if len(set(ids)) != len(ids) else []
    if {row.oifm_id for row in names} != set(ids) or len(names) != len(ids):
        wrong.append("search knows other models than the manifest")
    if (await store.counts()).models != len(ids):
        wrong.append("there are not as many models as files")
    held: Held = {}
    for state in states:
        text = texts.get(state.oifm_id, b"")
        held[state.oifm_id] = (state.path, text)
        wrong += _contradictions(state, text, entries.get(state.oifm_id))
    found = await store.lookup([fold(entry["name"]) for entry in entries.values()])
    if {entry["oifm_id"] for entry in found} != set(ids):
        wrong.append("not every model is found by its name")
    return held, wrong


def _contradictions(state: Any, text: bytes, entry: Any) -> Iterator[str]:
    if hashlib.sha256(text).hexdigest() != state.sha256:
        yield f"{state.oifm_id}: the text is not that of the fingerprint"
        return
    model = json.loads(text)
    if entry is None or (entry["oifm_id"], entry["name"], entry["filename"]) != (
        model["oifm_id"],
        model["name"],
        state.path,
    ):
        yield f"{state.oifm_id}: the entry is not that of the text"


def is_sound(db: str) -> Iterator[str]:
    """Yield what SQLite finds wrong with the file of *db*; nothing of another database."""
    if not db.startswith("sqlite:///"):
        return
    path = Path(db.removeprefix("sqlite:///"))
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        for (told,) in connection.execute("PRAGMA integrity_check"):
            if told != "ok":
                yield f"integrity_check: {told}"
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if re.fullmatch(r"terms_\w+", table) and f"{table}_data" in tables:
                try:
                    connection.execute(f'INSERT INTO "{table}"("{table}") VALUES (\'integrity-check\')')
                except sqlite3.DatabaseError as error:
                    yield f"the index of words: {error}"


def half_done(before: Held, after: Held, found: Held) -> Iterator[str]:
    """Yield what must not be, while one state is made into another."""
    for oifm_id in before.keys() & after.keys():
        if oifm_id not in found:
            yield f"{oifm_id} is missing, although it was there before and is to be there after"
    for oifm_id, (_, text) in found.items():
        if text not in {state[oifm_id][1] for state in (before, after) if oifm_id in state}:
            yield f"{oifm_id} is neither the old model nor the new one"


def complete(wanted: Held, found: Held) -> Iterator[str]:
    """Yield how what was *found* differs from what an index must hold when an update has come to its end."""
    for oifm_id in wanted.keys() | found.keys():
        if wanted.get(oifm_id) != found.get(oifm_id):
            there, should = (state.get(oifm_id, ("nothing",))[0] for state in (found, wanted))
            yield f"{oifm_id}: the index holds {there}, and must hold {should}"


def judge_half_done(tally: Tally, world: World, db: str, where: str, before: Held) -> Held:
    """See that nothing in the index is missing, or half, after an attack on an update of *world*.

    Args:
        tally: takes note of what is wrong.
        world: the directory.
        db: the index.
        where: at which attack this came to light.
        before: what the index held before the update.

    Returns:
        What it holds.
    """
    tally.none_of(is_sound(db), where)
    found, wrong = held_in(db)
    tally.none_of(wrong, where)
    tally.none_of(half_done(before, world.expected(), found), where)
    return found


def judge_complete(tally: Tally, world: World, db: str, where: str) -> Held:
    """See that the index holds all that it must after an update of *world*, and settle the world.

    Args:
        tally: takes note of what is wrong.
        world: the directory.
        db: the index.
        where: after which attack this came to light.

    Returns:
        What the index holds.
    """
    found, wrong = held_in(db)
    tally.none_of(wrong, where)
    tally.none_of(complete(world.settle(), found), where)
    return found


def ledger_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the notes of a ledger, its older files first, and how many lines are none."""
    notes, torn = [], 0
    older = sorted(path.parent.glob(f"{path.name}.*"), key=lambda file: -int(file.suffix[1:]))
    for file in (*older, path):
        for line in file.read_bytes().split(b"\n") if file.exists() else ():
            if line:
                try:
                    notes.append(json.loads(line))
                except ValueError:
                    torn += 1
    return notes, torn
