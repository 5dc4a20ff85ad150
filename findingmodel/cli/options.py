"""Options of the commands that read a directory; apart from the others, for `pathlib` costs a start-up."""

from __future__ import annotations

import functools
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from findingmodel.cli.screen import Screen

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = [
    "completing",
    "database_options",
    "directory_argument",
    "json_option",
    "rehash_option",
    "remove_option",
    "screen_options",
    "utf8",
]

F = TypeVar("F", bound="Callable[..., Any]")


def utf8(value: str) -> str:
    """Return *value*, which can be stored and compared; the operating system hands over any bytes."""
    try:
        value.encode()
    except UnicodeEncodeError:
        raise click.BadParameter(f"{value!r} is not UTF-8.") from None
    return value


def completing(name: str) -> Callable[[click.Context, click.Parameter, str], Any]:
    """Return what completes a parameter: the function *name* of `findingmodel.cli.completion`."""

    def complete(context: click.Context, parameter: click.Parameter, incomplete: str) -> Any:
        return getattr(import_module("findingmodel.cli.completion"), name)(context, parameter, incomplete)

    return complete


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document and nothing else."
)


def screen_options(command: F) -> F:
    """Add -v, -q and --no-color, which change the `Screen` that the command gets."""
    for names, text in (
        (("--no-color",), "No colours; NO_COLOR does the same."),
        (("-q", "--quiet"), "Results and errors only."),
        (("-v", "--verbose"), "Warnings in full, and what is used."),
    ):
        command = click.option(*names, is_flag=True, expose_value=False, callback=_adjust_screen, help=text)(
            command
        )
    return command


def _adjust_screen(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    screen = context.obj or Screen()
    context.obj = screen._replace(**{str(parameter.name): True}) if value else screen


def database_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add --db and --branch; the command gets *settings*, which hold them."""

    @click.option(
        "--db",
        metavar="URL",
        shell_complete=completing("database_files"),
        help="SQLite file or MongoDB URL of the index.",
    )
    @click.option(
        "--branch",
        metavar="NAME",
        shell_complete=completing("branches"),
        help="Which index in that database.",
    )
    @functools.wraps(command)
    def with_settings(*args: Any, db: str | None, branch: str | None, **kwargs: Any) -> int:
        from findingmodel.settings import Settings

        return command(*args, settings=Settings.load(db=db, branch=branch), **kwargs)

    return with_settings


directory_argument = click.argument(
    "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)

rehash_option = click.option(
    "--rehash", is_flag=True, help="Read every file, even if its size and time are as before."
)

remove_option = click.option(
    "--no-remove",
    "remove",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Keep models whose file is gone.",
)
