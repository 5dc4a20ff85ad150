"""``findingmodel search --batch``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from findingmodel.batch.run import BatchJob, run_batch
from findingmodel.cli.hints import no_hits_hint
from findingmodel.cli.screen import Screen, counted, safe_json, visible
from findingmodel.cli.session import run, session_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from findingmodel.batch.run import BatchSummary
    from findingmodel.index.session import IndexSession
    from findingmodel.runtime.timing import Timer
    from findingmodel.settings import Settings

_STREAM = "-"
_ALWAYS_SHOWN = ("matched", "ambiguous", "unmatched")


def search_file(
    screen: Screen,
    settings: Settings,
    source: str,
    *,
    output: str | None,
    timer: Timer,
    **options: Any,
) -> int:
    """Search for every query in the file *source*; return the exit code."""
    target = output or _STREAM
    if screen.as_json and target == _STREAM:
        options["write_as"] = "jsonl"
    session = session_of(settings, timer)
    job = BatchJob(source, target, concurrency=session.concurrency, **options)
    with _echo(job, as_json=screen.as_json) as echo, screen.progress("searching") as progress:

        async def command(opened: IndexSession) -> tuple[BatchSummary, str]:
            searcher = opened.one_shot_searcher(use_cache=False)
            summary = await run_batch(searcher, job, echo=echo, progress=progress)
            has_hits = summary.matched or summary.ambiguous
            return summary, "" if has_hits else await no_hits_hint(opened.store, settings)

        summary, hint = run(session, command)
    if screen.as_json and target != _STREAM:
        screen.json({"queries": summary.queries, **summary._asdict()})
    counts = ", ".join(
        f"{count:,} {name}" for name, count in summary._asdict().items() if count or name in _ALWAYS_SHOWN
    )
    screen.note(f"{counted(summary.queries, 'query')}: {counts}{hint}")
    return 1 if summary.failed else 0


@contextmanager
def _echo(job: BatchJob, *, as_json: bool) -> Iterator[Callable[[str], None]]:
    """Yield a function that prints one record: as a line, or as an element of one JSON document."""
    safe = safe_json if job.written_as == "jsonl" else _safe_csv
    if not as_json:
        yield lambda record: click.echo(safe(record), nl=False)
        return
    separator = "[\n"

    def print_element(record: str) -> None:
        nonlocal separator
        if record:
            click.echo(separator + safe(record).rstrip("\n"), nl=False)
            separator = ",\n"

    yield print_element
    if job.target == _STREAM:
        click.echo("[]" if separator == "[\n" else "\n]")


def _safe_csv(record: str) -> str:
    """Return *record* unchanged for a program, and without control characters for a terminal."""
    if sys.stdout is None or not sys.stdout.isatty():
        return record
    return "\n".join(map(visible, record.split("\n")))
