"""``findingmodel index contributors``: who made the models."""

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

__all__ = ["contributors"]

_COLUMNS = (
    *(Column("contributor", wraps=False, bold=True), Column("name")),
    *(Column("kind", wraps=False), Column("organization", wraps=False)),
    Column("models", wraps=False, right=True),
)


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
    screen.table(_COLUMNS, rows)
    if not counts:
        screen.note(hint or "the index holds no contributors")
    return 0
