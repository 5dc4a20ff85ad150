"""``findingmodel index update`` and ``check``: a directory of files against the index, and on its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli import reports
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.text import to_json

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings

__all__ = ["check", "update"]

_directory_argument = click.argument(
    "directory", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path)
)


@click.command()
@_directory_argument
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@click.option("--rehash", is_flag=True, help="Read every file, even if its size and time are as before.")
@click.option(
    "--no-remove",
    "remove",
    is_flag=True,
    default=True,
    flag_value=False,
    help="Keep models whose file is gone.",
)
@click.option("--force", is_flag=True, help="Go on even if most models would be removed.")
@click.option("--strict", is_flag=True, help="Write nothing if any file fails.")
@database_options
@json_option
@screen_options
@click.pass_obj
def update(
    screen: Screen,
    directory: Path,
    dry_run: bool,
    rehash: bool,
    remove: bool,
    force: bool,
    strict: bool,
    settings: Settings,
    as_json: bool,
) -> int:
    """Make the index hold exactly the valid models below DIR.

    Every *.fm.json file below DIR is found; only what changed since the last update is read. A file that
    fails is reported, keeps its last good entry, and stops no other. An update that would remove most of the
    index does nothing unless --force.

    \b
    Examples:
      findingmodel index update defs --dry-run
      findingmodel index update defs --db mongodb://localhost/findingmodels
      findingmodel index update defs --strict --json > report.json

    Exit code 1 means that files failed or that the update was refused.
    """
    from findingmodel.cli import session
    from findingmodel.sync.options import UpdateOptions

    options = UpdateOptions(
        dry_run=dry_run,
        rehash=rehash,
        remove=remove,
        force=force,
        strict=strict,
        concurrency=settings.concurrency,
        batch_size=settings.batch_size,
        max_file_bytes=settings.max_file_bytes,
        lease_seconds=settings.lease_seconds,
    )
    with screen.progress("indexing") as progress:
        report = session.update(settings, directory, options, progress)
    if as_json:
        click.echo(to_json(report.as_dict()))
    else:
        reports.show_update(screen, report)
    return 0 if report.ok else 1


@click.command()
@_directory_argument
@json_option
@screen_options
@click.pass_obj
def check(screen: Screen, directory: Path, as_json: bool) -> int:
    """Check every *.fm.json file below DIR; no index is opened and nothing is written.

    Each problem is one line: the file, a JSON pointer to the place, what is wrong, and the rule's code.

    \b
    Examples:
      findingmodel index check defs
      findingmodel index check defs -v            warnings too
      findingmodel index check defs --json

    Exit code 1 means that files failed.
    """
    from findingmodel.sync.check import check as run_check

    report = run_check(directory)
    if as_json:
        click.echo(to_json(report.as_dict()))
    else:
        reports.show_check(screen, report)
    return 0 if report.ok else 1
