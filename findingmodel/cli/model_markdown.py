"""``findingmodel model markdown``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli.model_file import file_argument, parsed_model, read_file
from findingmodel.cli.options import json_option, screen_options
from findingmodel.cli.text import to_json, visible

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen

__all__ = ["markdown"]


@click.command()
@file_argument
@json_option
@screen_options
@click.pass_obj
def markdown(screen: Screen, file: str, as_json: bool) -> int:
    """Print the Markdown page of the finding model in FILE; - is standard input.

    It is the page that "index export markdown" writes. No index is opened.

    \b
    Examples:
      findingmodel model markdown defs/pleural_plaque.fm.json > plaque.md
      findingmodel index get PE --full | findingmodel model markdown -

    Exit code 1 means that it is no valid model; each problem is told.
    """
    from findingmodel.model.markdown import to_markdown

    model = parsed_model(screen, file, read_file(file))
    if model is None:
        return 1
    page = to_markdown(model)
    if as_json:
        click.echo(to_json({"oifm_id": model.oifm_id, "name": model.name, "markdown": page}))
    else:
        click.echo("\n".join(map(visible, page.split("\n"))))
    return 0
