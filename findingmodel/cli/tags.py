"""``findingmodel index tags``: which tags there are to filter by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli.hints import or_hint
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.screen import Column
from findingmodel.cli.session import ask
from findingmodel.cli.text import one_line, to_json

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings

__all__ = ["tags"]

_COLUMNS = (Column("tag", bold=True), Column("models", wraps=False, right=True))


@click.command()
@database_options
@json_option
@screen_options
@click.pass_obj
def tags(screen: Screen, settings: Settings, as_json: bool) -> int:
    """Count the models that have each tag, the most frequent first.

    Case and accents make no difference, as in search --tag. In a pipe each line is a tag, a tab and a number.

    \b
    Examples:
      findingmodel index tags | head
      findingmodel index tags --json
    """
    from findingmodel.search.tally import count_tags

    counts, hint = ask(settings, lambda store: or_hint(store, settings, count_tags))
    if as_json:
        click.echo(to_json([count._asdict() for count in counts]))
        return 0
    screen.table(_COLUMNS, [(one_line(count.tag), str(count.models)) for count in counts])
    if not counts:
        screen.note(hint or "the index holds no tags")
    return 0
