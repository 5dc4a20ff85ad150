"""What ``findingmodel index stats --performance`` adds: how long reads take, and what takes space."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.screen import Column
from findingmodel.cli.timings import HEADING, timing_rows
from findingmodel.observe.ledger import older_files, place_of
from findingmodel.observe.metrics import PerformanceMonitor
from findingmodel.search.engine import Searcher
from findingmodel.stores import sqlite_path
from findingmodel.text.normalize import fold
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings
    from findingmodel.observe.metrics import Snapshot
    from findingmodel.stores.protocol import Store

__all__ = ["measure_reads", "performance_facts", "show_performance"]

_MODELS = 10
_COLUMNS = tuple(Column(title, wraps=False, right=number > 0) for number, title in enumerate(HEADING))


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
        from findingmodel.stores.pool import pool_statistics

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
    screen.table(_COLUMNS, timing_rows(snapshot.operations))


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
