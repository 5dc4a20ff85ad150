"""``--timings``: how long the stages of a command take."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from findingmodel.cli.screen import visible
from findingmodel.runtime.timing import untimed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.observe.metrics import OperationStatistics
    from findingmodel.runtime.timing import Timer
    from findingmodel.settings import Settings

HEADING = ("stage", "times", "items", "total", "mean", "p95", "most", "items/s")

_ORDER = (
    *("sync.scan", "sync.manifest", "sync.compare", "sync.setup", "sync.load", "sync.decide"),
    *("sync.write", "sync.remove", "sync.contributors", "sync.finish"),
    *("search.parse", "search.plan", "search.candidates", "search.rank", "search.entries", "search.explain"),
)

timings_option = click.option("--timings", is_flag=True, help="Print the time of each stage to stderr.")


@contextmanager
def timed(settings: Settings, command: str, *, show: bool) -> Iterator[Timer]:
    """Yield a timer for the stages of *command*, and log them if a setting asks for it.

    With *show*, print a table of them to stderr at the end.
    Stages of an update overlap, so their sum may exceed the time of the whole command, which is the last row.
    """
    if not show and settings.log == "off":
        yield untimed
        return
    from findingmodel.observe.logs import make_monitor

    monitor = make_monitor(settings, enabled=show)
    try:
        with monitor.measure(command):
            yield monitor.measure
    finally:
        if show:
            rows = [HEADING, *timing_rows(monitor.snapshot().operations)]
            widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
            for stage, *numbers in rows:
                cells = [cell.rjust(width) for cell, width in zip(numbers, widths[1:], strict=True)]
                click.echo(visible("  ".join([stage.ljust(widths[0]), *cells])), err=True)


def timing_rows(operations: Iterable[OperationStatistics]) -> list[tuple[str, ...]]:
    """Return a row for each operation: stages in the order of the work, then the others."""
    places = {name: place for place, name in enumerate(_ORDER)}
    return [
        (
            operation.name,
            f"{operation.count:,}",
            f"{operation.items:,}",
            *map(_duration, (operation.total, operation.mean, operation.p95, operation.most)),
            f"{operation.throughput:,.0f}",
        )
        for operation in sorted(
            operations, key=lambda stage: (places.get(stage.name, len(places)), stage.name)
        )
    ]


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.2f} ms" if seconds < 1 else f"{seconds:,.2f} s"
