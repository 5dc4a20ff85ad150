"""Output: results on stdout, messages and progress on stderr; tables and progress bars on terminals only."""

from __future__ import annotations

import json
import os
import re
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from rich.console import Console
    from rich.progress import Progress

# Control characters (C0, DEL, C1), marks that reorder or hide text, line separators and lone surrogates.
# `re` compiles these patterns on first use: compiling takes a hundredth of the run time of most commands.
_UNSAFE = (
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_UNSAFE_IN_JSON = r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
_LABEL_WIDTH = 16


def visible(text: str) -> str:
    """Return *text* with every control or invisible character replaced by its escape.

    >>> print(visible("red \\x1b[31m alert"))
    red \\x1b[31m alert
    """
    if text.isprintable():
        return text
    return re.sub(_UNSAFE, lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def tell(message: str) -> None:
    """Print *message* to stderr; results do not fail because nobody can be told about them."""
    with suppress(OSError):
        click.echo(message, err=True)


def one_line(text: str) -> str:
    """Return *text* with each run of white space replaced by one space, and the rest `visible`."""
    return visible(" ".join(text.split()))


def to_json(value: Any) -> str:
    """Return *value* as one JSON document that is safe to print."""
    return safe_json(json.dumps(value, ensure_ascii=False, indent=2))


def safe_json(document: str) -> str:
    """Return the JSON text *document* with the same meaning and without terminal control characters.

    >>> print(safe_json('["caf\\u00e9 \\x9b31m"]'))
    ["café \\u009b31m"]
    """
    if document.isascii() and "\x7f" not in document:
        return document
    return re.sub(_UNSAFE_IN_JSON, lambda match: f"\\u{ord(match[0]):04x}", document)


def counted(count: int, noun: str) -> str:
    """Return a count with its noun.

    >>> counted(1, "file"), counted(2382, "file"), counted(2, "entry")
    ('1 file', '2,382 files', '2 entries')
    """
    plural = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{count:,} {noun if count == 1 else plural}"


class Column(NamedTuple):
    """One column of a table.

    Attributes:
        title: the heading on a terminal.
        wraps: long text may take several lines; otherwise it stays on one line.
        cut: a word that does not fit ends in an ellipsis; otherwise it continues on the next line.
        right: aligned to the right.
        bold: printed in bold.
    """

    title: str
    wraps: bool = True
    cut: bool = False
    right: bool = False
    bold: bool = False


class Screen(NamedTuple):
    """What a command prints, and how.

    Attributes:
        as_json: print results as one JSON document.
        verbose: print details.
        quiet: print results and errors only.
        no_color: never print in colour.
    """

    as_json: bool = False
    verbose: bool = False
    quiet: bool = False
    no_color: bool = False

    @property
    def is_terminal(self) -> bool:
        """True if stdout is a terminal."""
        return sys.stdout is not None and sys.stdout.isatty()

    @property
    def width(self) -> int | None:
        """Columns of the terminal; None if stdout is not a terminal."""
        import shutil

        return shutil.get_terminal_size().columns if self.is_terminal else None

    def note(self, message: str) -> None:
        """Print a message to stderr, unless -q is given."""
        if not self.quiet:
            tell(visible(message))

    def detail(self, message: str) -> None:
        """Print a message to stderr if -v is given."""
        if self.verbose:
            tell(visible(message))

    def json(self, value: Any) -> None:
        """Print *value* as one JSON document."""
        click.echo(to_json(value))

    def results(
        self, facts: Any, columns: Sequence[Column], rows: Sequence[Sequence[str]], *, if_empty: str = ""
    ) -> None:
        """Print *facts* with --json, else *rows* as a table, or the message *if_empty* if there are none."""
        if self.as_json:
            self.json(facts)
        elif rows:
            self.table(columns, rows)
        elif if_empty:
            self.note(if_empty)

    def table(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Print a table on a terminal, and lines of tab-separated fields without a heading elsewhere."""
        cells = [[visible(cell) for cell in row] for row in rows]
        if self.is_terminal:
            self._draw(columns, cells)
        else:
            click.echo("\n".join("\t".join(row) for row in cells))

    def labelled(self, fields: Iterable[tuple[str, str]]) -> list[str]:
        """Return each label and text as one line, wrapped to the width of the terminal if there is one."""
        lines = [f"  {label:<{_LABEL_WIDTH - 2}}{one_line(text)}" for label, text in fields]
        width = self.width
        if width is None:
            return lines
        import textwrap

        wrapper = textwrap.TextWrapper(
            max(width - 1, 2 * _LABEL_WIDTH), subsequent_indent=" " * _LABEL_WIDTH, break_on_hyphens=False
        )
        return [part for line in lines for part in wrapper.wrap(line)]

    @contextmanager
    def progress(self, activity: str) -> Iterator[Callable[[int, int], None]]:
        """Yield a function to call with (done, total); it draws a bar if stderr is a terminal."""
        if self.quiet or sys.stderr is None or not sys.stderr.isatty():
            yield lambda done, total: None
            return
        bar: Progress | None = None

        def show(done: int, total: int) -> None:
            nonlocal bar
            if bar is None:  # most updates have nothing to do and never import rich
                bar = self._progress_bar()
                bar.add_task(activity, total=None)
                bar.start()
            bar.update(bar.task_ids[0], completed=done, total=total)

        try:
            yield show
        finally:
            if bar is not None:
                bar.stop()

    def _draw(self, columns: Sequence[Column], rows: Sequence[Sequence[str]]) -> None:
        """Print a table that is as wide as the terminal allows."""
        from rich.table import Table
        from rich.text import Text

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
        self._console(stderr=False).print(table)

    def _progress_bar(self) -> Progress:
        """Return a bar on stderr that disappears when it is stopped."""
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

        text = TextColumn("{task.description}", markup=False)
        columns = (text, BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
        return Progress(*columns, console=self._console(stderr=True), transient=True)

    def _console(self, *, stderr: bool) -> Console:
        from rich.console import Console

        is_plain = self.no_color or bool(os.environ.get("NO_COLOR"))
        return Console(
            stderr=stderr,
            color_system=None if is_plain else "auto",
            highlight=False,
            emoji=False,
            markup=False,
        )
