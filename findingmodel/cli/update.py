"""``findingmodel index update`` and ``findingmodel index check``, and how their reports are shown."""

from __future__ import annotations

import itertools
import math
import shutil
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli import update as reports
from findingmodel.cli.options import (
    database_options,
    directory_argument,
    json_option,
    rehash_option,
    remove_option,
    screen_options,
)
from findingmodel.cli.screen import counted, to_json, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.author.check import CheckReport
    from findingmodel.cli.screen import Screen
    from findingmodel.settings import Settings
    from findingmodel.stores.records import Lease
    from findingmodel.update.report import CreditConflict, FileReport, UpdateReport

__all__ = ["check", "show_check", "show_failed", "show_update", "update"]

_LINES_AROUND = 6  # prompt, counts and messages


def show_update(screen: Screen, report: UpdateReport) -> None:
    """Print the counts, then what failed; warnings and the refusal go to stderr."""
    screen.detail(f"index: {report.db}")
    if report.refused is None:
        click.echo(summary(report))
    show_failed(screen, report.failed)
    # An update reads a file once, so that -v would come too late: a check reads all of them again.
    _show_warnings(
        screen,
        [*_problem_lines(report.warnings), *_conflict_lines(report.conflicts)],
        shown_by="findingmodel index check -v",
    )
    if report.put_aside is not None:
        tense = "would become" if report.dry_run else "is now"
        screen.note(f"the index of findingmodel 0.3 {tense} branch {report.put_aside}")
    if report.refused is not None:
        click.echo(f"Refused: {visible(report.refused.message)}", err=True)


def show_check(screen: Screen, report: CheckReport, *, fix_format: bool = False) -> None:
    """Print how many files are valid, then what is wrong with the others; warnings go to stderr."""
    failed = f"{len(report.failed):,} failed" if report.failed else "all valid"
    formatted = f", {len(report.formatted):,} formatted" if fix_format else ""
    click.echo(
        f"{counted(report.files, 'file')} checked, {failed}{formatted}, in {_duration(report.seconds)}"
    )
    for path in report.formatted:
        click.echo(f"formatted {visible(path)}")
    show_failed(screen, report.failed)
    _show_warnings(
        screen, [*_problem_lines(report.warnings), *_conflict_lines(report.conflicts)], shown_by="-v"
    )
    if not report.files:
        screen.note("there is no *.fm.json file; is the directory the right one?")


def summary(report: UpdateReport) -> str:
    """Return the counts of *report* in one line."""
    verbs = ("add", "update", "remove") if report.dry_run else ("added", "updated", "removed")
    parts = [f"{verb} {count:,}" for verb, count in zip(verbs, report, strict=True)]
    parts.append(
        f"leave {report.unchanged:,} unchanged" if report.dry_run else f"unchanged {report.unchanged:,}"
    )
    if report.moved:
        parts.append(f"moved {report.moved:,}")
    if report.failed:
        parts.append(f"failed {len(report.failed):,}")
    would = "would " if report.dry_run else ""
    return f"{would}{', '.join(parts)} in {_duration(report.seconds)}"


def show_failed(screen: Screen, failed: Sequence[FileReport]) -> None:
    """Print one line a problem; on a terminal wrapped, below their file, and no more than a screen."""
    if not screen.is_terminal:
        for line in _problem_lines(failed):
            click.echo(visible(line))
        return
    width, height = shutil.get_terminal_size()
    blocks = [block for file in failed for block in _blocks(file, width)]
    room = math.inf if screen.verbose else height - _LINES_AROUND
    fitting = max(1, sum(lines <= room for lines in itertools.accumulate(map(len, blocks))))
    for block in blocks[:fitting]:
        click.echo("\n".join(block))
    if fitting < len(blocks):
        screen.note(f"... and {counted(len(blocks) - fitting, 'more problem')}; -v or --json shows all")


def _blocks(file: FileReport, width: int) -> Iterator[list[str]]:
    """Yield the lines of each problem of *file*; the first begin with the name of the file."""
    heading = [visible(file.path)]
    for problem in file.problems:
        text = visible(str(problem))
        yield heading + textwrap.wrap(
            text, width - 1, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
        )
        heading = []


def _show_warnings(screen: Screen, lines: Sequence[str], *, shown_by: str) -> None:
    if lines and not screen.verbose:
        them = "it" if len(lines) == 1 else "them"
        screen.note(f"{counted(len(lines), 'warning')}; {shown_by} shows {them}")
    for line in lines:
        screen.detail(f"warning: {line}")


def _problem_lines(files: Sequence[FileReport]) -> Iterator[str]:
    for file in files:
        for problem in file.problems:
            yield f"{file.path}: {problem}"


def _conflict_lines(conflicts: Sequence[CreditConflict]) -> Iterator[str]:
    for conflict in conflicts:
        about = f"{', '.join(conflict.fields)} of contributor {conflict.key}"
        yield f"{conflict.other}: {about} differs from {conflict.kept}, which is newer"


def _duration(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"


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
    from findingmodel.update.options import UpdateOptions

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
    from findingmodel.author.check import Limits
    from findingmodel.author.check import check as run_check
    from findingmodel.settings import Settings

    settings = Settings.load()
    limits = Limits(settings.max_file_bytes, settings.max_nesting)
    report = run_check(*paths, fix_format=fix_format, limits=limits)
    if as_json:
        click.echo(to_json(report.as_dict()))
    else:
        reports.show_check(screen, report, fix_format=fix_format)
    return 0 if report.ok else 1
