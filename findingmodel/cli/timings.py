"""Where the time of a command went: a table on stderr for ``--timings``, log lines by setting."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from findingmodel.cli.screen import visible
from findingmodel.runtime.timing import untimed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from findingmodel.observe.metrics import OperationStatistics
    from findingmodel.runtime.timing import Timer
    from findingmodel.settings import Settings

__all__ = ["HEADING", "duration", "timed", "timing_rows"]

HEADING = ("stage", "times", "items", "total", "mean", "p95", "most", "items/s")

_ORDER = (
    *("sync.scan", "sync.manifest", "sync.compare", "sync.setup", "sync.load", "sync.decide"),
    *("sync.write", "sync.remove", "sync.contributors", "sync.finish"),
    *("search.parse", "search.plan", "search.candidates", "search.rank", "search.entries", "search.explain"),
)


@contextmanager
def timed(settings: Settings, command: str, *, wanted: bool) -> Iterator[Timer]:
    """Lend what measures the stages of *command*, and print a table of them at the end if it is *wanted*.

    Stages of an update overlap, and may take longer together than the whole command, which is the last row.
    """
    if not wanted and settings.log == "off":
        yield untimed
        return
    from findingmodel.observe.logs import make_monitor

    monitor = make_monitor(settings, wanted=wanted)
    try:
        with monitor.measure(command):
            yield monitor.measure
    finally:
        if wanted:
            _print([HEADING, *timing_rows(monitor.snapshot().operations)])


def timing_rows(operations: Iterable[OperationStatistics]) -> list[tuple[str, ...]]:
    """Return a row for each stage, in the order of the work; what is no stage comes last."""
    places = {name: place for place, name in enumerate(_ORDER)}
    ordered = sorted(operations, key=lambda one: (places.get(one.name, len(places)), one.name))
    return [
        (
            one.name,
            f"{one.count:,}",
            f"{one.items:,}",
            *map(duration, (one.total, one.mean, one.p95, one.most)),
            f"{one.throughput:,.0f}",
        )
        for one in ordered
    ]


def duration(seconds: float) -> str:
    """Return a time in the unit that suits it.

    >>> duration(0.00123), duration(12.3)
    ('1.23 ms', '12.30 s')
    """
    return f"{seconds * 1000:.2f} ms" if seconds < 1 else f"{seconds:,.2f} s"


def _print(rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for first, *rest in rows:
        cells = [
            first.ljust(widths[0]),
            *(cell.rjust(width) for cell, width in zip(rest, widths[1:], strict=True)),
        ]
        click.echo(visible("  ".join(cells)), err=True)
