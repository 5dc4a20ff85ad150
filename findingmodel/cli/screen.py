"""What goes where: results on stdout, messages and progress on stderr; tables and bars on terminals only."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, NamedTuple

import click

from findingmodel.cli.text import visible

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from findingmodel.cli.draw import Bar

__all__ = ["Column", "Screen"]


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        title: its heading on a terminal.
        wraps: its text may take several lines; else it is shown whole, on one.
        cut: a word that does not fit ends in an ellipsis; else it goes on in the next line.
        right: aligned to the right.
        bold: what the eye should find first.
    """

    title: str
    wraps: bool = True
    cut: bool = False
    right: bool = False
    bold: bool = False


class Screen(NamedTuple):
    """How much is told, and in colour or not.

    Attributes:
        verbose: with details.
        quiet: results and errors only.
        no_color: never in colour.
    """

    verbose: bool = False
    quiet: bool = False
    no_color: bool = False

    @property
    def is_terminal(self) -> bool:
        """True if a person reads the results."""
        return sys.stdout is not None and sys.stdout.isatty()

    def note(self, message: str) -> None:
        """Tell something that is no result."""
        if not self.quiet:
            click.echo(visible(message), err=True)

    def detail(self, message: str) -> None:
        """Tell something that only -v asks for."""
        if self.verbose:
            click.echo(visible(message), err=True)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Print a table on a terminal, and lines of tab-separated fields without a heading elsewhere."""
        if not rows:
            return
        cells = [[visible(cell) for cell in row] for row in rows]
        if self.is_terminal:
            from findingmodel.cli.draw import draw_table

            draw_table(columns, cells, no_color=self.no_color)
        else:
            click.echo("\n".join("\t".join(row) for row in cells))

    @contextmanager
    def progress(self, doing: str) -> Iterator[Callable[[int, int], None]]:
        """Yield a function to call with (done, total); it draws a bar where stderr is a terminal."""
        if self.quiet or sys.stderr is None or not sys.stderr.isatty():
            yield _unseen
            return
        with ExitStack() as open_bars:
            bar: Bar | None = None

            def show(done: int, total: int) -> None:
                nonlocal bar
                if bar is None:  # most updates have nothing to do, and need not wait for rich
                    from findingmodel.cli.draw import Bar

                    bar = open_bars.enter_context(Bar(doing, no_color=self.no_color))
                bar.show(done, total)

            yield show


def _unseen(done: int, total: int) -> None:
    """Progress that nobody watches."""
