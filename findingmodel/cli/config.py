"""``findingmodel config``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli.options import index_options
from findingmodel.cli.screen import Column, Screen

if TYPE_CHECKING:
    from findingmodel.settings import Settings

_COLUMNS = (Column("setting", wraps=False, bold=True), Column("value"), Column("from"))


@click.command()
@index_options
def config(screen: Screen, settings: Settings) -> None:
    """Show every setting, its value and its source.

    An option overrides an environment variable, which overrides the same variable in the file .env of the
    current directory, which overrides the default. Passwords are masked.

    \b
    Examples:
      findingmodel config
      findingmodel config --json
    """
    views = settings.describe()
    facts = {view.name: view._asdict() for view in views}
    for fact in facts.values():
        del fact["name"]
    screen.results(facts, _COLUMNS, [(view.name, str(view.value), view.source) for view in views])
