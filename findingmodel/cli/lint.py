"""``findingmodel model check`` and ``model rules``, and the options and the output of every lint."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import click

from findingmodel.cli.options import output_options
from findingmodel.cli.screen import Column, Screen, counted, one_line, visible
from findingmodel.cli.update import duration, show_failed, show_warnings
from findingmodel.errors import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from findingmodel.author.lint.config import LintConfig
    from findingmodel.author.lint.run import LintReport
    from findingmodel.update.report import FileReport

F = TypeVar("F", bound="Callable[..., Any]")

_FORMATS = ("text", "json", "github", "sarif")
_LEVELS = ("error", "warning", "review")


class LintChoice(NamedTuple):
    """The options of a lint.

    Attributes:
        select, ignore: codes and levels, separated by commas.
        min_level: the lowest level that is reported.
        config: the configuration file; None finds it.
        fix, dry_run, allow_dirty: as in `findingmodel.author.lint.run.lint`.
        form: the format of the report, one of `_FORMATS`.
        by_rule: report only how often each rule is broken.
    """

    select: str = ""
    ignore: str = ""
    min_level: str = "review"
    config: Path | None = None
    fix: bool = False
    dry_run: bool = False
    allow_dirty: bool = False
    form: str = "text"
    by_rule: bool = False

    @property
    def given(self) -> list[str]:
        """The names of the options that are not at their default."""
        changed = [name for name, value in self._asdict().items() if value != self._field_defaults[name]]
        return ["format" if name == "form" else name.replace("_", "-") for name in changed]


def lint_options(command: Callable[..., int]) -> Callable[..., int]:
    """Add the options of a lint; the command gets them as *choice*."""

    @click.option(
        "--select", metavar="CODES", default="", help="Rules and levels to apply, as in spaces,error."
    )
    @click.option(
        "--ignore", metavar="CODES", default="", help="Rules and levels to leave out, as in name-with,review."
    )
    @click.option(
        "--min-level",
        type=click.Choice(_LEVELS),
        default="review",
        show_default=True,
        help="Lowest level to report.",
    )
    @click.option(
        "--config",
        metavar="FILE",
        type=click.Path(exists=True, dir_okay=False, path_type=Path),
        help="Configuration; default .findingmodel.toml in DIR or above.",
    )
    @click.option("--fix", is_flag=True, help="Correct what needs no decision, keeping all ids.")
    @click.option("--dry-run", is_flag=True, help="Show what --fix would correct, and write nothing.")
    @click.option("--allow-dirty", is_flag=True, help="Let --fix change files with uncommitted changes.")
    @click.option(
        "--format",
        "form",
        type=click.Choice(_FORMATS),
        default="text",
        show_default=True,
        help="Report for people, programs, GitHub Actions or code scanning.",
    )
    @click.option("--by-rule", is_flag=True, help="Count the violations of each rule instead.")
    @functools.wraps(command)
    def with_choice(*args: Any, **kwargs: Any) -> int:
        choice = LintChoice(**{name: kwargs.pop(name) for name in LintChoice._fields})
        return command(*args, choice=choice, **kwargs)

    return with_choice


def run_lint(paths: Sequence[Path], choice: LintChoice) -> LintReport:
    """Lint *paths*.

    Raises:
        ConfigError: the configuration or the selection of rules is not valid.
        DirectoryError: a directory cannot be listed.
    """
    from findingmodel.author.lint.run import lint
    from findingmodel.settings import Settings
    from findingmodel.update.options import UpdateOptions

    if not choice.fix and (choice.dry_run or choice.allow_dirty):
        raise click.UsageError(f"--{'dry-run' if choice.dry_run else 'allow-dirty'} needs --fix.")
    return lint(
        *paths,
        config=_config(paths[0], choice),
        fix=choice.fix,
        dry_run=choice.dry_run,
        allow_dirty=choice.allow_dirty,
        options=UpdateOptions.of(Settings.load()),
    )


def _config(start: Path, choice: LintChoice) -> LintConfig:
    from findingmodel.author.lint.config import load_config, read_config
    from findingmodel.author.lint.rule import Level

    config = (read_config(choice.config) if choice.config else load_config(start)).lint
    return config.narrowed(
        select=_names(choice.select), ignore=_names(choice.ignore), min_level=Level(choice.min_level)
    )


def _names(text: str) -> list[str]:
    return [name.strip() for name in text.split(",") if name.strip()]


def show_lint(screen: Screen, report: LintReport, choice: LintChoice) -> None:
    """Print *report* in the chosen format.

    Raises:
        UsageError: --json is given with another format.
    """
    if screen.as_json and choice.form not in ("text", "json"):
        raise click.UsageError(f"--json and --format {choice.form} exclude each other.")
    if choice.form == "github":
        from findingmodel.author.lint.formats import github_annotations

        for line in github_annotations(report):
            click.echo(visible(line))
        screen.note(_summary(report))
    elif choice.form == "sarif":
        from findingmodel.author.lint.formats import sarif

        screen.json(sarif(report))
        screen.note(_summary(report))
    elif screen.as_json or choice.form == "json":
        screen.json(report.as_dict())
    elif choice.by_rule:
        _show_by_rule(screen, report, dry_run=choice.dry_run)
    else:
        _show_text(screen, report, dry_run=choice.dry_run)


_RULE_COLUMNS = (
    *(Column("rule", wraps=False, bold=True), Column("level", wraps=False)),
    *(Column("violations", wraps=False, right=True), Column("demands")),
)


def _show_by_rule(screen: Screen, report: LintReport, *, dry_run: bool) -> None:
    from findingmodel.author.lint.rules import RULES

    rows = [
        (code, level.value, f"{count:,}" if screen.is_terminal else str(count), RULES[code].summary)
        for (code, level), count in report.by_rule.items()
    ]
    screen.results(None, _RULE_COLUMNS, rows, if_empty="no rule is broken")
    if report.fixed:
        verb = "would correct" if dry_run else "corrected"
        found, files = counted(sum(report.fixed.values()), "violation"), counted(len(report.fixed), "file")
        screen.note(f"{verb} {found} in {files}")
    _show_ends(screen, report)


def _show_text(screen: Screen, report: LintReport, *, dry_run: bool) -> None:
    """Print the counts, then problems and violations; what is only of help goes to stderr."""
    click.echo(_summary(report))
    for path, count in report.fixed.items():
        verb = "would correct" if dry_run else "corrected"
        click.echo(f"{verb} {counted(count, 'violation')} in {visible(path)}")
    show_failed(screen, [*report.check.failed, *_as_problems(report)])
    show_warnings(screen, report.check, shown_by="-v")
    _show_ends(screen, report)
    if report.fixable and not report.fixed and not report.not_fixed:
        screen.note(f"--fix corrects {counted(report.fixable, 'violation')} of these")


def _show_ends(screen: Screen, report: LintReport) -> None:
    for path, reason in report.not_fixed.items():
        screen.note(f"not corrected: {path}: {reason}")
    if any(reason.endswith("uncommitted changes") for reason in report.not_fixed.values()):
        screen.note("commit these changes first, or use --allow-dirty")
    if not report.check.files:
        screen.note("no *.fm.json file found; is this the right directory?")
    if not report.units_checked:
        screen.note('units were not checked: this needs pip install "findingmodel[lint]"')


def _summary(report: LintReport) -> str:
    from findingmodel.author.lint.rule import Level

    check = report.check
    nouns = {Level.ERROR: "error", Level.WARNING: "warning", Level.REVIEW: "to review"}
    failed = f"{len(check.failed):,} failed" if check.failed else "all valid"
    counts = [
        f"{count:,} {noun}" if level is Level.REVIEW else counted(count, noun)
        for level, noun in nouns.items()
        if (count := report.counts[level])
    ]
    found = ", ".join(counts) or "no rule broken"
    return f"{counted(check.files, 'file')} checked, {failed}, {found}, in {duration(check.seconds)}"


def _as_problems(report: LintReport) -> Iterator[FileReport]:
    from findingmodel.update.report import FileReport

    for file in report.files:
        yield FileReport(
            file.path,
            tuple(
                Problem(found.pointer, found.code, f"{level.value}: {found.message}")
                for level, found in file.violations
            ),
        )


@click.command("check", short_help="Check one or more files, with the lint rules.")
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
)
@lint_options
@output_options
def check_model(screen: Screen, files: tuple[Path, ...], choice: LintChoice) -> int:
    """Check that FILE is a valid finding model, and compare it with the lint rules.

    It is "findingmodel index check --lint" for single files: rules about several models compare only the
    files that are named. "findingmodel model rules" lists the rules; .findingmodel.toml, beside FILE or above
    it, sets which of them count.

    \b
    Examples:
      findingmodel model check defs/pleural_plaque.fm.json
      findingmodel model check defs/pleural_plaque.fm.json --fix --dry-run
      findingmodel model check $(git diff --name-only --diff-filter=d '*.fm.json') --format github

    Exit code 1 means that FILE is not valid, or that it breaks a rule of the level "error".
    """
    report = run_lint(files, choice)
    show_lint(screen, report, choice)
    return 0 if report.ok else 1


_LIST_COLUMNS = (
    *(Column("rule", wraps=False, bold=True), Column("level", wraps=False)),
    *(Column("fix", wraps=False), Column("demands")),
)


@click.command("rules", short_help="List the lint rules.")
@click.argument("codes", metavar="[CODE]...", nargs=-1)
@output_options
def list_rules(screen: Screen, codes: tuple[str, ...]) -> None:
    """List the lint rules: their codes and levels, whether --fix can help, and what they demand.

    With CODE, show only these rules, each with an example. Levels are those without a configuration; error
    must be corrected, warning should be, and review needs a decision.

    \b
    Examples:
      findingmodel model rules
      findingmodel model rules unit-not-ucum title-case
      findingmodel model rules --json
    """
    from findingmodel.author.lint.config import LintConfig, codes_of
    from findingmodel.author.lint.rules import RULES

    chosen = codes_of(codes or ["all"], LintConfig().levels, "model rules")
    rules = {code: rule for code, rule in RULES.items() if code in chosen}
    facts = [
        {
            "code": code,
            "level": rule.level.value,
            "fixable": rule.fixable,
            "summary": rule.summary,
            "example": rule.example._asdict(),
        }
        for code, rule in rules.items()
    ]
    rows = [
        (code, rule.level.value, "yes" if rule.fixable else "", rule.summary) for code, rule in rules.items()
    ]
    screen.results(facts, _LIST_COLUMNS, rows)
    if codes and not screen.as_json:
        import json

        for code, rule in rules.items():
            where, bad, good = rule.example
            click.echo(f"\n{code}, at {where}:")
            for label, value in (("not ", bad), ("but ", good)):
                click.echo(f"  {label}{one_line(json.dumps(value, ensure_ascii=False))}")
