"""``findingmodel index update`` and ``check``: a directory of files against the index, and on its own."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli import reports
from findingmodel.cli.directory_options import directory_argument, rehash_option, remove_option
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.text import to_json

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings
    from findingmodel.stores.records import Lease

__all__ = ["check", "update"]


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
