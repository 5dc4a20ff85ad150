"""``findingmodel index export``: the index as Markdown pages, as a list of ids, or as lines of JSON."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli.main import Lazy, LazyGroup
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.screen import counted, safe_json, to_json, visible
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

    from findingmodel.cli.screen import Screen
    from findingmodel.export.files import ExportReport
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

__all__ = ["export", "ids", "jsonl", "markdown"]

_HERE = "findingmodel.cli.export"
_FORMS = {
    "markdown": Lazy(f"{_HERE}:markdown", "One page for each model, and a table of all."),
    "ids": Lazy(f"{_HERE}:ids", "Which ids are taken, and by what."),
    "jsonl": Lazy(f"{_HERE}:jsonl", "One model a line, as its file has it."),
}
_STREAM = "-"
_EMPTY = "the index holds no models, so nothing was written"
_destination = click.argument("destination", metavar="DEST", type=click.Path(path_type=Path, allow_dash=True))


@click.group(cls=LazyGroup, lazy=_FORMS)
def export() -> None:
    """Write what the index holds to files; those that are as they should be are not touched.

    The result depends on the models alone, so that version control shows what has changed and nothing else.

    \b
    Examples:
      findingmodel index export markdown docs --prune      docs/text/NAME.md and docs/index.md
      findingmodel index export ids docs                   docs/ids.json
      findingmodel index export jsonl - | gzip > models.jsonl.gz
    """


@click.command()
@_destination
@click.option("--prune", is_flag=True, help="Remove pages that exports wrote, whose models are gone.")
@database_options
@json_option
@screen_options
@click.pass_obj
def markdown(screen: Screen, destination: Path, prune: bool, settings: Settings, as_json: bool) -> int:
    """Write a page for each model to DEST/text/NAME.md, and a table of all of them to DEST/index.md.

    NAME is that of the model's file; models whose files are called alike get their ids behind it. DEST has a
    file .findingmodel-export too, which says what exports wrote: --prune removes nothing else, and no page
    that was edited since.

    \b
    Examples:
      findingmodel index export markdown .
      findingmodel index export markdown docs --prune --json

    The table links to the files as defs/FILE, which is where collections of models keep them.

    Exit code 1 means that models of the index cannot be read by this version, or that there are none.
    """
    from findingmodel.export.files import export_markdown

    async def answer(store: Store) -> ExportReport:
        return await export_markdown(store, destination, prune=prune, progress=progress)

    if str(destination) == _STREAM:
        raise click.UsageError("Pages need a directory; findingmodel model markdown FILE prints one.")
    with screen.progress("exporting") as progress, _writing(destination):
        report = ask(settings, answer)
    files = counted(report.written + report.unchanged, "file")
    done = f"wrote {report.written:,} of {files}" if report.written else f"all {files} are up to date"
    removed = f", removed {report.removed:,}" if report.removed else ""
    return _show(screen, report, f"{done} in {destination}{removed}", as_json=as_json)


@click.command()
@_destination
@database_options
@json_option
@screen_options
@click.pass_obj
def ids(screen: Screen, destination: Path, settings: Settings, as_json: bool) -> int:
    """Write the ids of all models and attributes to DEST/ids.json, or to DEST if that ends in .json; - is
    standard output.

    "oifm_ids" says which file has which model, "attribute_ids" which file has which attribute, and how that
    is called; one id a line.

    \b
    Examples:
      findingmodel index export ids .
      findingmodel index export ids taken.json
      findingmodel index export ids - | grep OIFMA_ABCD
    """
    from findingmodel.export.files import export_ids, id_lines

    if str(destination) == _STREAM:
        return _print(screen, settings, id_lines, as_json=as_json)
    file = destination if destination.suffix == ".json" else destination / "ids.json"
    with _writing(file):
        report = ask(settings, lambda store: export_ids(store, file))
    return _show(screen, report, _done_to(file, report), as_json=as_json)


@click.command()
@_destination
@database_options
@json_option
@screen_options
@click.pass_obj
def jsonl(screen: Screen, destination: Path, settings: Settings, as_json: bool) -> int:
    """Write all models to the file DEST, one a line, sorted by id; - is standard output.

    Each is the JSON of its file without line feeds: numbers and unknown fields stay what they are.

    \b
    Examples:
      findingmodel index export jsonl models.jsonl
      findingmodel index export jsonl - | grep -c RADLEX
    """
    from findingmodel.export.files import export_jsonl, json_lines

    if str(destination) == _STREAM:
        return _print(screen, settings, json_lines, as_json=as_json)
    with _writing(destination):
        report = ask(settings, lambda store: export_jsonl(store, destination))
    return _show(screen, report, _done_to(destination, report), as_json=as_json)


def _print(
    screen: Screen, settings: Settings, texts: Callable[[Store], AsyncIterator[str]], *, as_json: bool
) -> int:
    """Print what *texts* makes of the index; return the exit code."""
    if as_json:
        raise click.UsageError("--json cannot be given when the export itself goes to standard output.")

    async def answer(store: Store) -> bool:
        if not (await store.counts()).models:
            return False
        async for text in texts(store):
            click.echo(safe_json(text), nl=False)
        return True

    if not ask(settings, answer):
        screen.note(_EMPTY)
        return 1
    return 0


@contextmanager
def _writing(destination: Path) -> Iterator[None]:
    """Name what the user named, whichever file it is that cannot be written."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        in_the_way = isinstance(error, FileExistsError)
        reason = "a file is where a directory has to be" if in_the_way else error.strerror
        raise OSError(error.errno, f"cannot be written: {reason}", str(destination)) from error


def _done_to(file: Path, report: ExportReport) -> str:
    return f"wrote {file}" if report.written else f"{file} is up to date"


def _show(screen: Screen, report: ExportReport, done: str, *, as_json: bool) -> int:
    """Tell what was *done*; return the exit code."""
    if as_json:
        click.echo(to_json(report.as_dict()))
    elif report.models:
        click.echo(visible(f"{counted(report.models, 'model')}: {done}"))
    if not report.models and not report.failed:
        screen.note(_EMPTY)
        return 1
    if report.stale:
        pages = counted(len(report.stale), "page")
        screen.note(
            f"{pages} of models that are gone; --prune removes {'it' if len(report.stale) == 1 else 'them'}"
        )
    for oifm_id in report.failed:
        screen.note(f"cannot be read any more: {visible(oifm_id)}; update the index")
    return 1 if report.failed else 0
