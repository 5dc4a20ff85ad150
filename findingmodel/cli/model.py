"""``findingmodel model``: begin a finding model file, and read one."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli.get import field_lines
from findingmodel.cli.main import Lazy, LazyGroup
from findingmodel.cli.options import completing, database_options, json_option, screen_options, utf8
from findingmodel.cli.screen import counted, one_line, safe_json, to_json, visible
from findingmodel.cli.session import ask
from findingmodel.cli.update import show_failed
from findingmodel.errors import Problem
from findingmodel.limits import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.author.new import NewModel
    from findingmodel.cli.screen import Screen
    from findingmodel.model.attributes import ChoiceAttributeIded, NumericAttributeIded
    from findingmodel.model.finding import FindingModelFull
    from findingmodel.settings import Settings
    from findingmodel.stores.records import EntryRow

    AnyAttribute = ChoiceAttributeIded | NumericAttributeIded

__all__ = ["file_argument", "markdown", "model", "new", "parsed_model", "read_file", "show"]

_STREAM = "-"

file_argument = click.argument(
    "file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True)
)


def read_file(file: str) -> bytes:
    """Return the bytes of *file*, or of standard input; no more than show that it is too large."""
    if file == _STREAM:
        return sys.stdin.buffer.read(MAX_FILE_BYTES + 1)
    with open(file, "rb") as opened:  # noqa: PTH123  # as click checked it
        return opened.read(MAX_FILE_BYTES + 1)


def parsed_model(screen: Screen, file: str, data: bytes) -> FindingModelFull | None:
    """Return the model, or tell why there is none."""
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


@click.command()
@file_argument
@json_option
@screen_options
@click.pass_obj
def markdown(screen: Screen, file: str, as_json: bool) -> int:
    """Print the Markdown page of the finding model in FILE; - is standard input.

    It is the page that "index export markdown" writes. No index is opened.

    \b
    Examples:
      findingmodel model markdown defs/pleural_plaque.fm.json > plaque.md
      findingmodel index get PE --full | findingmodel model markdown -

    Exit code 1 means that it is no valid model; each problem is told.
    """
    from findingmodel.render.markdown import to_markdown

    model = parsed_model(screen, file, read_file(file))
    if model is None:
        return 1
    page = to_markdown(model)
    if as_json:
        click.echo(to_json({"oifm_id": model.oifm_id, "name": model.name, "markdown": page}))
    else:
        click.echo("\n".join(map(visible, page.split("\n"))))
    return 0


@click.command()
@file_argument
@json_option
@screen_options
@click.pass_obj
def show(screen: Screen, file: str, as_json: bool) -> int:
    """Show the finding model in FILE, with its attributes and their values; - is standard input.

    No index is opened. With --json the model is printed in canonical layout.

    \b
    Examples:
      findingmodel model show defs/pleural_plaque.fm.json
      findingmodel index get PE --full | findingmodel model show -

    Exit code 1 means that it is no valid model; each problem is told.
    """
    data = read_file(file)
    model = parsed_model(screen, file, data)
    if model is None:
        return 1
    if as_json:
        from findingmodel.model.layout import canonical

        click.echo(safe_json(canonical(data).decode()), nl=False)
        return 0
    width = shutil.get_terminal_size().columns if screen.is_terminal else None
    heading = f"{model.oifm_id}  {one_line(model.name)}"
    click.echo("\n".join([heading, *field_lines(_fields(model), width=width)]))
    return 0


def _fields(model: FindingModelFull) -> Iterator[tuple[str, str]]:
    """Yield the label and the text of each line."""
    contributors = [
        getattr(who, "github_username", "") or getattr(who, "code", "") for who in model.contributors or ()
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
        yield label, f"{attribute.oifma_id} {attribute.name} ({_rule(attribute)})"


def _rule(attribute: AnyAttribute) -> str:
    """Return what may be said: ``one of absent | present`` or ``number from 0 to 30 mm``."""
    from findingmodel.model.attributes import ChoiceAttributeIded
    from findingmodel.render.markdown import most_chosen, number_range

    required = ", required" if attribute.required else ""
    if isinstance(attribute, ChoiceAttributeIded):
        values = " | ".join(value.name for value in attribute.values)
        return f"{most_chosen(attribute)} of {values}{required}"
    return " ".join(filter(None, ["number", number_range(attribute)])) + required


@click.command()
@click.argument("name", metavar="NAME", type=utf8)
@click.option(
    "--source",
    metavar="CODE",
    shell_complete=completing("organizations"),
    required=True,
    help="Code of the organization that gives the ids: 3-4 letters.",
)
@click.option(
    "--into",
    metavar="DIR",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="Where to write the file; else the current directory.",
)
@click.option("--description", metavar="TEXT", type=utf8, help="What the finding is.")
@click.option(
    "--synonym", "synonyms", metavar="S", type=utf8, multiple=True, help="Another name; repeatable."
)
@click.option(
    "--tag",
    "tags",
    metavar="T",
    type=utf8,
    multiple=True,
    shell_complete=completing("tags"),
    help="A tag; repeatable.",
)
@database_options
@json_option
@screen_options
@click.pass_obj
def new(
    screen: Screen,
    name: str,
    source: str,
    into: Path,
    description: str | None,
    synonyms: tuple[str, ...],
    tags: tuple[str, ...],
    settings: Settings,
    as_json: bool,
) -> int:
    """Begin the finding model NAME: write a file that is valid, for you to go on from.

    The file is called after NAME. It has new ids, which no model of the index and no file below DIR has, and
    the attributes "presence" and "change from prior". A source that the index knows as an organization is
    named as contributor. No file is ever overwritten, and the index is only read: run an update when the
    model is ready.

    \b
    Examples:
      findingmodel model new "pleural plaque" --source ABCD --into defs
      findingmodel model new "pleural plaque" --source ABCD --synonym "hyaline plaque" --tag CT --tag chest

    Exit code 1 means that there is such a file, or that the name or an argument cannot be used.
    """
    from findingmodel.author.new import new_model
    from findingmodel.model.draft import PLACEHOLDER

    texts = {"description": description or PLACEHOLDER}
    made = ask(
        settings,
        lambda store: new_model(store, into, name, source, synonyms=synonyms, tags=tags, **texts),
    )
    if as_json:
        ids = [attribute.oifma_id for attribute in made.model.attributes]
        facts = {"file": str(made.path), "oifm_id": made.model.oifm_id, "attribute_ids": ids}
        click.echo(to_json(facts | {"also": [other["oifm_id"] for other in made.others]}))
    else:
        click.echo(visible(f"wrote {made.path}: {made.model.oifm_id}  {one_line(made.model.name)}"))
    _tell(screen, made, source.upper())
    return 0


def _tell(screen: Screen, made: NewModel, source: str) -> None:
    """Tell what the curator has to look at."""
    for other in made.others:
        called = ", ".join(map(repr, _shared(made.model, other)))
        screen.note(f"{other['oifm_id']} {one_line(other['name'])} is called {called}, too")
    if not made.known_models:
        screen.note("the index holds no models: the ids are only known to be new among the files there")
    elif not made.contributor:
        screen.note(f"the index knows no organization {source}, so the file names no contributor")
    screen.detail(f"compared with {counted(made.known_models, 'model')}")


def _shared(model: FindingModelFull, other: EntryRow) -> list[str]:
    """Return which of its names *model* shares with *other*."""
    from findingmodel.text.normalize import fold, slug

    theirs = {fold(text) for text in (other["name"], *(other["synonyms"] or ()))}
    names = (model.name, *(model.synonyms or ()))
    return [name for name in names if fold(name) in theirs or slug(name) == other["slug_name"]]


_COMMANDS = {
    "new": Lazy("findingmodel.cli.model:new", "Begin a model: a file with new ids and usual attributes."),
    "show": Lazy("findingmodel.cli.model:show", "Show what a file holds."),
    "markdown": Lazy("findingmodel.cli.model:markdown", "Print the Markdown page of a file."),
}


@click.group(cls=LazyGroup, lazy=_COMMANDS)
def model() -> None:
    """Begin a finding model file, and read one.

    \b
    Examples:
      findingmodel model new "pleural plaque" --source ABCD --into defs
      findingmodel model show defs/pleural_plaque.fm.json
      findingmodel model markdown defs/pleural_plaque.fm.json > plaque.md
    """
