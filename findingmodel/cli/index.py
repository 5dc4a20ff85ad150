"""``findingmodel index``: the group; its commands are imported when they run."""

from __future__ import annotations

import click

from findingmodel.cli.groups import Lazy, LazyGroup

__all__ = ["index"]

_COMMANDS = {
    "update": Lazy("findingmodel.cli.update:update", "Make the index hold what a directory holds."),
    "check": Lazy("findingmodel.cli.check:check", "Check files; mend their layout if asked to."),
    "diff": Lazy("findingmodel.cli.diff:diff", "Show what an update would change, field by field."),
    "watch": Lazy("findingmodel.cli.watch:watch", "Update whenever files of a directory change."),
    "get": Lazy("findingmodel.cli.get:get", "Show models by id, name, slug or synonym."),
    "list": Lazy("findingmodel.cli.list:list_entries", "List the models, a page at a time."),
    "stats": Lazy("findingmodel.cli.stats:stats", "Count what the index holds."),
    "tags": Lazy("findingmodel.cli.tags:tags", "Count the models that have each tag."),
    "contributors": Lazy(
        "findingmodel.cli.contributors:contributors", "Count the models of each contributor."
    ),
    "duplicates": Lazy("findingmodel.cli.duplicates:duplicates", "Find models that may be one and the same."),
    "export": Lazy("findingmodel.cli.export:export", "Write Markdown pages, ids or lines of JSON."),
    "history": Lazy("findingmodel.cli.history:history", "Show what was done to the index."),
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
