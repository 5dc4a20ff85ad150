"""``findingmodel index check``: files on their own, without an index."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli import reports
from findingmodel.cli.options import json_option, screen_options
from findingmodel.cli.text import to_json

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen

__all__ = ["check"]


@click.command()
@click.argument(
    "paths", metavar="DIR|FILE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--fix-format", is_flag=True, help="Write valid files anew that are not in canonical layout.")
@json_option
@screen_options
@click.pass_obj
def check(screen: Screen, paths: tuple[Path, ...], fix_format: bool, as_json: bool) -> int:
    """Check every *.fm.json file below DIR, or just some files, each on its own and all against each other.

    No index is opened, and nothing is written without --fix-format. Each problem is one line: the file, a
    JSON pointer to the place, what is wrong, and the rule's code.

    The canonical layout has fields in the order of the schema, two spaces of indentation, UTF-8, and a line
    feed at the end. No value changes; fields that the schema does not know stay, behind the others. Files
    that fail are left as they are.

    \b
    Examples:
      findingmodel index check defs
      findingmodel index check defs -v            warnings too
      findingmodel index check defs --json
      findingmodel index check defs --fix-format
      findingmodel index check $(git diff --name-only --diff-filter=d '*.fm.json')

    Exit code 1 means that files failed.
    """
    from findingmodel.config import Settings
    from findingmodel.sync.check import Limits
    from findingmodel.sync.check import check as run_check

    settings = Settings.load()
    limits = Limits(settings.max_file_bytes, settings.max_nesting)
    report = run_check(*paths, fix_format=fix_format, limits=limits)
    if as_json:
        click.echo(to_json(report.as_dict()))
    else:
        reports.show_check(screen, report, fix_format=fix_format)
    return 0 if report.ok else 1
