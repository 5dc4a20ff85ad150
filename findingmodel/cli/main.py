"""The command ``findingmodel``: its groups, its exit codes, and how it starts and ends."""

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
from findingmodel.cli.screen import Screen, tell, visible
from findingmodel.errors import ConfigError, DirectoryError, FindingModelError, QueryError, StoreError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from types import FrameType

_INTERRUPTED = 130  # the exit code of a shell for a program that SIGINT ended
_BROKEN_PIPE = 141  # for SIGPIPE
_TERMINATED = 143  # for SIGTERM

_OUTPUT = "standard output"

_signals: list[int] = []
"""Holds SIGTERM once it has been received."""


class Lazy(NamedTuple):
    """Where a command is defined, and its line in the help of its group.

    Attributes:
        target: ``module:attribute``.
        help: one line.
    """

    target: str
    help: str


_MOVED = "findingmodel.moved_options"
_OPTIONS_OF_COMMANDS = {"--db": 2, "--branch": 2, "--json": 1}
"""Options of commands that are accepted before the command as well, and their numbers of words."""


class OrderedGroup(click.Group):
    """A group whose help lists the commands in the order of their definition.

    Options such as ``--db`` may stand before the command: it gets them.
    """

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(self.commands)

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        kept: list[str] = []
        moved: list[str] = ctx.meta.setdefault(_MOVED, [])
        while args and args[0].startswith("-"):
            words = _OPTIONS_OF_COMMANDS.get(args[0].partition("=")[0], 0)
            length = 1 if "=" in args[0] else max(words, 1)
            (moved if words else kept).extend(args[:length])
            args = args[length:]
        return super().parse_args(ctx, [*kept, *args])

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        name, command, rest = super().resolve_command(ctx, args)
        if command is not None:
            command = self._load(command)
        if not isinstance(command, click.Group):
            rest = [*ctx.meta.pop(_MOVED, ()), *rest]
        return name, command, rest

    def _load(self, command: click.Command) -> click.Command:
        return command


class LazyGroup(OrderedGroup):
    """A group that imports a command only when it is called.

    Args:
        lazy: command name -> where it is defined.
    """

    def __init__(self, name: str | None = None, *, lazy: Mapping[str, Lazy], **kwargs: Any) -> None:
        stubs = {name: click.Command(name, short_help=entry.help) for name, entry in lazy.items()}
        super().__init__(name, stubs, **kwargs)
        self._lazy = lazy

    def _load(self, command: click.Command) -> click.Command:
        module, _, attribute = self._lazy[command.name or ""].target.partition(":")
        loaded: click.Command = getattr(importlib.import_module(module), attribute)
        return loaded


class RootGroup(LazyGroup):
    """The root group: a command returns the exit code, or None for 0; errors become messages."""

    def make_context(self, *args: Any, **extra: Any) -> click.Context:
        with _errors_as_exits():  # --help and --version print here
            return super().make_context(*args, **extra)

    def invoke(self, ctx: click.Context) -> None:
        with _errors_as_exits():
            code = super().invoke(ctx)
            if sys.stdout is not None:
                sys.stdout.flush()
        ctx.exit(code or 0)


@contextmanager
def _errors_as_exits() -> Iterator[None]:
    """Turn errors into a message on stderr and an exit code."""
    try:
        yield
    except click.ClickException as error:
        text = io.StringIO()
        error.show(text)
        raise _exit(text.getvalue().expandtabs(4), error.exit_code) from error
    except FindingModelError as error:
        raise _exit(f"Error: {error}", _exit_code(error)) from error
    except KeyboardInterrupt as error:
        word, code = ("terminated", _TERMINATED) if _signals else ("interrupted", _INTERRUPTED)
        raise _exit("; ".join((f"Error: {word}", *map(str, error.args))), code) from None
    except BrokenPipeError:
        _discard_output()
        raise click.exceptions.Exit(_BROKEN_PIPE) from None
    except OSError as error:
        where = f"{os.fspath(error.filename)!r}: " if error.filename is not None else ""
        if error.filename is _OUTPUT:
            where = f"cannot write to {_OUTPUT}: "
            _discard_output()
        raise _exit(f"Error: {where}{error.strerror or error}", 1) from error


class _Output(io.TextIOWrapper):
    """Standard output, whose errors say that they are its own."""

    def write(self, text: str, /) -> int:
        with self._named():
            return super().write(text)

    def flush(self) -> None:
        with self._named():
            super().flush()

    @staticmethod
    @contextmanager
    def _named() -> Iterator[None]:
        try:
            yield
        except OSError as error:
            error.filename = _OUTPUT
            raise


