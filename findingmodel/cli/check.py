"""``findingmodel index check``: whether files are valid, and how they are written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.lint import LintChoice, lint_options, run_lint, show_lint
from findingmodel.cli.options import load_settings, output_options
from findingmodel.cli.screen import Screen, counted, visible
from findingmodel.cli.update import duration, show_failed, show_skipped, show_warnings

if TYPE_CHECKING:
    from findingmodel.author.check import CheckReport


@click.command()
@click.argument(
    "paths", metavar="DIR|FILE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option("--fix-format", is_flag=True, help="Rewrite valid files in canonical layout.")
@click.option("--lint", is_flag=True, help="Apply the lint rules too; the options below need it.")
@lint_options
@output_options
def check(screen: Screen, paths: tuple[Path, ...], fix_format: bool, lint: bool, choice: LintChoice) -> int:
    """Check *.fm.json files, below DIR or named, each on its own and all against each other.

    No index is opened, and nothing is written without --fix-format or --fix. Each problem is one line: the
    file, a JSON pointer into it unless it is about the whole file, what is wrong, and the code of the rule.

    The canonical layout has the fields in the order of the schema, two spaces of indentation, UTF-8, and a
    line feed at the end. Values do not change; fields that are not in the schema are kept, after the others.
    Files that fail are not rewritten.

    With --lint, valid files are also compared with the rules for how a collection is written, which
    "findingmodel model rules" lists. Which of them count is set in .findingmodel.toml, in DIR or above it.

    \b
    Examples:
      findingmodel index check defs
      findingmodel index check defs -v            warnings too
      findingmodel index check defs --fix-format
      findingmodel index check defs --lint --by-rule
      findingmodel index check defs --lint --select error,unit-not-ucum
      findingmodel index check defs --lint --fix --dry-run
      findingmodel index check $(git diff --name-only --diff-filter=d '*.fm.json')

    Exit code 1 means that files failed, that they break a lint rule of the level "error", or that there were
    none.
    """
    if not lint and choice.given:
        raise click.UsageError(f"--{choice.given[0]} needs --lint.")
    if lint and fix_format:
        raise click.UsageError("Use --fix-format without --lint; --fix also writes the canonical layout.")
    if lint:
        report = run_lint(paths, choice)
        show_lint(screen, report, choice)
        return 0 if report.ok else 1
    checked = _run_check(paths, fix_format=fix_format)
    if screen.as_json:
        screen.json(checked.as_dict())
    else:
        _show_check(screen, checked, fix_format=fix_format)
    return 0 if checked.ok and checked.files else 1


def _run_check(paths: tuple[Path, ...], **arguments: Any) -> CheckReport:
    from findingmodel.author.check import check as check_files
    from findingmodel.update.options import UpdateOptions

    return check_files(*paths, options=UpdateOptions.of(load_settings()), **arguments)


def _show_check(screen: Screen, report: CheckReport, *, fix_format: bool) -> None:
    """Print how many files are valid, then the problems of the others; warnings go to stderr."""
    failed = f"{len(report.failed):,} failed" if report.failed else "all valid"
    formatted = f", {len(report.formatted):,} formatted" if fix_format else ""
    checked = f"{counted(report.files, 'file')} checked"
    if report.files:
        click.echo(f"{checked}, {failed}{formatted}, in {duration(report.seconds)}")
    else:
        click.echo("nothing checked: no *.fm.json file found; is this the right directory?")
    for path in report.formatted:
        click.echo(f"formatted {visible(path)}")
    show_failed(screen, report.failed)
    show_skipped(screen, report)
    show_warnings(screen, report, shown_by="-v")
