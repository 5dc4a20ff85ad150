"""What goes where: results on stdout, messages and progress on stderr; tables and bars on terminals only."""

from __future__ import annotations

import json
import re
import sys
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from findingmodel.cli.draw import Bar

__all__ = ["Column", "Screen", "counted", "one_line", "safe_json", "to_json", "visible"]

# Control characters (C0, DEL, C1), marks that reorder or hide text, line separators and lone surrogates.
# These patterns are compiled by `re` when something may be unsafe: that takes a hundredth of most commands.
_UNSAFE = (
    r"[\x00-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_UNSAFE_IN_JSON = r"[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"


def visible(text: str) -> str:
    """Return *text* with every character that would act rather than show written as an escape.

    >>> print(visible("red \\x1b[31m alert"))
    red \\x1b[31m alert
    """
    if text.isprintable():
        return text
    return re.sub(_UNSAFE, lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def one_line(text: str) -> str:
    """Return *text* with runs of white space made one space, and the rest `visible`."""
    return visible(" ".join(text.split()))


def to_json(value: Any) -> str:
    """Return *value* as one JSON document that is safe to print."""
    return safe_json(json.dumps(value, ensure_ascii=False, indent=2))


def safe_json(document: str) -> str:
    """Return the JSON text *document* with the same meaning, and nothing in it that a terminal would obey.

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
