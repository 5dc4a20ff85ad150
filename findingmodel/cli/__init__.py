"""The command ``findingmodel``: parse, call once, render. Importing it imports click and nothing heavier."""

from __future__ import annotations

import gc
import io
import os
import sys

import click

from findingmodel._version import __version__
from findingmodel.cli.groups import Lazy, RootGroup, end_on_any_signal, end_on_sigterm
from findingmodel.cli.options import screen_options

__all__ = ["cli", "main"]

_COMMANDS = {
    "index": Lazy("findingmodel.cli.index:index", "Keep an index of a directory, and read it."),
    "search": Lazy("findingmodel.cli.search:search", "Find models by name, synonym or words."),
    "model": Lazy("findingmodel.cli.model:model", "Begin a finding model file, and read one."),
    "mcp": Lazy("findingmodel.cli.mcp:mcp", "Answer language-model agents."),
    "config": Lazy("findingmodel.cli.config:config", "Show every setting, its value and its source."),
    "completion": Lazy("findingmodel.cli.completion:completion", "Print what makes a shell complete."),
}

_OBJECTS_PER_COLLECTION = 50_000
"""Few commands make so many, and none makes many cycles; Python would look for some every 700."""


@click.group(cls=RootGroup, lazy=_COMMANDS)
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
        from findingmodel.cli.complete import register_bash

        register_bash()
    try:
        cli()
    finally:
        gc.freeze()  # else Python looks for cycles among all that it is about to throw away
        end_on_any_signal()
