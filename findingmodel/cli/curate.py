"""``findingmodel tags``, ``contributors`` and ``model apply``: edits of all files of a directory."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.edit import Editing
from findingmodel.cli.main import OrderedGroup
from findingmodel.cli.options import directory_argument, index_options, utf8

if TYPE_CHECKING:
    from collections.abc import Callable

    from findingmodel.author.collection import Place
    from findingmodel.author.edit import Edit
    from findingmodel.cli.screen import Screen
    from findingmodel.settings import Settings


def _directory_edit(command: Callable[..., Edit]) -> Callable[..., int | None]:
    """Add DIR and the options of edits; the command gets *directory* and returns the edit."""

    @directory_argument
    @click.option("--dry-run", is_flag=True, help="Show the edit, and write nothing.")
    @click.option("--update", is_flag=True, help="Update the index from DIR afterwards.")
    @index_options
    @functools.wraps(command)
    def with_editing(
        screen: Screen, directory: Path, dry_run: bool, update: bool, settings: Settings, **kwargs: Any
    ) -> int:
        async def plan(_place: Place) -> Edit:
            return command(directory, **kwargs)

        editing = Editing(screen, settings, directory=directory, dry_run=dry_run, update=update)
        return editing.run(directory, plan)

    return with_editing


_contributors_file = click.option(
    "--file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The list of contributors; default DIR/contributors.yml.",
)


@click.group(cls=OrderedGroup)
def tags() -> None:
    """Edit the tags of all finding model files below a directory.

    To count the models of each tag, use findingmodel index tags.

    \b
    Examples:
      findingmodel tags rename ultrasound US defs --dry-run
    """


@tags.command("rename", short_help="Rename a tag in all files.")
@click.argument("old", metavar="OLD", type=utf8)
@click.argument("new", metavar="NEW", type=utf8)
@_directory_edit
def rename_tag(directory: Path, old: str, new: str) -> Edit:
    """Rename the tag OLD to NEW in all files below DIR.

    OLD is found in any case, so this also gives a tag one spelling. A model that has both tags has NEW once
    afterwards. An interrupted run has renamed it in some files; run it again for the rest. Exit code 1 means
    that files are not valid, and were not edited.

    \b
    Examples:
      findingmodel tags rename ultrasound US defs --dry-run
      findingmodel tags rename ct CT defs --update
    """
    from findingmodel.author.edit_names import rename_tag as plan

    return plan(directory, old, new)


@click.group(cls=OrderedGroup)
def contributors() -> None:
    """Keep the contributors of a collection in one file, contributors.yml.

    The file is a list; each item has the fields of a person or an organization, as in a model. To count the
    models of each contributor, use findingmodel index contributors.

    \b
    Examples:
      findingmodel contributors collect defs
      findingmodel contributors apply defs --dry-run
    """


@contributors.command(short_help="Add everyone whom the models name.")
@_contributors_file
@_directory_edit
def collect(directory: Path, file: Path | None) -> Edit:
    """Add everyone whom the models below DIR name to contributors.yml, if the file lacks them.

    What the file says already stays as it is, comments too.

    \b
    Examples:
      findingmodel contributors collect defs
      findingmodel contributors collect defs --file people.yml --dry-run
    """
    from findingmodel.author import edit_contributors

    return edit_contributors.collect(directory, file or directory / edit_contributors.FILE)


@contributors.command("apply", short_help="Describe contributors in all models as in the file.")
@_contributors_file
@_directory_edit
def apply_file(directory: Path, file: Path | None) -> Edit:
    """Make all models below DIR describe their contributors as contributors.yml does.

    \b
    Examples:
      findingmodel contributors apply defs --dry-run
    """
    from findingmodel.author import edit_contributors

    return edit_contributors.apply_to_models(directory, file or directory / edit_contributors.FILE)


@contributors.command(short_help="Name somebody as a contributor of models.")
@click.argument("keys", metavar="KEY...", type=utf8, nargs=-1, required=True)
@click.option(
    "--to",
    "files",
    metavar="FILE",
    multiple=True,
    required=True,
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="A model; repeatable.",
)
@click.option(
    "--file",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The list of contributors; default the nearest contributors.yml above the first model.",
)
@click.option("--dry-run", is_flag=True, help="Show the edit, and write nothing.")
@index_options
def credit(
    screen: Screen,
    keys: tuple[str, ...],
    files: tuple[Path, ...],
    file: Path | None,
    dry_run: bool,
    settings: Settings,
) -> int:
    """Name people (by GitHub user name) or organizations (by code) of contributors.yml in models.

    \b
    Examples:
      findingmodel contributors credit ABCD --to defs/mass.fm.json
    """
    from findingmodel.author import edit_contributors

    async def plan(_place: Place) -> Edit:
        return edit_contributors.credit(files, keys, file or edit_contributors.nearest(files[0]))

    return Editing(screen, settings, dry_run=dry_run).run(files[0], plan)


@click.command("apply")
@click.argument("table", metavar="TABLE.csv", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@_directory_edit
def apply_table(directory: Path, table: Path) -> Edit:
    """Change the files below DIR as TABLE.csv says, an edited table of models or of attributes.

    Export a table, change it in a spreadsheet, and apply it: only cells that differ from the files are
    applied, and rows or columns that were removed change nothing. Of models, name, description, synonyms and
    tags can change; of attributes name, description, unit, minimum, maximum, required and the names of
    values. Lists are separated by "; ", and an empty cell removes what was there. All ids stay.

    \b
    Examples:
      findingmodel index export csv tables
      findingmodel model apply tables/models.csv defs --dry-run
      findingmodel model apply tables/attributes.csv defs --update
    """
    from findingmodel.errors import EditError
    from findingmodel.export.table_edit import edit_from_table

    try:
        return edit_from_table(directory, table.read_bytes())
    except EditError as error:
        raise EditError(f"{table}: {error}") from None
