"""``findingmodel index update``, and how reports about files are printed."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import directory_argument, index_options, rehash_option, remove_option
from findingmodel.cli.screen import Screen, counted, visible
from findingmodel.cli.timings import timed, timings_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from findingmodel.author.check import CheckReport
    from findingmodel.settings import Settings
    from findingmodel.stores.lease import Lease
    from findingmodel.update.report import FileReport, UpdateReport

_OTHER_LINES = 6  # the prompt, the counts and messages


@click.command()
@directory_argument
@click.option("--dry-run", is_flag=True, help="Show what would be done, and write nothing.")
@rehash_option
@remove_option
@click.option("--force", is_flag=True, help="Continue even if most models would be removed.")
@click.option("--strict", is_flag=True, help="Write nothing if any file fails.")
@click.option("--rebuild", is_flag=True, help="Move an index of findingmodel 0.3 or 0.4 to another branch.")
@click.option(
    "--wait",
    "wait_seconds",
    metavar="SECONDS",
    type=click.FloatRange(0),
    default=0.0,
    help="Wait up to SECONDS for a running update.",
)
@timings_option
@index_options
def update(
    screen: Screen,
    directory: Path,
    rebuild: bool,
    timings: bool,
    settings: Settings,
    **options: Any,
) -> int:
    """Make the index hold exactly the valid models below DIR.

    Every *.fm.json file below DIR is found; only files that changed since the last update are read. A file
    that fails is reported, keeps its last good entry, and does not stop the others. An update that would
    remove most of the index is refused unless --force is given.

    A MongoDB database of findingmodel 0.3 or 0.4 is not changed without --rebuild. With it, the old
    collections are kept as another branch, main_0_3, and the new index takes their place.

    \b
    Examples:
      findingmodel index update defs --dry-run
      findingmodel index update defs --db mongodb://localhost/findingmodels
      findingmodel index update defs --strict --json > report.json

    Exit code 1 means that files failed or that the update was refused.
    """
    from findingmodel.cli import session
    from findingmodel.update.options import UpdateOptions

    def waiting(held: Lease) -> None:
        screen.note(f"waiting for another update to end: {held}")

    with timed(settings, "index update", show=timings) as timer, screen.progress("indexing") as progress:
        report = session.update(
            settings,
            directory,
            UpdateOptions.of(settings, **options),
            progress,
            timer=timer,
            rebuild=rebuild,
            waiting=waiting,
        )
    if screen.as_json:
        screen.json(report.as_dict())
    else:
        _show_update(screen, report)
    return 0 if report.ok else 1


def _show_update(screen: Screen, report: UpdateReport) -> None:
    """Print the counts, then the problems; warnings and a refusal go to stderr."""
    screen.detail(f"index: {report.db}")
    show_skipped(screen, report)
    if report.refused is None:
        click.echo(_summary(report))
    show_failed(screen, report.failed)
    # -v would not help: the next update reads only files that changed. A check reads all of them.
    show_warnings(screen, report, shown_by="findingmodel index check -v")
    if report.put_aside is not None:
        tense = "would become" if report.dry_run else "is now"
        screen.note(f"the index of findingmodel 0.3 {tense} branch {report.put_aside}")
    if report.refused is not None:
        click.echo(f"Refused: {visible(report.refused.message)}", err=True)


def _summary(report: UpdateReport) -> str:
    """Return the counts of *report* in one line."""
    if report.dry_run:
        counts = [
            f"{verb} {count:,}" for verb, count in zip(("add", "update", "remove"), report, strict=True)
        ]
        counts.append(f"leave {report.unchanged:,} unchanged")
    else:
        verbs = ("added", "updated", "removed", "unchanged")
        counts = [f"{verb} {count:,}" for verb, count in zip(verbs, (*report, report.unchanged), strict=True)]
    if report.moved:
        counts.append(f"moved {report.moved:,}")
    if report.failed:
        counts.append(f"failed {len(report.failed):,}")
    return f"{'would ' if report.dry_run else ''}{', '.join(counts)} in {duration(report.seconds)}"


def show_failed(screen: Screen, failed: Sequence[FileReport]) -> None:
    """Print a line for each problem; on a terminal wrapped, grouped by file, and limited to one screen."""
    if not screen.is_terminal:
        for line in _problem_lines(failed):
            click.echo(visible(line))
        return
    import shutil

    width, height = shutil.get_terminal_size()
    blocks = [block for file in failed for block in _blocks(file, width)]
    room = math.inf if screen.verbose else height - _OTHER_LINES
    fitting = max(1, sum(lines <= room for lines in itertools.accumulate(map(len, blocks))))
    for block in blocks[:fitting]:
        click.echo("\n".join(block))
    if fitting < len(blocks):
        screen.note(f"... and {counted(len(blocks) - fitting, 'more problem')}; -v or --json shows all")


def _blocks(file: FileReport, width: int) -> Iterator[list[str]]:
    """Yield the lines of each problem of *file*; the first block starts with the name of the file."""
    import textwrap

    wrapper = textwrap.TextWrapper(
        width - 1, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False
    )
    heading = [visible(file.path)]
    for problem in file.problems:
        yield heading + wrapper.wrap(visible(str(problem)))
        heading = []


def show_skipped(screen: Screen, report: UpdateReport | CheckReport) -> None:
    """Print with -v which files are not named like models."""
    from findingmodel.update.scan import SUFFIX

    for path in report.skipped:
        screen.detail(f"skipped: {path} is not named like a model file, NAME{SUFFIX}")


def show_warnings(screen: Screen, report: UpdateReport | CheckReport, *, shown_by: str) -> None:
    """Print the warnings if -v is given, else their number; *shown_by* is what shows them."""
    lines = list(_problem_lines(report.warnings))
    for conflict in report.conflicts:
        fields = f"{', '.join(conflict.fields)} of contributor {conflict.key}"
        lines.append(f"{conflict.other}: {fields} differs from {conflict.kept}, which is newer")
    if lines and not screen.verbose:
        screen.note(
            f"{counted(len(lines), 'warning')}; {shown_by} shows {'it' if len(lines) == 1 else 'them'}"
        )
    for line in lines:
        screen.detail(f"warning: {line}")


def _problem_lines(files: Sequence[FileReport]) -> Iterator[str]:
    for file in files:
        for problem in file.problems:
            yield f"{file.path}: {problem}"


def duration(seconds: float) -> str:
    """Return a time for people: ``4 ms`` or ``1.5 s``."""
    return f"{seconds * 1000:.0f} ms" if seconds < 1 else f"{seconds:.1f} s"
