"""``findingmodel index update``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli import reports
from findingmodel.cli.directory_options import directory_argument, rehash_option, remove_option
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.text import to_json

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings
    from findingmodel.stores.records import Lease

__all__ = ["update"]


@click.command()
@directory_argument
@click.option("--dry-run", is_flag=True, help="Say what would be done; write nothing.")
@rehash_option
@remove_option
@click.option("--force", is_flag=True, help="Go on even if most models would be removed.")
@click.option("--strict", is_flag=True, help="Write nothing if any file fails.")
@click.option("--rebuild", is_flag=True, help="Put an index of findingmodel 0.3 or 0.4 aside first.")
@click.option(
    "--wait",
    "wait_seconds",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=0.0,
    help="If another update is at work, wait for it so long.",
)
@click.option("--timings", is_flag=True, help="Tell on stderr how long each stage took.")
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
    rebuild: bool,
    wait_seconds: float,
    timings: bool,
    settings: Settings,
    as_json: bool,
) -> int:
    """Make the index hold exactly the valid models below DIR.

    Every *.fm.json file below DIR is found; only what changed since the last update is read. A file that
    fails is reported, keeps its last good entry, and stops no other. An update that would remove most of the
    index does nothing unless --force.

    A MongoDB database that findingmodel 0.3 or 0.4 filled is left alone without --rebuild. With it, the old
    collections are kept under the names of another branch, main_0_3, and the new index takes their place.

    \b
    Examples:
      findingmodel index update defs --dry-run
      findingmodel index update defs --db mongodb://localhost/findingmodels
      findingmodel index update defs --strict --json > report.json

    Exit code 1 means that files failed or that the update was refused.
    """
    from findingmodel.cli import session
    from findingmodel.cli.timings import timed
    from findingmodel.sync.options import UpdateOptions

    options = UpdateOptions.of(
        settings,
        dry_run=dry_run,
        rehash=rehash,
        remove=remove,
        force=force,
        strict=strict,
        wait_seconds=wait_seconds,
    )

    def waiting(held: Lease) -> None:
        screen.note(f"waiting for another update to end: {held}")

    with timed(settings, "index update", wanted=timings) as timer, screen.progress("indexing") as progress:
        report = session.update(
            settings, directory, options, progress, timer=timer, rebuild=rebuild, waiting=waiting
        )
    if as_json:
        click.echo(to_json(report.as_dict()))
    else:
        reports.show_update(screen, report)
    return 0 if report.ok else 1
