"""``findingmodel search --batch``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from findingmodel.batch.run import BatchJob, run_batch
from findingmodel.batch.search import AT_A_SERVER
from findingmodel.cli.hints import why_nothing
from findingmodel.cli.screen import counted, safe_json, to_json, visible
from findingmodel.cli.session import ask
from findingmodel.search.searcher import Searcher

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from findingmodel.batch.run import BatchSummary
    from findingmodel.cli.screen import Screen
    from findingmodel.runtime.timing import Timer
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

__all__ = ["search_file"]

_STREAM = "-"


def search_file(
    screen: Screen,
    settings: Settings,
    source: str,
    as_json: bool,
    *,
    output: str | None,
    timer: Timer,
    **options: Any,
) -> int:
    """Search for every query in the file *source*; return the exit code."""
    target = output or _STREAM
    if as_json and target == _STREAM:
        options["write_as"] = "jsonl"
    concurrency = AT_A_SERVER if settings.is_server else 1
    job = BatchJob(source, target, concurrency=concurrency, **options)
    with _echo(job, as_json=as_json) as echo, screen.progress("searching") as progress:

        async def answer(store: Store) -> tuple[BatchSummary, str]:
            done = await run_batch(Searcher(store, timer=timer), job, echo=echo, progress=progress)
            return done, "" if done.matched or done.ambiguous else await why_nothing(store, settings)

        summary, missed = ask(settings, answer)
    if as_json and target != _STREAM:
        click.echo(to_json({"queries": summary.queries, **summary._asdict()}))
    screen.note(f"{_told(summary)}{missed}")
    return 1 if summary.failed else 0


@contextmanager
def _echo(job: BatchJob, *, as_json: bool) -> Iterator[Callable[[str], None]]:
    """Lend what writes records to standard output: line by line, or as one JSON document."""
    safe = safe_json if job.written_as == "jsonl" else _safe_csv
    if not as_json:
        yield lambda record: click.echo(safe(record), nl=False)
        return
    before = "[\n"

    def element(record: str) -> None:
        nonlocal before
        if record:
            click.echo(before + safe(record).rstrip("\n"), nl=False)
            before = ",\n"

    yield element
    if job.target == _STREAM:
        click.echo("[]" if before == "[\n" else "\n]")


def _safe_csv(record: str) -> str:
    """Return *record* as it is for a program, and with nothing in it that steers a terminal for a person."""
    if sys.stdout is None or not sys.stdout.isatty():
        return record
    return "\n".join(map(visible, record.split("\n")))


def _told(summary: BatchSummary) -> str:
    """Return the counts of *summary* in one line."""
    parts = [
        f"{count:,} {name}" for name, count in summary._asdict().items() if count or name in _ALWAYS_TOLD
    ]
    return f"{counted(summary.queries, 'query')}: {', '.join(parts)}"


_ALWAYS_TOLD = ("matched", "ambiguous", "unmatched")
