"""``findingmodel index stats`` and ``findingmodel index history``."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.hints import empty_hint
from findingmodel.cli.options import index_options
from findingmodel.cli.screen import Column, Screen, counted, one_line, visible
from findingmodel.cli.session import ask
from findingmodel.cli.timings import HEADING, timing_rows
from findingmodel.observe.ledger import BEGUN, locate_ledger, read_history, rotated_files

if TYPE_CHECKING:
    from findingmodel.observe.metrics import Snapshot
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

_MEASURED_MODELS = 10
_TIMING_COLUMNS = tuple(Column(title, wraps=False, right=number > 0) for number, title in enumerate(HEADING))


@click.command()
@click.option("--performance", is_flag=True, help="Also measure reads, and show the sizes of files.")
@index_options
def stats(screen: Screen, performance: bool, settings: Settings) -> None:
    """Count the models and contributors that the index holds.

    \b
    Examples:
      findingmodel index stats
      findingmodel index stats --db findings.db --json
      findingmodel index stats --performance
    """

    async def question(store: Store) -> tuple[dict[str, Any], Snapshot | None, str]:
        counts = await store.counts()
        facts = {"db": store.label, "branch": settings.branch, **counts._asdict()}
        facts["generation"] = await store.generation()
        hint = "" if counts.models else await empty_hint(store, settings)
        return facts, await _measure_reads(store, settings) if performance else None, hint

    facts, measured, hint = ask(settings, question)
    if screen.as_json:
        if measured is not None:
            facts["performance"] = {
                "reads": {operation.name: operation.as_dict() for operation in measured.operations},
                "pool": measured.pool and measured.pool._asdict(),
                "bytes": _file_sizes(settings),
            }
        screen.json(facts)
    else:
        click.echo("\n".join(f"{name:<15}{visible(str(value))}" for name, value in facts.items()))
        if measured is not None:
            _show_performance(screen, measured, settings)
    if hint:
        screen.note(hint)


async def _measure_reads(store: Store, settings: Settings) -> Snapshot:
    """Read some models, each in every way."""
    from findingmodel.observe.metrics import PerformanceMonitor
    from findingmodel.search.searcher import Searcher
    from findingmodel.text.normalize import fold
    from findingmodel.text.query import parse_query

    monitor = PerformanceMonitor()
    searcher = Searcher(store)
    with monitor.measure("generation"):
        await store.generation()
    with monitor.measure("page"):
        page = await store.page(sort="oifm_id", descending=False, offset=0, limit=_MEASURED_MODELS)
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
        from findingmodel.stores.mongo.pool import connection_pool

        monitor.watch_pool(connection_pool.statistics)
    return monitor.snapshot()


def _show_performance(screen: Screen, measured: Snapshot, settings: Settings) -> None:
    facts = {f"{name} bytes": f"{size:,}" for name, size in _file_sizes(settings).items()}
    if measured.pool:
        facts |= {
            f"pool {name.replace('_', ' ')}": str(count) for name, count in measured.pool._asdict().items()
        }
    for name, fact in facts.items():
        click.echo(f"{name:<18}{fact}")
    screen.table(_TIMING_COLUMNS, timing_rows(measured.operations))


def _file_sizes(settings: Settings) -> dict[str, int]:
    """Return the bytes of the existing files of this index, by kind."""
    from findingmodel.stores import sqlite_path

    files: dict[str, list[Path]] = {}
    if not settings.is_server:
        index = sqlite_path(settings.db)
        files["index"] = [Path(index), Path(f"{index}-wal")]
    if settings.cache_file:
        files["cache"] = [Path(settings.cache_file)]
    ledger = locate_ledger(settings).path
    if ledger is not None:
        files["ledger"] = [ledger, *rotated_files(ledger)]
    sizes = {kind: [path.stat().st_size for path in paths if path.is_file()] for kind, paths in files.items()}
    return {kind: sum(found) for kind, found in sizes.items() if found}


_REFUSALS = {
    "would-empty": "would have removed all {}",
    "would-remove-most": "would have removed {}, more than half",
    "strict": "files failed, and --strict was given",
}
"""What history says of an update that was refused, by the reason in its report."""

_HISTORY_COLUMNS = (
    *(Column("when", wraps=False), Column("outcome", wraps=False, bold=True)),
    *(Column("what"), Column("by"), Column("of", cut=True)),
)


@click.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most entries to show.")
@index_options
def history(screen: Screen, limit: int, settings: Settings) -> None:
    """Show the updates and other writes of the index, the newest first.

    Each write that changed something, failed or was refused is recorded in a ledger. The ledger is a file
    next to the SQLite file; for MongoDB it is a file in your state directory, which records the writes of
    this machine only. Its settings are ledger, ledger_max_bytes and ledger_keep. A write that has begun and
    not ended is still running, or was killed. Times are local; with --json they are in UTC.

    \b
    Examples:
      findingmodel index history
      findingmodel index history --limit 1 --json
    """
    ledger = locate_ledger(settings)
    entries, torn = read_history(ledger, limit=limit)
    screen.results(entries, _HISTORY_COLUMNS, [_history_row(entry) for entry in entries])
    open_updates = sum(entry["outcome"] == BEGUN for entry in entries)
    if open_updates:
        screen.note(f"{counted(open_updates, 'update')} not ended: still running, or killed")
    if torn:
        screen.note(f"{counted(torn, 'line')} of the ledger cut short by a killed writer")
    if not entries:
        screen.note("no ledger is kept" if ledger.path is None else f"no entries in {ledger.path}")


def _history_row(entry: dict[str, Any]) -> tuple[str, ...]:
    at = str(entry.get("at", ""))
    with suppress(ValueError):
        at = datetime.fromisoformat(at).astimezone().isoformat(" ")
    by = f"{entry.get('user', '?')}@{entry.get('host', '?')}"
    source = next((str(entry[key]) for key in ("directory", "file", "model") if key in entry), "")
    what = f"{entry.get('action')}: {_result(entry)}".removesuffix(": ")
    return at[:19], str(entry["outcome"]), one_line(what), one_line(by), one_line(source)


def _result(entry: dict[str, Any]) -> str:
    """Return the counts of what was done, or why nothing was."""
    if "error" in entry:
        return str(entry["error"])
    if "refused" in entry:
        reason = str(entry["refused"]["reason"])
        return _REFUSALS.get(reason, reason).format(counted(entry["refused"].get("would_remove", 0), "model"))
    return ", ".join(f"{name} {count:,}" for name, count in entry.get("counts", {}).items() if count)
