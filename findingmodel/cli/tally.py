"""``findingmodel index tags`` and ``contributors``: what there is to filter by."""

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

__all__ = ["contributors", "tags"]

_MODELS = Column("models", wraps=False, right=True)
_TAGS = (Column("tag", bold=True), _MODELS)
_CONTRIBUTORS = (
    *(Column("contributor", wraps=False, bold=True), Column("name")),
    *(Column("kind", wraps=False), Column("organization", wraps=False), _MODELS),
)
_NONE = "the index holds no {}"


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
    screen.table(_TAGS, [(one_line(count.tag), str(count.models)) for count in counts])
    if not counts:
        screen.note(hint or _NONE.format("tags"))
    return 0


@click.command()
@database_options
@json_option
@screen_options
@click.pass_obj
def contributors(screen: Screen, settings: Settings, as_json: bool) -> int:
    """Count the models that each person and each organization contributed to, those with most first.

    In a pipe each line is a user name or code, a name, the kind, the organization and a number, separated by
    tabs.

    \b
    Examples:
      findingmodel index contributors
      findingmodel index contributors --json
    """
    from findingmodel.search.tally import count_contributors

    counts, hint = ask(settings, lambda store: or_hint(store, settings, count_contributors))
    if as_json:
        click.echo(to_json([count._asdict() for count in counts]))
        return 0
    rows = [
        (one_line(one.key), one_line(one.name), one.kind, one_line(one.organization or ""), str(one.models))
        for one in counts
    ]
    screen.table(_CONTRIBUTORS, rows)
    if not counts:
        screen.note(hint or _NONE.format("contributors"))
    return 0
