"""``findingmodel config``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.screen import Column, to_json

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.settings import Settings, SettingView

__all__ = ["config"]

_COLUMNS = (Column("setting", wraps=False, bold=True), Column("value"), Column("from"))


@click.command()
@database_options
@json_option
@screen_options
@click.pass_obj
def config(screen: Screen, settings: Settings, as_json: bool) -> int:
    """Show every setting, its value and where that comes from.

    An option wins over an environment variable, that over the same variable in the file .env of the current
    directory, and that over the default. Passwords are not shown.

    \b
    Examples:
      findingmodel config
      findingmodel config --json
    """
    views = settings.describe()
    if as_json:
        click.echo(to_json({view.name: _without_name(view) for view in views}))
    else:
        screen.table(_COLUMNS, [(view.name, str(view.value), view.source) for view in views])
    return 0


def _without_name(view: SettingView) -> dict[str, Any]:
    facts = view._asdict()
    del facts["name"]
    return facts
