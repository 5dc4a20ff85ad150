"""``findingmodel model schema``, ``model export`` and ``model import``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli.options import completing, index_options, output_options
from findingmodel.cli.screen import Screen, one_line, safe_json, visible
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from findingmodel.export.interchange import Format
    from findingmodel.settings import Settings

_FORMATS = ("radelement", "codesystem", "valueset", "questionnaire", "csv", "attributes-csv")


@click.command()
@output_options
def schema(screen: Screen) -> None:
    """Print the JSON Schema of a finding model file (draft 2020-12).

    Editors and programs in other languages can check single files with it. That ids and names are unique is
    for findingmodel index check.

    \b
    Examples:
      findingmodel model schema > finding_model.schema.json
    """
    from findingmodel.model.schema import json_schema

    screen.json(json_schema())


@click.command()
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--format", "form", type=click.Choice(_FORMATS), required=True, help="The other format.")
@click.option("--url", metavar="URL", help="Start of canonical URLs in FHIR; default urn:findingmodel.")
@output_options
def export(screen: Screen, file: Path, form: Format, url: str | None) -> int:
    """Print the model in FILE in another format; what that cannot say goes to stderr.

    radelement is a set of common data elements as the registry's API gives it; codesystem, valueset and
    questionnaire are FHIR R4; csv has a row for the model, attributes-csv a row for each attribute. For a
    whole index there is findingmodel index export.

    \b
    Examples:
      findingmodel model export defs/mass.fm.json --format questionnaire > questionnaire.json
      findingmodel model export defs/mass.fm.json --format radelement
      findingmodel model export defs/mass.fm.json --format csv --json
    """
    from findingmodel.author.edit import load
    from findingmodel.export.fhir import DEFAULT_URL
    from findingmodel.export.interchange import convert
    from findingmodel.model.finding import FindingModelFull

    data, _ = load(file)
    text, lost = convert(FindingModelFull.model_validate_json(data), form, url=url or DEFAULT_URL)
    if screen.as_json:
        screen.json({"format": form, "text": text, "lost": list(lost)})
        return 0
    is_json = not form.endswith("csv")
    click.echo(safe_json(text) if is_json else "\n".join(map(visible, text.split("\n"))), nl=False)
    for one in lost:
        screen.note(f"not in the output: {one}")
    return 0


@click.command("import")
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--source",
    metavar="CODE",
    required=True,
    shell_complete=completing("organizations"),
    help="Organization that issues ids: 3-4 letters. CDE takes the numbers of RadElement.",
)
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Directory for the file; default the current one.",
)
@click.option("--dry-run", is_flag=True, help="Show what would be written, and write nothing.")
@index_options
def import_file(
    screen: Screen, file: Path, source: str, into: Path, dry_run: bool, settings: Settings
) -> int:
    """Create a finding model from a RadElement set or a FHIR R4 Questionnaire, JSON both.

    What the model cannot say is listed. Ids of ours that FILE has are kept; others are new, and are not used
    in the index or in a file below DIR. Existing files are never overwritten.

    \b
    Examples:
      curl -s https://api3.rsna.org/radelement/v1/sets/RDES195 > rdes195.json
      findingmodel model import rdes195.json --source CDE --into defs
      findingmodel model import questionnaire.json --source ABCD --dry-run
    """
    from findingmodel.errors import EditError
    from findingmodel.export.interchange import import_file as plan

    data = file.read_bytes()
    try:
        edit, model, lost = ask(settings, lambda store: plan(store, into, data, source))
    except EditError as error:
        raise EditError(f"{file}: {error}") from None
    if not dry_run:
        edit.apply()
    path = str(edit.changes[0].path)
    if screen.as_json:
        facts = {"file": path, "oifm_id": model.oifm_id, "name": model.name}
        screen.json({**facts, "attributes": len(model.attributes), "lost": list(lost), "dry_run": dry_run})
        return 0
    verb = "would write" if dry_run else "wrote"
    click.echo(visible(f"{verb} {path}: {model.oifm_id}  {one_line(model.name)}"))
    for one in lost:
        screen.note(f"not in the model: {one}")
    return 0
