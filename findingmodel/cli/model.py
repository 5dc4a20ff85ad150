"""``findingmodel model``: create, check and show finding model files."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import completing, index_options, output_options, tag_option, utf8
from findingmodel.cli.screen import Screen, counted, one_line, safe_json, visible
from findingmodel.cli.session import ask
from findingmodel.cli.update import show_failed
from findingmodel.errors import Problem
from findingmodel.limits import MAX_FILE_BYTES
from findingmodel.runtime.files import standard_input

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.author.new import NewModel
    from findingmodel.model.finding import ChoiceAttributeIded, FindingModelFull, NumericAttributeIded
    from findingmodel.settings import Settings

_STREAM = "-"
_file_argument = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)


@click.command(short_help="Create a file with new ids and the usual attributes.")
@click.argument("name", metavar="NAME", type=utf8)
@click.option(
    "--source",
    metavar="CODE",
    shell_complete=completing("organizations"),
    required=True,
    help="Code of the organization that issues the ids: 3-4 letters.",
)
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Directory for the file; default the current one.",
)
@click.option("--description", metavar="TEXT", type=utf8, help="Description of the finding.")
@click.option(
    "--synonym", "synonyms", metavar="S", type=utf8, multiple=True, help="Another name; repeatable."
)
@tag_option("A tag; repeatable.")
@click.option(
    "--change",
    "changes",
    metavar="PAIR",
    type=utf8,
    multiple=True,
    help="A pair of changes since a prior exam, such as worsened/improved, or none; repeatable. "
    "Default larger/smaller and increased/decreased.",
)
@index_options
def new(
    screen: Screen,
    name: str,
    source: str,
    into: Path,
    settings: Settings,
    description: str | None,
    synonyms: tuple[str, ...],
    tags: tuple[str, ...],
    changes: tuple[str, ...],
) -> None:
    """Create a valid file for the finding model NAME, as a start for editing.

    The file is named after NAME. It has new ids, which are not used in the index or in a file below DIR, and
    the attributes "presence" and "change from prior". A source that the index knows as an organization
    becomes the contributor, and tags are written as other models write them. Notes say which models have
    the name or a synonym already, or nearly: see "findingmodel index collision". Existing files are never
    overwritten, and the index does not change: run an update when the model is ready.

    \b
    Examples:
      findingmodel model new "pleural plaque" --source ABCD --into defs
      findingmodel model new "pleural plaque" --source ABCD --synonym "hyaline plaque" --tag CT --tag chest
      findingmodel model new "pleural plaque" --source ABCD --change larger/smaller

    Exit code 1 means that the file exists, or that the name or another argument is not valid.
    """
    from findingmodel.author.new import new_model
    from findingmodel.model.draft import PLACEHOLDER, USUAL_CHANGES, changes_named

    pairs = changes_named(pair for pair in changes if pair != "none") if changes else USUAL_CHANGES
    text = description or PLACEHOLDER
    texts: dict[str, Any] = {"synonyms": synonyms, "tags": tags, "changes": pairs}
    created = ask(settings, lambda store: new_model(store, into, name, source, description=text, **texts))
    if screen.as_json:
        ids = [attribute.oifma_id for attribute in created.model.attributes]
        facts = {"file": str(created.path), "oifm_id": created.model.oifm_id, "attribute_ids": ids}
        holders = [entry for found in created.collisions for entry in (*found.names, *found.synonyms)]
        near = [found.as_dict() for found in created.collisions if found.verdict != "free"]
        also = sorted({entry["oifm_id"] for entry in holders})
        screen.json(facts | {"also": also, "collisions": near})
    else:
        click.echo(visible(f"wrote {created.path}: {created.model.oifm_id}  {one_line(created.model.name)}"))
    _show_notes(screen, created, source.upper())


def _show_notes(screen: Screen, created: NewModel, source: str) -> None:
    """Print what the curator should check."""
    from findingmodel.cli.collision import collision_notes

    for found in created.collisions:
        for note in collision_notes(found):
            screen.note(note)
    for tag, usual in created.tags.items():
        if usual is None and created.known_models:
            screen.note(f"no model of the index has the tag {tag!r} yet")
        elif usual not in (None, tag):
            screen.note(f"wrote the tag {tag!r} as {usual!r}, like other models")
    if not created.known_models:
        screen.note("the index holds no models: the new ids were only compared with files in the directory")
    elif not created.contributor:
        screen.note(f"the index has no organization {source}, so the file names no contributor")
    screen.detail(f"compared with {counted(created.known_models, 'model')}")


@click.command(short_help="Show the content of a file.")
@_file_argument
@output_options
def show(screen: Screen, file: str) -> int:
    """Show the finding model in FILE, with its attributes and their values; - is standard input.

    No index is opened. With --json the model is printed in canonical layout.

    \b
    Examples:
      findingmodel model show defs/pleural_plaque.fm.json
      findingmodel index get PE --full | findingmodel model show -

    Exit code 1 means that FILE is not a valid model; each problem is printed.
    """
    data = _read(file)
    model = _parsed(screen, file, data)
    if model is None:
        return 1
    if screen.as_json:
        from findingmodel.model.layout import canonical

        click.echo(safe_json(canonical(data).decode()), nl=False)
        return 0
    heading = f"{model.oifm_id}  {one_line(model.name)}"
    click.echo("\n".join([heading, *screen.labelled(_fields(model))]))
    return 0


def _fields(model: FindingModelFull) -> Iterator[tuple[str, str]]:
    """Yield the label and the text of each line."""
    contributors = [
        getattr(contributor, "github_username", "") or getattr(contributor, "code", "")
        for contributor in model.contributors or ()
    ]
    for label, texts in (
        ("synonyms", model.synonyms),
        ("tags", model.tags),
        ("contributors", contributors),
        ("codes", list(map(str, model.index_codes or ()))),
    ):
        if texts:
            yield label, ", ".join(texts)
    yield "description", model.description
    for number, attribute in enumerate(model.attributes):
        label = "" if number else "attributes"
        yield label, f"{attribute.oifma_id} {attribute.name} ({_allowed(attribute)})"


def _allowed(attribute: ChoiceAttributeIded | NumericAttributeIded) -> str:
    """Return the allowed values: ``one of absent | present`` or ``number from 0 to 30 mm``."""
    from findingmodel.model.finding import ChoiceAttributeIded
    from findingmodel.render.markdown import most_chosen, number_range

    required = ", required" if attribute.required else ""
    if isinstance(attribute, ChoiceAttributeIded):
        values = " | ".join(value.name for value in attribute.values)
        return f"{most_chosen(attribute)} of {values}{required}"
    return " ".join(filter(None, ["number", number_range(attribute)])) + required


@click.command(short_help="Print the Markdown page of a file.")
@_file_argument
@output_options
def markdown(screen: Screen, file: str) -> int:
    """Print the Markdown page of the finding model in FILE; - is standard input.

    The page is the one that "index export markdown" writes. No index is opened.

    \b
    Examples:
      findingmodel model markdown defs/pleural_plaque.fm.json > plaque.md
      findingmodel index get PE --full | findingmodel model markdown -

    Exit code 1 means that FILE is not a valid model; each problem is printed.
    """
    from findingmodel.render.markdown import to_markdown

    model = _parsed(screen, file, _read(file))
    if model is None:
        return 1
    page = to_markdown(model)
    if screen.as_json:
        screen.json({"oifm_id": model.oifm_id, "name": model.name, "markdown": page})
    else:
        click.echo("\n".join(map(visible, page.split("\n"))))
    return 0


def _read(file: str) -> bytes:
    """Return the bytes of *file* or of standard input, up to one more than the limit."""
    if file == _STREAM:
        return standard_input().read(MAX_FILE_BYTES + 1)
    with open(file, "rb") as opened:  # noqa: PTH123  # click has checked the path as a string
        return opened.read(MAX_FILE_BYTES + 1)


def _parsed(screen: Screen, file: str, data: bytes) -> FindingModelFull | None:
    """Return the model, or print its problems and return None."""
    from findingmodel.model.parse import parse_model
    from findingmodel.update.report import FileReport

    if len(data) > MAX_FILE_BYTES:
        problem = Problem("", "too-large", f"the file has more than {MAX_FILE_BYTES:,} bytes")
        show_failed(screen, [FileReport(file, (problem,))])
        return None
    parsed = parse_model(data)
    if parsed.model is None:
        show_failed(screen, [FileReport(file, parsed.problems)])
    for warning in parsed.warnings:
        screen.detail(f"warning: {file}: {warning}")
    return parsed.model
