"""``findingmodel index coverage``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli.hints import empty_hint
from findingmodel.cli.options import index_options
from findingmodel.cli.screen import Column, Screen, counted
from findingmodel.cli.session import run_in_loop, session_of

if TYPE_CHECKING:
    from findingmodel.author.coverage import Coverage
    from findingmodel.index.session import IndexSession
    from findingmodel.settings import Settings

_COLUMNS = (
    *(Column("without", bold=True), Column("models", wraps=False, right=True)),
    *(Column("share", wraps=False, right=True), Column("", wraps=False), Column("meaning")),
)
_BAR = 16  # characters of a full bar
_EIGHTHS = " ▏▎▍▌▋▊▉"


@click.command()
@click.option(
    "--files",
    "files_directory",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Report on the files below DIR instead of the index.",
)
@index_options
def coverage(screen: Screen, files_directory: Path | None, settings: Settings) -> None:
    """Count the models that lack a description, synonyms, tags, codes, attributes, units and more.

    The first column is what index list --without accepts, to list these models. In a pipe each line is a
    word, a number, a share in percent and a meaning, separated by tabs.

    \b
    Examples:
      findingmodel index coverage
      findingmodel index coverage --files defs --json
      findingmodel index list --without codes --tag chest
    """
    from findingmodel.author.coverage import GAPS
    from findingmodel.author.coverage import coverage as report_on
    from findingmodel.settings import Settings as AllSettings

    async def question(session: IndexSession) -> tuple[Coverage, str]:
        if files_directory is not None:
            from findingmodel.update.directory import update
            from findingmodel.update.options import UpdateOptions

            await update(session.store, files_directory, UpdateOptions(), threads=session.use_threads())
        report = await report_on(session.store, progress=progress)
        return report, "" if report.models else await empty_hint(session.store, settings)

    chosen = settings if files_directory is None else AllSettings.load(db="sqlite://")
    with screen.progress("reading") as progress:
        report, hint = run_in_loop(session_of(chosen), question)
    if screen.as_json:
        screen.json(report.as_dict())
        return
    if not report.models:
        screen.note(hint or "no models")
        return
    rows = [
        (name, *_share(count, report.models, bar=screen.is_terminal), GAPS[name][0])
        for name, count in report.lacking.items()
    ]
    screen.results(None, _COLUMNS, rows)
    screen.note(counted(report.models, "model"))
    for title, counts in (("codes", report.systems), ("modalities", report.modalities)):
        if counts:
            screen.note(f"{title}: {', '.join(f'{name} {count:,}' for name, count in counts.items())}")


def _share(count: int, total: int, *, bar: bool) -> tuple[str, ...]:
    share = count / total
    cells = (f"{count:,}", f"{share:.1%}")
    if not bar:
        return cells
    eighths = round(share * _BAR * 8) or (1 if count else 0)
    return (*cells, ("█" * (eighths // 8) + _EIGHTHS[eighths % 8].strip()).ljust(_BAR))
