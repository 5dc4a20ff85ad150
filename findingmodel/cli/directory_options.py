"""Options of the commands that read a directory; apart from the others, for `pathlib` costs a start-up."""

from __future__ import annotations

from pathlib import Path

import click

__all__ = ["directory_argument", "rehash_option", "remove_option"]

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
