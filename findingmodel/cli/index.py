"""``findingmodel index``: the group; its commands are in `directory` (writing) and `entries` (reading)."""

from __future__ import annotations

import click

from findingmodel.cli.groups import Lazy, LazyGroup

__all__ = ["index"]

_COMMANDS = {
    "update": Lazy("findingmodel.cli.directory:update", "Make the index hold what a directory holds."),
    "check": Lazy("findingmodel.cli.directory:check", "Check the files of a directory; write nothing."),
    "get": Lazy("findingmodel.cli.entries:get", "Show models by id, name, slug or synonym."),
    "list": Lazy("findingmodel.cli.entries:list_entries", "List the models, a page at a time."),
    "stats": Lazy("findingmodel.cli.entries:stats", "Count what the index holds."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def index() -> None:
    """Keep an index of a directory of *.fm.json files, and read it.

    \b
    Examples:
      findingmodel index check defs        are the files in defs/ valid?
      findingmodel index update defs       make the index hold them
      findingmodel index get PE            show one of them
    """
