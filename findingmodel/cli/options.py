"""Arguments and options that several commands share."""

from __future__ import annotations

import functools
from importlib import import_module
from typing import TYPE_CHECKING, Any, TypeVar

import click

from findingmodel.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

    from findingmodel.settings import Settings

F = TypeVar("F", bound="Callable[..., Any]")


def utf8(value: str) -> str:
    """Return *value*, or refuse it: the operating system passes any bytes, but only UTF-8 can be stored."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{value!r} is not UTF-8.") from None
    return value


def completing(name: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Return a completer for a parameter: the function *name* of `findingmodel.cli.completion`."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> Any:
        return getattr(import_module("findingmodel.cli.completion"), name)(context, parameter, incomplete)

    return complete


def _screen_option(*names: str, text: str) -> Callable[[F], F]:
    def adjust(context: click.Context, parameter: click.Parameter, value: bool) -> None:
        screen = context.obj or Screen()
        context.obj = screen._replace(**{str(parameter.name): True}) if value else screen

    return click.option(*names, is_flag=True, expose_value=False, callback=adjust, help=text)


def screen_options(command: F) -> F:
    """Add -v, -q and --no-color; the command gets a `Screen` as its first argument."""
    command = click.pass_obj(command)  # type: ignore[assignment]
    command = _screen_option("--no-color", text="Print without colours, as with NO_COLOR.")(command)
    command = _screen_option("-q", "--quiet", text="Print results and errors only.")(command)
    return _screen_option("-v", "--verbose", text="Print warnings in full, and details.")(command)


def json_option(text: str) -> Callable[[F], F]:
    """Return an option --json, which sets `Screen.as_json`."""
    return _screen_option("--json", "as_json", text=text)


def output_options(command: F) -> F:
    """Add --json and the `screen_options`; the command gets a `Screen` as its first argument."""
    return json_option("Print one JSON document and nothing else.")(screen_options(command))


def database_options(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add --db and --branch; the command gets `Settings` with their values as *settings*."""

    files, branches = completing("database_files"), completing("branches")

    @click.option("--db", metavar="URL", shell_complete=files, help="SQLite file or MongoDB URL.")
    @click.option("--branch", metavar="NAME", shell_complete=branches, help="Branch of the index.")
    @functools.wraps(command)
    def with_settings(*args: Any, db: str | None, branch: str | None, **kwargs: Any) -> int | None:
        return command(*args, settings=load_settings(db=db, branch=branch), **kwargs)

    return with_settings


def load_settings(**overrides: str | None) -> Settings:
    """Return the settings, and tell about variables that are meant to be settings and are not."""
    from findingmodel.settings import Settings

    settings = Settings.load(**overrides)
    screen = click.get_current_context().obj or Screen()
    for sentence in settings.ignored:
        screen.note(f"warning: {sentence}")
    return settings


def index_options(command: Callable[..., int | None]) -> Callable[..., int | None]:
    """Add `database_options` and `output_options`, in this order."""
    return database_options(output_options(command))


def tag_option(text: str) -> Callable[[F], F]:
    """Return a repeatable option --tag; the command gets *tags*."""
    complete = completing("tags")
    return click.option(
        "--tag", "tags", metavar="T", type=utf8, multiple=True, shell_complete=complete, help=text
    )


def directory_argument(command: F, *, required: bool = True) -> F:
    """Add an argument DIR, a directory that exists; the command gets it, or None, as *directory*."""
    from pathlib import Path  # which --help does without

    kind = click.Path(exists=True, file_okay=False, path_type=Path)
    metavar = "DIR" if required else "[DIR]"
    return click.argument("directory", metavar=metavar, type=kind, required=required)(command)


rehash_option = click.option(
    "--rehash", is_flag=True, help="Read every file, even if its size and time are unchanged."
)

remove_option = click.option(
    "--no-remove",
    "remove",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Keep models whose file is gone.",
)
