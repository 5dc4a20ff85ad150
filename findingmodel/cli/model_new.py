"""``findingmodel model new``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli.options import completing, database_options, json_option, screen_options, utf8
from findingmodel.cli.session import ask
from findingmodel.cli.text import counted, one_line, to_json, visible

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings
    from findingmodel.model import FindingModelFull
    from findingmodel.stores.records import EntryRow
    from findingmodel.sync.new import NewModel

__all__ = ["new"]


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
    from findingmodel.model.stub import PLACEHOLDER
    from findingmodel.sync.new import new_model

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
