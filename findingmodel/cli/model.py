"""``findingmodel model``: the group for one file at a time; its commands are imported when they run."""

from __future__ import annotations

import click

from findingmodel.cli.groups import Lazy, LazyGroup

__all__ = ["model"]

_COMMANDS = {
    "new": Lazy("findingmodel.cli.model_new:new", "Begin a model: a file with new ids and usual attributes."),
    "show": Lazy("findingmodel.cli.model_show:show", "Show what a file holds."),
    "markdown": Lazy("findingmodel.cli.model_markdown:markdown", "Print the Markdown page of a file."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def model() -> None:
    """Begin a finding model file, and read one.

    \b
    Examples:
      findingmodel model new "pleural plaque" --source ABCD --into defs
      findingmodel model show defs/pleural_plaque.fm.json
      findingmodel model markdown defs/pleural_plaque.fm.json > plaque.md
    """
