"""The command ``findingmodel``: its groups, its exit codes, and its start and end."""

from __future__ import annotations

import gc
import importlib
import io
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from findingmodel._version import __version__
from findingmodel.cli.options import screen_options
from findingmodel.cli.screen import visible
from findingmodel.errors import ConfigError, DirectoryError, FindingModelError, QueryError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

__all__ = ["Lazy", "LazyGroup", "RootGroup", "cli", "end_on_any_signal", "end_on_sigterm", "index", "main"]

_INTERRUPTED = 130  # as a shell reports a program that SIGINT ended
_READER_GONE = 141  # likewise for SIGPIPE
_TERMINATED = 143  # and for SIGTERM

_signals: list[int] = []
"""SIGTERM, once it has come."""


class Lazy(NamedTuple):
    """Where a command is defined, and the line that stands for it in the help of its group.

    Attributes:
        target: ``module:attribute``.
        help: one line.
    """

    target: str
    help: str


class LazyGroup(click.Group):
    """A group that knows the names and help lines of its commands, and imports the one that is called.

    Args:
        lazy: command name -> where it is; help shows them in this order.
    """

    def __init__(self, name: str | None = None, *, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        stubs = {name: click.Command(name, short_help=entry.help) for name, entry in lazy.items()}
        super().__init__(name, stubs, **kwargs)
        self._lazy = lazy

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self._lazy)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        return name, command and self._imported(command), rest

    def _imported(self, stub: click.Command) -> click.Command:
        module, _, attribute = self._lazy[stub.name or ""].target.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        return command


class RootGroup(LazyGroup):
    """The outermost group: what a command returns is the exit code; what it raises becomes one sentence."""

    def invoke(self, ctx: click.Context) -> None:
        with _told():
            code = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        ctx.exit(code or 0)


@contextmanager
def _told() -> Iterator[None]:
    """Turn errors into a sentence on stderr and an exit code."""
    try:
        yield
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        raise _ended(text.getvalue().expandtabs(4), error.exit_code) from error
    except FindingModelError as error:
        raise _ended(f"Error: {error}", _exit_code(error)) from error
    except KeyboardInterrupt as error:
        how, code = ("terminated", _TERMINATED) if _signals else ("interrupted", _INTERRUPTED)
        raise _ended("; ".join((f"Error: {how}", *map(str, error.args))), code) from None
    except BrokenPipeError:
        _discard_output()
        raise click.exceptions.Exit(_READER_GONE) from None
    except OSError as error:
        where = f"{os.fspath(error.filename)!r}: " if error.filename is not None else ""
        raise _ended(f"Error: {where}{error.strerror or error}", 1) from error


def end_on_sigterm() -> None:
    """Let SIGTERM end this process as Ctrl-C does: what is under way ends cleanly, and is told.

    An event loop only learns how to end from a handler of SIGINT. Where that is ignored, as in the background
    of a shell, it is held back instead, which looks the same from outside, and leaves room for a handler.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if not callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)


def end_on_any_signal() -> None:
    """Let signals end this process as they do by themselves: all is done and told, what is left is to go."""
    is_deaf = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    signal.signal(signal.SIGINT, signal.SIG_IGN if is_deaf else signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    _signals.append(signum)
    handler = signal.getsignal(signal.SIGINT)  # while an event loop runs, that is the loop's
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)


def _ended(message: str, exit_code: int) -> click.exceptions.Exit:
    """Tell *message*, and return what ends the process with *exit_code*."""
    click.echo("\n".join(map(visible, message.rstrip().split("\n"))), err=True)
    return click.exceptions.Exit(exit_code)


def _exit_code(error: FindingModelError) -> int:
    if isinstance(error, StoreError):
        return 3
    return 2 if isinstance(error, ConfigError | DirectoryError | QueryError) else 1


def _discard_output() -> None:
    """Nobody reads any more: let what is still buffered go nowhere, or Python complains when it ends."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, sys.stdout.fileno())
    os.close(nowhere)


_ROOT_COMMANDS = {
    "index": Lazy("findingmodel.cli.main:index", "Keep an index of a directory, and read it."),
    "search": Lazy("findingmodel.cli.search:search", "Find models by name, synonym or words."),
    "model": Lazy("findingmodel.cli.model:model", "Begin a finding model file, and read one."),
    "mcp": Lazy("findingmodel.cli.mcp:mcp", "Answer language-model agents."),
    "config": Lazy("findingmodel.cli.config:config", "Show every setting, its value and its source."),
    "completion": Lazy("findingmodel.cli.completion:completion", "Print what makes a shell complete."),
}

_OBJECTS_PER_COLLECTION = 50_000
"""Few commands make so many, and none makes many cycles; Python would look for some every 700."""


@click.group(cls=RootGroup, lazy=_ROOT_COMMANDS)
@click.version_option(__version__, prog_name="findingmodel", message="%(prog)s %(version)s")
@screen_options
def cli() -> None:
    """Index, check and search radiology finding models.

    Without any setting the index is one SQLite file in your data directory; --db, FINDINGMODEL_DB or
    MONGODB_URI name another place. The options -v, -q and --no-color may also stand behind a command.

    \b
    Examples:
      findingmodel index update defs       make the index hold the models in defs/
      findingmodel search "lung nodule"    find models by words
      findingmodel index get PE            look one up by id, name or synonym

    \b
    Exit codes:
      0  done
      1  done, but some files or keys failed
      2  bad usage or bad configuration
      3  the database could not be reached, or it failed
      130, 143  ended by Ctrl-C, or by SIGTERM

    \b
    Completion for bash (zsh and fish likewise, see findingmodel completion --help):
      eval "$(findingmodel completion bash)"
    """


def main() -> None:
    """Run the command of this process; output is UTF-8 whatever the locale says."""
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    end_on_sigterm()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    if "_FINDINGMODEL_COMPLETE" in os.environ:
        from findingmodel.cli.completion import register_bash

        register_bash()
    try:
        cli()
    finally:
        gc.freeze()  # else Python looks for cycles among all that it is about to throw away
        end_on_any_signal()


_INDEX_COMMANDS = {
    "update": Lazy("findingmodel.cli.update:update", "Make the index hold what a directory holds."),
    "check": Lazy("findingmodel.cli.update:check", "Check files; mend their layout if asked to."),
    "diff": Lazy("findingmodel.cli.diff:diff", "Show what an update would change, field by field."),
    "watch": Lazy("findingmodel.cli.watch:watch", "Update whenever files of a directory change."),
    "get": Lazy("findingmodel.cli.get:get", "Show models by id, name, slug or synonym."),
    "list": Lazy("findingmodel.cli.list:list_entries", "List the models, a page at a time."),
    "stats": Lazy("findingmodel.cli.stats:stats", "Count what the index holds."),
    "tags": Lazy("findingmodel.cli.list:tags", "Count the models that have each tag."),
    "contributors": Lazy("findingmodel.cli.list:contributors", "Count the models of each contributor."),
    "duplicates": Lazy("findingmodel.cli.duplicates:duplicates", "Find models that may be one and the same."),
    "export": Lazy("findingmodel.cli.export:export", "Write Markdown pages, ids or lines of JSON."),
    "history": Lazy("findingmodel.cli.stats:history", "Show what was done to the index."),
}


@click.group(cls=LazyGroup, lazy=_INDEX_COMMANDS)
def index() -> None:
    """Keep an index of a directory of *.fm.json files, and read it.

    \b
    Examples:
      findingmodel index check defs        are the files in defs/ valid?
      findingmodel index update defs       make the index hold them
      findingmodel index get PE            show one of them
    """
