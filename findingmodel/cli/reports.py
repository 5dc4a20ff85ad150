"""What an update or a check found, as text."""

from __future__ import annotations

import itertools
import math
import shutil
import textwrap
from typing import TYPE_CHECKING

import click

from findingmodel.cli.text import counted, visible

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.cli.screen import Screen
    from findingmodel.sync.check import CheckReport
    from findingmodel.sync.report import CreditConflict, FileReport, UpdateReport

__all__ = ["show_check", "show_failed", "show_update"]

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