def _discard_output() -> None:
    """Let Python discard what it could not write: otherwise it fails to flush at exit."""
    with open(os.devnull, "wb") as null:  # noqa: PTH123
        os.dup2(null.fileno(), sys.stdout.fileno())


def _exit(message: str, exit_code: int) -> click.exceptions.Exit:
    """Print *message* to stderr, and return the exception that ends the process with *exit_code*."""
    tell("\n".join(map(visible, message.rstrip().split("\n"))))
    return click.exceptions.Exit(exit_code)


def _exit_code(error: FindingModelError) -> int:
    if isinstance(error, StoreError):
        return 3
    return 2 if isinstance(error, ConfigError | DirectoryError | QueryError) else 1


def interrupt_on_sigterm() -> None:
    """Make SIGTERM end this process as Ctrl-C does: running work is stopped cleanly and reported.

    An event loop stops cleanly only through a handler of SIGINT. Where SIGINT is ignored, as in the
    background of a shell, block it instead: the effect is the same, and a handler can be installed.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    if not callable(signal.getsignal(signal.SIGINT)):
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, _interrupt)


def restore_signals() -> None:
    """Make signals end this process by their default actions: the work is done and reported."""
    is_ignored = signal.SIGINT in signal.pthread_sigmask(signal.SIG_BLOCK, ())
    signal.signal(signal.SIGINT, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _interrupt(signum: int, frame: FrameType | None) -> None:
    _signals.append(signum)
    handler = signal.getsignal(signal.SIGINT)  # the handler of the event loop, while one runs
    (handler if callable(handler) else signal.default_int_handler)(signal.SIGINT, frame)


_ROOT_COMMANDS = {
    "index": Lazy("findingmodel.cli.main:index", "Build, read and export an index of finding models."),
    "search": Lazy("findingmodel.cli.search:search", "Find models by name, synonym or words."),
    "report": Lazy("findingmodel.cli.report:report", "Find the findings that reports name."),
    "model": Lazy("findingmodel.cli.main:model", "Create, check, edit and show finding model files."),
    "tags": Lazy("findingmodel.cli.curate:tags", "Edit the tags of the files of a directory."),
    "contributors": Lazy("findingmodel.cli.curate:contributors", "Keep contributors in one file."),
    "mcp": Lazy("findingmodel.cli.mcp:mcp", "Serve language-model agents."),
    "config": Lazy("findingmodel.cli.config:config", "Show every setting, its value and its source."),
    "completion": Lazy("findingmodel.cli.completion:completion", "Print a completion script for a shell."),
}

_OBJECTS_PER_COLLECTION = 50_000
"""Few commands create this many objects or any cycles; by default Python looks for cycles every 700."""


@click.group(cls=RootGroup, lazy=_ROOT_COMMANDS)
@click.version_option(__version__, prog_name="findingmodel", message="%(prog)s %(version)s")
@screen_options
def cli(_screen: Screen) -> None:
    """Index, check and search radiology finding models.

    By default the index is a SQLite file in your data directory. Select another one with --db,
    FINDINGMODEL_DB or MONGODB_URI.

    The options -v, -q and --no-color also work after a command; --db, --branch and --json also before it.

    \b
    Examples:
      findingmodel index update defs       index the models in defs/
      findingmodel search "lung nodule"    find models by words
      findingmodel index get PE            show a model by id, name or synonym

    \b
    Exit codes:
      0  done
      1  done, but some files or keys failed
      2  bad usage or bad configuration
      3  the database could not be reached, or it failed
      130, 143  ended by Ctrl-C, or by SIGTERM

    \b
    Completion for bash (for zsh and fish see findingmodel completion --help):
      eval "$(findingmodel completion bash)"
    """


def main() -> None:
    """Run the command line of this process; output is UTF-8 in every locale."""
    gc.set_threshold(_OBJECTS_PER_COLLECTION)
    interrupt_on_sigterm()
    if isinstance(sys.stdout, io.TextIOWrapper):
        lines = sys.stdout.line_buffering
        sys.stdout = _Output(sys.stdout.detach(), "utf-8", "backslashreplace", line_buffering=lines)
    if isinstance(sys.stderr, io.TextIOWrapper):
        sys.stderr.reconfigure(encoding="utf-8", errors="backslashreplace")
    if "_FINDINGMODEL_COMPLETE" in os.environ:
        from findingmodel.cli.completion import register_bash

        register_bash()
    try:
        cli()
    finally:
        gc.freeze()  # otherwise Python looks for cycles among all objects once more at exit
        restore_signals()


_INDEX_COMMANDS = {
    "update": Lazy("findingmodel.cli.update:update", "Make the index match a directory."),
    "check": Lazy("findingmodel.cli.check:check", "Check files, lint them, and correct or reformat them."),
    "diff": Lazy("findingmodel.cli.diff:diff", "Show what an update would change, field by field."),
    "watch": Lazy("findingmodel.cli.watch:watch", "Update whenever files of a directory change."),
    "get": Lazy("findingmodel.cli.get:get", "Show models by id, name, slug or synonym."),
    "list": Lazy("findingmodel.cli.list:list_entries", "List the models, a page at a time."),
    "stats": Lazy("findingmodel.cli.stats:stats", "Count the models and contributors."),
    "branches": Lazy("findingmodel.cli.list:branches", "Count the models of each branch."),
    "tags": Lazy("findingmodel.cli.list:tags", "Count the models of each tag."),
    "contributors": Lazy("findingmodel.cli.list:contributors", "Count the models of each contributor."),
    "collision": Lazy("findingmodel.cli.collision:collision", "Show who has a name or synonym already."),
    "coverage": Lazy("findingmodel.cli.coverage:coverage", "Count the models that lack something."),
    "duplicates": Lazy("findingmodel.cli.duplicates:duplicates", "Find models that may be the same finding."),
    "triage": Lazy("findingmodel.cli.triage:triage", "Find the models of a list of findings."),
    "export": Lazy("findingmodel.cli.export:export", "Write Markdown pages, ids or JSON lines."),
    "unlock": Lazy("findingmodel.cli.unlock:unlock", "Show who is writing, and end a dead writer's lease."),
    "history": Lazy("findingmodel.cli.stats:history", "Show the updates and other writes."),
}


@click.group(cls=LazyGroup, lazy=_INDEX_COMMANDS)
def index() -> None:
    """Build, read and export an index of a directory of *.fm.json files.

    \b
    Examples:
      findingmodel index check defs        check the files in defs/
      findingmodel index update defs       index them
      findingmodel index get PE            show one of them
    """


_MODEL_COMMANDS = {
    "new": Lazy("findingmodel.cli.model:new", "Create a file with new ids and the usual attributes."),
    "check": Lazy("findingmodel.cli.lint:check_model", "Check one or more files, with the lint rules."),
    "rules": Lazy("findingmodel.cli.lint:list_rules", "List the lint rules."),
    "draft": Lazy("findingmodel.cli.draft:draft", "Create a file with attributes from a table."),
    "show": Lazy("findingmodel.cli.model:show", "Show the content of a file."),
    "markdown": Lazy("findingmodel.cli.model:markdown", "Print the Markdown page of a file."),
    "schema": Lazy("findingmodel.cli.interchange:schema", "Print the JSON Schema of a file."),
    "export": Lazy("findingmodel.cli.interchange:export", "Print a file in another format."),
    "import": Lazy("findingmodel.cli.interchange:import_file", "Create a file from another format."),
    "apply": Lazy("findingmodel.cli.curate:apply_table", "Change files as an edited table says."),
    "rename": Lazy("findingmodel.cli.edit:rename", "Rename a model and its file."),
    "add-synonym": Lazy("findingmodel.cli.edit:add_synonym", "Add a synonym that no other model has."),
    "add-attribute": Lazy("findingmodel.cli.edit:add_attribute", "Add an attribute with a new id."),
    "add-value": Lazy("findingmodel.cli.edit:add_value", "Add a value to an attribute."),
    "change-from-prior": Lazy(
        "findingmodel.cli.edit:change_from_prior", "Choose which changes since a prior exam models have."
    ),
    "merge": Lazy("findingmodel.cli.edit:merge", "Merge a model into another, which replaces it."),
    "deprecate": Lazy("findingmodel.cli.edit:deprecate", "Retire a model in favour of another."),
}


@click.group(cls=LazyGroup, lazy=_MODEL_COMMANDS)
def model() -> None:
    """Create, check, edit and show finding model files.

    Commands that edit keep all ids, write canonical JSON, and replace each file at once: --dry-run shows what
    they would change. The index does not change until the next update, or with --update.

    \b
    Examples:
      findingmodel model new "pleural plaque" --source ABCD --into defs
      findingmodel model check defs/pleural_plaque.fm.json
      findingmodel model show defs/pleural_plaque.fm.json
      findingmodel model rename defs/pleural_plaque.fm.json "hyaline pleural plaque" --dry-run
    """
