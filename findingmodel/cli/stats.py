"""``findingmodel index stats`` and ``findingmodel index history``."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.hints import empty_hint
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.screen import Column, counted, one_line, to_json, visible
from findingmodel.cli.session import ask
from findingmodel.cli.timings import HEADING, timing_rows
from findingmodel.observe.ledger import older_files, place_of
from findingmodel.observe.metrics import PerformanceMonitor
from findingmodel.search.searcher import Searcher
from findingmodel.stores import sqlite_path
from findingmodel.text.normalize import fold
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Mapping

    from findingmodel.cli.screen import Screen
    from findingmodel.observe.metrics import Snapshot
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

__all__ = ["history", "measure_reads", "performance_facts", "show_performance", "stats"]

_MODELS = 10
_SIZE_COLUMNS = tuple(Column(title, wraps=False, right=number > 0) for number, title in enumerate(HEADING))


async def measure_reads(store: Store, settings: Settings) -> Snapshot:
    """Read some models, each in every way there is."""
    monitor = PerformanceMonitor()
    searcher = Searcher(store)
    with monitor.measure("generation"):
        await store.generation()
    with monitor.measure("page"):
        page = await store.page(sort="oifm_id", descending=False, offset=0, limit=_MODELS)
    for entry in page:
        with monitor.measure("get by id"):
            await store.get([entry["oifm_id"]])
        with monitor.measure("get by name"):
            await store.lookup([fold(entry["name"])])
        with monitor.measure("whole model"):
            await store.models([entry["oifm_id"]])
        with monitor.measure("search"):
            await searcher.search(parse_query(entry["name"]))
    if settings.is_server:
        from findingmodel.stores.mongo.pool import pool_statistics

        monitor.watch_pool(pool_statistics)
    return monitor.snapshot()


def performance_facts(snapshot: Snapshot, settings: Settings) -> dict[str, Any]:
    """Return what was measured, ready for JSON."""
    return {
        "reads": {one.name: one.as_dict() for one in snapshot.operations},
        "pool": snapshot.pool and snapshot.pool._asdict(),
        "bytes": _sizes(settings),
    }


def show_performance(screen: Screen, snapshot: Snapshot, settings: Settings) -> None:
    """Print what was measured."""
    sizes = {f"{name} bytes": f"{size:,}" for name, size in _sizes(settings).items()}
    pool = snapshot.pool._asdict() if snapshot.pool else {}
    counts = {f"pool {name.replace('_', ' ')}": str(count) for name, count in pool.items()}
    for name, fact in {**sizes, **counts}.items():
        click.echo(f"{name:<18}{fact}")
    screen.table(_SIZE_COLUMNS, timing_rows(snapshot.operations))


def _sizes(settings: Settings) -> dict[str, int]:
    """Return how large the files of this index are, by what they are; without those that are not there."""
    files: dict[str, list[Path]] = {}
    if not settings.is_server:
        index = sqlite_path(settings.db)
        files["index"] = [Path(index), Path(f"{index}-wal")]
    if settings.cache_file:
        files["cache"] = [Path(settings.cache_file)]
    ledger = place_of(settings).path
    if ledger is not None:
        files["ledger"] = [ledger, *older_files(ledger)]
    sizes = {name: [path.stat().st_size for path in paths if path.is_file()] for name, paths in files.items()}
    return {name: sum(found) for name, found in sizes.items() if found}


@click.command()
@click.option("--performance", is_flag=True, help="Also how long reads take, and how large the files are.")
@database_options
@json_option
@screen_options
@click.pass_obj
def stats(screen: Screen, performance: bool, settings: Settings, as_json: bool) -> int:
    """Count the models and contributors that the index holds.

    \b
    Examples:
      findingmodel index stats
      findingmodel index stats --db findings.db --json
      findingmodel index stats --performance
    """

    async def answer(store: Store) -> tuple[dict[str, Any], Snapshot | None, str]:
        counts = await store.counts()
        facts = {"db": store.label, "branch": settings.branch, **counts._asdict()}
        facts["generation"] = await store.generation()
        hint = "" if counts.models else await empty_hint(store, settings)
        if not performance:
            return facts, None, hint

        return facts, await measure_reads(store, settings), hint

    facts, measured, hint = ask(settings, answer)
    if measured is not None and as_json:
        facts["performance"] = performance_facts(measured, settings)
    _show_facts(facts, as_json=as_json)
    if measured is not None and not as_json:
        show_performance(screen, measured, settings)
    if hint:
        screen.note(hint)
    return 0


def _show_facts(facts: Mapping[str, Any], *, as_json: bool) -> None:
    if as_json:
        click.echo(to_json(facts))
    else:
        click.echo("\n".join(f"{name:<15}{visible(str(value))}" for name, value in facts.items()))


_HISTORY_COLUMNS = (
    Column("when", wraps=False),
    Column("outcome", wraps=False, bold=True),
    Column("what"),
    Column("by"),
    Column("of", cut=True),
)


@click.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most notes to show.")
@database_options
@json_option
@screen_options
@click.pass_obj
def history(screen: Screen, limit: int, settings: Settings, as_json: bool) -> int:
    """Show what was done to the index, the newest first.

    Each update and each write that changed something, failed or was refused is noted in a ledger: a file
    beside the SQLite file, and for MongoDB one in your state directory, so that it tells what was done from
    here. Its settings are ledger, ledger_max_bytes and ledger_keep. What has begun and not ended is still
    being done, or was killed. Times are those of the clock here; with --json they are in UTC.

    \b
    Examples:
      findingmodel index history
      findingmodel index history --limit 1 --json
    """
    from findingmodel.observe.ledger import BEGUN, place_of, read_history

    place = place_of(settings)
    notes, torn = read_history(place, limit=limit)
    if as_json:
        click.echo(to_json(notes))
    else:
        screen.table(_HISTORY_COLUMNS, [_row(note) for note in notes])
    open_ones = sum(note["outcome"] == BEGUN for note in notes)
    if open_ones:
        screen.note(f"{counted(open_ones, 'update')} begun and not ended: still at work, or killed")
    if torn:
        screen.note(f"{counted(torn, 'line')} of the ledger cut short, when the writer was killed")
    if not notes:
        screen.note("no ledger is kept" if place.path is None else f"nothing is noted in {place.path}")
    return 0


def _row(note: dict[str, Any]) -> tuple[str, ...]:
    by = f"{note.get('user', '?')}@{note.get('host', '?')}"
    about = next((str(note[key]) for key in ("directory", "file", "model") if key in note), "")
    return (
        _local(str(note.get("at", ""))),
        str(note["outcome"]),
        one_line(_what(note)),
        one_line(by),
        one_line(about),
    )


def _local(at: str) -> str:
    """Return a time of the ledger, which is in UTC, as the clock here showed it."""
    with suppress(ValueError):
        at = datetime.fromisoformat(at).astimezone().isoformat(" ")
    return at[:19]


def _what(note: dict[str, Any]) -> str:
    """Return what was done, or why it was not, in a few words."""
    if "error" in note:
        return f"{note.get('action')}: {note['error']}"
    if "refused" in note:
        return f"{note.get('action')}: {note['refused']['reason']}"
    counts = ", ".join(f"{name} {count:,}" for name, count in note.get("counts", {}).items() if count)
    return f"{note.get('action')}: {counts}".removesuffix(": ")
