"""``findingmodel report``: the findings that reports name."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.hints import empty_hint
from findingmodel.cli.options import index_options, utf8
from findingmodel.cli.screen import Column, Screen, counted, safe_json, visible
from findingmodel.cli.session import run, session_of
from findingmodel.cli.timings import timed, timings_option

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from findingmodel.batch.read import Form
    from findingmodel.batch.reports import ReportJob, ReportSummary
    from findingmodel.index.session import IndexSession
    from findingmodel.reports.values import ReportReading
    from findingmodel.settings import Settings

_COLORS = {
    "present": "yellow",
    "absent": "bright_black",
    "possible": "magenta",
    "historical": "blue",
    "indication": "cyan",
}
_TABLE = (
    Column("", wraps=False, right=True),
    Column("words", bold=True),
    Column("certainty"),
    Column("id", wraps=False),
    Column("model"),
    Column("said of it"),
    Column("attributes"),
)
_STREAM = "-"


@click.command()
@click.argument(
    "sources", metavar="FILE...|-", type=click.Path(exists=True, allow_dash=True), nargs=-1, required=True
)
@click.option(
    "--format",
    "write_as",
    type=click.Choice(["text", "jsonl", "csv", "html", "fhir"]),
    help="Format of the output; default by the name of --output, or text.",
)
@click.option(
    "--column",
    metavar="NAME",
    type=utf8,
    default="text",
    show_default=True,
    help="CSV and JSON Lines: the column or field that holds the report.",
)
@click.option(
    "--read-as",
    type=click.Choice(["text", "csv", "jsonl"]),
    help="Format of the files; default by their names.",
)
@click.option("--exam", metavar="NAME", type=utf8, default="", help='The examination, such as "CT chest".')
@click.option(
    "--limit", type=click.IntRange(1), default=5, show_default=True, help="Most models per finding."
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True),
    help="File to write; default standard output.",
)
@click.option("--resume", is_flag=True, help="Resume after the last report in the output.")
@timings_option
@index_options
def report(
    screen: Screen,
    /,
    sources: tuple[str, ...],
    write_as: str | None,
    output: str | None,
    timings: bool,
    settings: Settings,
    **options: Any,
) -> int:
    """Find the findings that radiology reports name: where, how certain, and which model each one is.

    FILE is a text file with one report, a directory of *.txt files, a CSV file or JSON Lines; - is standard
    input. Each finding gets its certainty (present, absent, possible, historical, or asked about), the words
    that decided it, side, level, size, change, and the attributes of its model that the report states.

    \b
    Examples:
      findingmodel report chest.txt
      echo "No pneumothorax. Small left effusion." | findingmodel report -
      findingmodel report reports/ --format html --output findings.html
      findingmodel report reports.csv --column impression --output findings.csv --resume
      findingmodel report chest.txt --format fhir > bundle.json

    In the text, [words]1+ is finding 1 of the table, and present; - is absent, ? possible, < historical,
    > asked about. The exit code is 1 if some reports could not be read.
    """
    form = write_as or _form_of(output, as_json=screen.as_json)
    if form == "text" and (output or options["resume"]):
        raise click.UsageError("--format text is for the screen: choose jsonl, csv, html or fhir for a file.")
    with timed(settings, "report", show=timings) as timer:
        session = session_of(settings, timer)
        if form == "text":
            del options["resume"]

            async def command(opened: IndexSession) -> tuple[int, str]:
                failed = await _show_all(screen, opened, sources, **options)
                return failed, await empty_hint(opened.store, settings)

            failed, hint = run(session, command)
            if hint:
                screen.note(hint)
            return 1 if failed else 0
        from findingmodel.batch.reports import ReportJob

        job = ReportJob(sources, output or _STREAM, write_as=form, **options)  # type: ignore[arg-type]
        summary, hint = _write(screen, session, job)
    if screen.as_json and job.target != _STREAM:
        screen.json(summary._asdict())
    screen.note(_sentence(summary) + (f": {hint}" if hint else ""))
    return 1 if summary.failed else 0


def _form_of(output: str | None, *, as_json: bool) -> str:
    if output is None:
        return "jsonl" if as_json else "text"
    from findingmodel.batch.report_output import form_of

    return form_of(output)


def _write(screen: Screen, session: IndexSession, job: ReportJob) -> tuple[ReportSummary, str]:
    from findingmodel.batch.reports import run_reports

    echo = _echo(job.written_as)
    with screen.progress("reading reports") as progress:

        async def command(opened: IndexSession) -> tuple[ReportSummary, str]:
            summary = await run_reports(opened.reports, job, echo=echo, progress=progress)
            return summary, await empty_hint(opened.store, session.settings)

        return run(session, command)


def _echo(form: str) -> Callable[[str], None]:
    """Return a function that prints text; a terminal gets no control characters, and JSON stays the same."""

    def echo(text: str) -> None:
        if form in ("jsonl", "fhir"):
            text = safe_json(text)
        elif sys.stdout is not None and sys.stdout.isatty():
            text = "\n".join(map(visible, text.split("\n")))
        click.echo(text, nl=False)

    return echo


def _sentence(summary: ReportSummary) -> str:
    parts = [f"{counted(summary.reports, 'report')}: {counted(summary.mentions, 'finding')}"]
    parts += [f"{summary.failed:,} failed"] if summary.failed else []
    parts += [f"{summary.resumed:,} resumed"] if summary.resumed else []
    return ", ".join(parts)


async def _show_all(
    screen: Screen,
    opened: IndexSession,
    sources: Sequence[str],
    *,
    read_as: Form | None,
    column: str,
    exam: str,
    limit: int,
) -> int:
    """Print each report with its findings marked, and a table; return how many could not be read."""
    from findingmodel.batch.report_files import expand, read_items
    from findingmodel.batch.report_stream import read_stream

    files = expand(sources)
    items = read_items(files, read_as=read_as, column=column)
    failed = shown = 0
    async for item, reading, error in read_stream(opened.reports, items, exam=exam, limit=limit):
        if reading is None:
            failed += 1
            screen.note(f"{item.name}: {error}")
            continue
        if len(files) > 1 or shown:
            click.echo(("\n" if shown else "") + visible(f"== {item.name} =="))
        shown += 1
        _show(screen, reading)
    return failed


def _show(screen: Screen, reading: ReportReading) -> None:
    from findingmodel.reports.plain import marked_text, table_rows

    is_plain = screen.no_color or not screen.is_terminal

    def paint(text: str, certainty: str) -> str:
        return text if is_plain else f"\0{certainty}\1{text}\2"

    text = marked_text(reading, paint)
    for line in text.rstrip("\n").split("\n"):
        click.echo(_colored(line) if not is_plain else visible(line))
    rows = table_rows(reading)
    if rows:
        click.echo()
        screen.table(_TABLE, rows)
    else:
        screen.note("no findings named")


def _colored(line: str) -> str:
    """Return a line in which the marks of `_show` are colours, and other control characters are visible."""
    pieces = line.split("\0")
    out = [visible(pieces[0])]
    for piece in pieces[1:]:
        certainty, _, rest = piece.partition("\1")
        words, _, after = rest.partition("\2")
        out += [click.style(visible(words), fg=_COLORS.get(certainty)), visible(after)]
    return "".join(out)
