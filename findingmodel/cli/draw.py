"""Tables and progress bars for terminals: rich is imported here alone, and only when something is drawn."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from findingmodel.cli.screen import Column

__all__ = ["Bar", "draw_table"]


def draw_table(columns: Sequence[Column], rows: Sequence[Sequence[str]], *, no_color: bool) -> None:
    """Print *rows* on stdout as wide as the terminal allows; cells hold no control characters."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for column in columns:
        table.add_column(
            column.title,
            justify="right" if column.right else "left",
            no_wrap=not column.wraps,
            overflow="ellipsis" if column.cut else "fold",
            style="bold" if column.bold else None,
        )
    for row in rows:
        table.add_row(*map(Text, row))
    _console(no_color=no_color, stderr=False).print(table)


class Bar:
    """A progress bar on stderr, from the first count to the end of the block, then gone."""

    def __init__(self, doing: str, *, no_color: bool) -> None:
        self._progress = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=_console(no_color=no_color, stderr=True),
            transient=True,
        )
        self._task = self._progress.add_task(doing, total=None)

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def show(self, done: int, total: int) -> None:
        """Draw that *done* of *total* are done."""
        self._progress.update(self._task, completed=done, total=total)


def _console(*, no_color: bool, stderr: bool) -> Console:
    is_plain = no_color or bool(os.environ.get("NO_COLOR"))
    return Console(
        stderr=stderr, color_system=None if is_plain else "auto", highlight=False, emoji=False, markup=False
    )
