"""``findingmodel index export``: the index as Markdown pages, as a list of ids, or as lines of JSON."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from findingmodel.cli.hints import empty_hint
from findingmodel.cli.main import OrderedGroup
from findingmodel.cli.options import index_options
from findingmodel.cli.screen import Screen, counted, safe_json, visible
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Coroutine, Iterator

    from findingmodel.export.files import ExportReport
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

_STREAM = "-"
_destination = click.argument("destination", metavar="DEST", type=click.Path(path_type=Path, allow_dash=True))


@click.group(cls=OrderedGroup)
def export() -> None:
    """Write the content of the index to files; files that are up to date are not touched.

    The output depends on the models only, so version control shows exactly what changed.

    \b
    Examples:
      findingmodel index export markdown docs --prune      docs/text/NAME.md and docs/index.md
      findingmodel index export ids docs                   docs/ids.json
      findingmodel index export jsonl - | gzip > models.jsonl.gz
      findingmodel index export csv tables                 tables/models.csv, tables/attributes.csv
      findingmodel index export fhir fhir                  CodeSystem, ValueSets, Questionnaires
    """


@export.command(short_help="Write a page for each model, and a table of all.")
@_destination
@click.option(
    "--defs",
    "files",
    metavar="DIR",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The directory of the models' files, to link to.",
)
@click.option("--prune", is_flag=True, help="Remove exported pages whose models are gone.")
@index_options
def markdown(screen: Screen, destination: Path, files: Path | None, prune: bool, settings: Settings) -> int:
    """Write a page for each model to DEST/text/NAME.md, and a table of all models to DEST/index.md.

    NAME is the name of the model's file; if several files have the same name, the id is appended. The file
    DEST/.findingmodel-export lists the exported pages: --prune removes only these, unless they were edited.

    \b
    Examples:
      findingmodel index export markdown .
      findingmodel index export markdown docs --prune --json

    The table links to the models' files: those below --defs DIR or, without it, below DEST/defs or DEST, or
    beside DEST, if they are there. More than 500 models are split into tables DEST/index_1.md and so on,
    which DEST/index.md lists.

    Exit code 1 means that this version cannot read some models, or that the index is empty.
    """
    from findingmodel.export.files import export_markdown

    async def question(store: Store) -> ExportReport:
        return await export_markdown(store, destination, files=files, prune=prune, progress=progress)

    if str(destination) == _STREAM:
        raise click.UsageError("Pages need a directory; findingmodel model markdown FILE prints one page.")
    with screen.progress("exporting") as progress, _writing(destination):
        report = ask(settings, question)
    removed = f", removed {report.removed:,}" if report.removed else ""
    return _show(screen, settings, report, f"{_written(report, destination)}{removed}")


@export.command(short_help="Write which ids are taken, and by what.")
@_destination
@index_options
def ids(screen: Screen, destination: Path, settings: Settings) -> int:
    """Write the ids of all models and attributes to DEST/ids.json.

    If DEST ends in .json, it is the file to write; - is standard output. "oifm_ids" maps each model id to its
    file, and "attribute_ids" each attribute id to its file and name, one per line.

    \b
    Examples:
      findingmodel index export ids .
      findingmodel index export ids taken.json
      findingmodel index export ids - | grep OIFMA_ABCD
    """
    from findingmodel.export.files import export_ids, id_lines

    is_file = destination.suffix == ".json" or str(destination) == _STREAM
    file = destination if is_file else destination / "ids.json"
    return _export_file(screen, settings, file, export_ids, id_lines)


@export.command(short_help="Write each model as one line of JSON.")
@_destination
@index_options
def jsonl(screen: Screen, destination: Path, settings: Settings) -> int:
    """Write all models to the file DEST, one per line, sorted by id; - is standard output.

    Each line is the JSON of the model's file without line feeds; numbers and unknown fields are unchanged.

    \b
    Examples:
      findingmodel index export jsonl models.jsonl
      findingmodel index export jsonl - | grep -c RADLEX
    """
    from findingmodel.export.files import export_jsonl, json_lines

    return _export_file(screen, settings, destination, export_jsonl, json_lines)


@export.command(short_help="Write tables of models and of attributes.")
@_destination
@click.option("--attributes", is_flag=True, help="With DEST -, print the table of attributes.")
@index_options
def csv(screen: Screen, destination: Path, attributes: bool, settings: Settings) -> int:
    """Write DEST/models.csv, a row for each model, and DEST/attributes.csv, a row for each attribute.

    DEST - prints the table of models. Lists are one cell, separated by "; ".

    \b
    Examples:
      findingmodel index export csv tables
      findingmodel index export csv - | head
      findingmodel index export csv - --attributes > attributes.csv
    """
    from findingmodel.export.documents import export_csv
    from findingmodel.export.tables import csv_parts

    if str(destination) == _STREAM:
        table: Literal["models", "attributes"] = "attributes" if attributes else "models"
        return _print_parts(screen, settings, lambda store: csv_parts(store, table))
    if attributes:
        raise click.UsageError("--attributes requires the destination -; both tables are written to a DEST.")
    with _writing(destination):
        report = ask(settings, lambda store: export_csv(store, destination))
    return _show(screen, settings, report, _written(report, destination))


@export.command(short_help="Write FHIR R4 resources.")
@_destination
@click.option("--url", metavar="URL", help="Start of canonical URLs; default urn:findingmodel.")
@index_options
def fhir(screen: Screen, destination: Path, url: str | None, settings: Settings) -> int:
    """Write FHIR R4 resources to the directory DEST.

    CodeSystem.json has all findings, attributes and values with their codes; ValueSets.json is a Bundle with
    the values of each choice; questionnaires/NAME.json is a Questionnaire for each model.

    \b
    Examples:
      findingmodel index export fhir fhir
      findingmodel index export fhir fhir --url https://example.org/fhir
    """
    return _export_documents(screen, settings, destination, "fhir", url)


@export.command(short_help="Write RadElement sets.")
@_destination
@index_options
def radelement(screen: Screen, destination: Path, settings: Settings) -> int:
    """Write a RadElement set of common data elements for each model to DEST/sets/NAME.json.

    The sets are as the registry's API gives them. They cannot say synonyms and tags;
    findingmodel model export FILE lists for one model what is lost.

    \b
    Examples:
      findingmodel index export radelement cde
    """
    return _export_documents(screen, settings, destination, "radelement", None)


def _export_documents(
    screen: Screen,
    settings: Settings,
    destination: Path,
    form: Literal["fhir", "radelement"],
    url: str | None,
) -> int:
    from findingmodel.export.documents import export_documents
    from findingmodel.export.fhir import DEFAULT_URL

    if str(destination) == _STREAM:
        raise click.UsageError(
            "This export needs a directory; findingmodel model export FILE prints one model."
        )

    async def question(store: Store) -> ExportReport:
        return await export_documents(store, destination, form, url=url or DEFAULT_URL, progress=progress)

    with screen.progress("exporting") as progress, _writing(destination):
        report = ask(settings, question)
    return _show(screen, settings, report, _written(report, destination))


def _written(report: ExportReport, destination: Path) -> str:
    files = counted(report.written + report.unchanged, "file")
    if not report.written:
        return f"all {files} are up to date in {destination}"
    return f"wrote {report.written:,} of {files} in {destination}"


def _export_file(
    screen: Screen,
    settings: Settings,
    file: Path,
    write: Callable[[Store, Path], Coroutine[Any, Any, ExportReport]],
    parts: Callable[[Store], AsyncIterator[str]],
) -> int:
    """Write an export to *file*, or print its *parts* if that is "-"; return the exit code."""

    if str(file) != _STREAM:
        with _writing(file):
            report = ask(settings, lambda store: write(store, file))
        return _show(screen, settings, report, f"wrote {file}" if report.written else f"{file} is up to date")
    return _print_parts(screen, settings, parts)


def _print_parts(screen: Screen, settings: Settings, parts: Callable[[Store], AsyncIterator[str]]) -> int:
    """Print an export; return the exit code."""

    async def print_parts(store: Store) -> bool:
        if not (await store.counts()).models:
            return False
        async for part in parts(store):
            click.echo(safe_json(part), nl=False)
        return True

    if screen.as_json:
        raise click.UsageError("--json cannot be used when the export goes to standard output.")
    if ask(settings, print_parts):
        return 0
    return _nothing(screen, settings)


@contextmanager
def _writing(destination: Path) -> Iterator[None]:
    """Name *destination* in errors, whichever file below it cannot be written."""
    try:
        yield
    except OSError as error:
        if error.filename is None:
            raise
        is_taken = isinstance(error, FileExistsError)
        reason = "a file is in the place of a directory" if is_taken else error.strerror
        raise OSError(error.errno, f"cannot be written: {reason}", str(destination)) from error


def _nothing(screen: Screen, settings: Settings) -> int:
    """Say that there was nothing to write, and why; return the exit code."""
    screen.note(f"nothing was written: {ask(settings, lambda store: empty_hint(store, settings))}")
    return 1


def _show(screen: Screen, settings: Settings, report: ExportReport, result: str) -> int:
    """Print the *result* and what is left to do; return the exit code."""
    if screen.as_json:
        screen.json(report.as_dict())
    elif report.models:
        click.echo(visible(f"{counted(report.models, 'model')}: {result}"))
    if not report.models and not report.failed:
        return _nothing(screen, settings)
    if report.stale:
        pages, them = counted(len(report.stale), "page"), "it" if len(report.stale) == 1 else "them"
        screen.note(f"{pages} of removed models; --prune removes {them}")
    for oifm_id in report.failed:
        screen.note(f"cannot read {visible(oifm_id)} any more; update the index")
    return 1 if report.failed else 0
