"""Read the content of an index, and check it for contradictions and missing models."""

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
    from tests.torture.world import Content, World

__all__ = [
    "check_complete",
    "check_interrupted",
    "differences",
    "generation_and_contributors",
    "index_content",
    "ledger_lines",
    "partial_faults",
    "sqlite_faults",
]


_LOOKS = 3
_PAUSE_SECONDS = 0.3


def index_content(db: str) -> tuple[Content, list[str]]:
    """Return the content of the index *db*, and its contradictions.

    Contradictions are checked again after a pause: a server may still be executing what a killed process
    sent, so that the first and the last read see different states.
    """
    for _ in range(_LOOKS):
        held, wrong = asyncio.run(_look(db))
        if not wrong:
            break
        time.sleep(_PAUSE_SECONDS)
    return held, wrong


def generation_and_contributors(db: str) -> tuple[int, set[str], set[str]]:
    """Return the generation of the index *db*, and its people and organizations."""
    return asyncio.run(_generation_and_contributors(db))


async def _generation_and_contributors(db: str) -> tuple[int, set[str], set[str]]:
    store = open_store(db, branch="main", settings=Settings(db=db), offload=asyncio.to_thread)
    try:
        people, organizations = [
            {credit.key for credit in await store.contributors(kind)} for kind in ("person", "organization")
        ]
        return await store.generation(), people, organizations
    finally:
        await store.close()


async def _look(db: str) -> tuple[Content, list[str]]:
    settings = Settings(db=db)
    store = open_store(db, branch="main", settings=settings, offload=asyncio.to_thread)
    try:
        await store.open()
        return await _contents(store)
    finally:
        await store.close()


async def _contents(store: Store) -> tuple[Content, list[str]]:
    states = await store.manifest()
    ids = [state.oifm_id for state in states]
    texts, entries = await store.models(ids), await store.get(ids)
    names = [row async for rows in store.terms.iter_labels() for row in rows]
    wrong = [f"{len(ids) - len(set(ids))} ids are stored twice"] if len(set(ids)) != len(ids) else []
    if {row.oifm_id for row in names} != set(ids) or len(names) != len(ids):
        wrong.append("the labels belong to other models than the manifest")
    if (await store.counts()).models != len(ids):
        wrong.append("the number of models is not the number of files")
    held: Content = {}
    for state in states:
        text = texts.get(state.oifm_id, b"")
        held[state.oifm_id] = (state.path, text)
        wrong += _contradictions(state, text, entries.get(state.oifm_id))
    found = await store.lookup([fold(entry["name"]) for entry in entries.values()])
    if {entry["oifm_id"] for entry in found} != set(ids):
        wrong.append("a model cannot be looked up by its name")
    return held, wrong


def _contradictions(state: Any, text: bytes, entry: Any) -> Iterator[str]:
    if hashlib.sha256(text).hexdigest() != state.sha256:
        yield f"{state.oifm_id}: the text does not match its fingerprint"
        return
    model = json.loads(text)
    if entry is None or (entry["oifm_id"], entry["name"], entry["filename"]) != (
        model["oifm_id"],
        model["name"],
        state.path,
    ):
        yield f"{state.oifm_id}: the entry does not match the text"


def sqlite_faults(db: str) -> Iterator[str]:
    """Yield the problems that SQLite finds in the file of *db*; nothing for MongoDB."""
    if not db.startswith("sqlite:///"):
        return
    path = Path(db.removeprefix("sqlite:///"))
    if not path.exists():
        return
    with closing(sqlite3.connect(path, timeout=60)) as connection:
        for (message,) in connection.execute("PRAGMA integrity_check"):
            if message != "ok":
                yield f"integrity_check: {message}"
        tables = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if re.fullmatch(r"terms_\w+", table) and f"{table}_data" in tables:
                try:
                    connection.execute(f'INSERT INTO "{table}"("{table}") VALUES (\'integrity-check\')')
                except sqlite3.DatabaseError as error:
                    yield f"the full-text index: {error}"


def partial_faults(before: Content, after: Content, found: Content) -> Iterator[str]:
    """Yield what is wrong in *found*, a state during an update from *before* to *after*."""
    for oifm_id in before.keys() & after.keys():
        if oifm_id not in found:
            yield f"{oifm_id} is missing, although it exists before and after the update"
    for oifm_id, (_, text) in found.items():
        if text not in {state[oifm_id][1] for state in (before, after) if oifm_id in state}:
            yield f"{oifm_id} is neither the old model nor the new one"


def differences(expected: Content, found: Content) -> Iterator[str]:
    """Yield the differences between the expected and the actual content after a complete update."""
    for oifm_id in expected.keys() | found.keys():
        if expected.get(oifm_id) != found.get(oifm_id):
            actual, right = (state.get(oifm_id, ("nothing",))[0] for state in (found, expected))
            yield f"{oifm_id}: the index has {actual}, expected {right}"


def check_interrupted(tally: Tally, world: World, db: str, where: str, before: Content) -> Content:
    """Check after an interrupted update of *world* that no model is missing or partial.

    Args:
        tally: records breaches.
        world: the directory.
        db: the index.
        where: the attack, for messages.
        before: the content of the index before the update.

    Returns:
        The content of the index.
    """
    tally.none_of(sqlite_faults(db), where)
    found, wrong = index_content(db)
    tally.none_of(wrong, where)
    tally.none_of(partial_faults(before, world.expected(), found), where)
    return found


def check_complete(tally: Tally, world: World, db: str, where: str) -> Content:
    """Check after a complete update of *world* that the index has the expected content, and settle the world.

    Args:
        tally: records breaches.
        world: the directory.
        db: the index.
        where: the attack, for messages.

    Returns:
        The content of the index.
    """
    found, wrong = index_content(db)
    tally.none_of(wrong, where)
    tally.none_of(differences(world.settle(), found), where)
    return found


def ledger_lines(path: Path) -> tuple[list[dict[str, Any]], int]:
    """Return the entries of a ledger, oldest first, and the number of invalid lines."""
    entries, torn = [], 0
    older = sorted(path.parent.glob(f"{path.name}.*"), key=lambda file: -int(file.suffix[1:]))
    for file in (*older, path):
        for line in file.read_bytes().split(b"\n") if file.exists() else ():
            if line:
                try:
                    entries.append(json.loads(line))
                except ValueError:
                    torn += 1
    return entries, torn
