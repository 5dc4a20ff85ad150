"""The commands of ``findingmodel model`` that edit files, and how they show what they change."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.diff import as_json, field_lines, identifying
from findingmodel.cli.options import index_options, utf8
from findingmodel.cli.screen import Screen, counted, one_line, visible

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from findingmodel.author.collection import Place
    from findingmodel.author.edit import Edit, FileChange
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store

_file = click.Path(exists=True, dir_okay=False, path_type=Path)


class Editing:
    """How an edit is asked for, shown and written.

    Args:
        screen, settings: of the command.
        directory: of the collection; None for that of the file.
        dry_run: show the edit, and write nothing.
        files_only: do not ask the index.
        update: update the index from the collection afterwards.
    """

    def __init__(
        self,
        screen: Screen,
        settings: Settings,
        *,
        directory: Path | None = None,
        dry_run: bool = False,
        files_only: bool = True,
        update: bool = False,
    ) -> None:
        self._screen = screen
        self._settings = settings
        self._directory = directory
        self._dry_run = dry_run
        self._files_only = files_only
        self._update = update

    def run(self, file: Path, plan: Callable[[Place], Awaitable[Edit]]) -> int:
        """Plan an edit of *file*, then write and show it; return the exit code."""
        from findingmodel.author.collection import Place
        from findingmodel.cli.session import ask
        from findingmodel.runtime.run_without_loop import run_without_loop

        def place(store: Store | None) -> Place:
            if self._directory is not None:
                return Place(self._directory, store)
            return Place.of(file, store)

        if self._files_only:
            edit = run_without_loop(_awaited(plan(place(None))))
        else:
            edit = ask(self._settings, lambda store: _awaited(plan(place(store))))
        if not self._dry_run:
            edit.apply()
        self.show(edit)
        code = self._update_index(edit, place(None).directory) if self._update and not self._dry_run else 0
        return 1 if edit.skipped else code

    def show(self, edit: Edit) -> None:
        """Print what *edit* changes."""
        screen = self._screen
        if screen.as_json:
            screen.json({"dry_run": self._dry_run, **edit.as_dict()})
            return
        for change in edit.changes:
            self._show_change(change)
        if not edit.changes:
            screen.note("nothing to change")
        for note in edit.notes:
            screen.note(note)
        for path in edit.skipped:
            screen.note(f"{path} is not a valid finding model, and was not edited; index check says why")

    def _show_change(self, change: FileChange) -> None:
        fields, width = change.fields, self._screen.width
        verb = "write" if change.old is None or change.new != change.old else "move"
        moved = f" -> {change.moved_to}" if change.moved_to else ""
        done = f"would {verb}" if self._dry_run else {"write": "wrote", "move": "moved"}[verb]
        click.echo(visible(f"{done} {change.path}{moved}"))
        for field in fields:
            if width is None:
                sides = (as_json(identifying(field.old)), as_json(identifying(field.new)))
                click.echo("\t".join(map(one_line, (field.kind, field.place, *sides))))
            else:
                whole = self._screen.verbose
                click.echo("\n".join(field_lines(field, width=width, whole=whole)))

    def _update_index(self, edit: Edit, directory: Path) -> int:
        """Update the index from the directory that it was made from, or from *directory*."""
        from findingmodel.author.collection import indexed_directory
        from findingmodel.cli.session import ask, update
        from findingmodel.cli.update import show_failed
        from findingmodel.update.options import UpdateOptions

        options = UpdateOptions.of(self._settings)
        own = ask(self._settings, lambda store: indexed_directory(store, edit))
        report = update(self._settings, own or directory, options, lambda done, total: None)
        if report.refused is not None:
            self._screen.note(f"the index was not updated: {report.refused.message}")
        elif not self._screen.as_json:
            show_failed(self._screen, report.failed)
        self._screen.note(f"index: {counted(report.updated + report.added + report.removed, 'change')}")
        return 0 if report.ok else 1


async def _awaited(edit: Awaitable[Edit]) -> Edit:
    return await edit


def edit_options(command: Callable[..., int]) -> Callable[..., int | None]:
    """Add the options of all edits; the command gets an `Editing` as *editing*."""

    @click.option("--dry-run", is_flag=True, help="Show the edit, and write nothing.")
    @click.option(
        "--in",
        "directory",
        metavar="DIR",
        type=click.Path(exists=True, file_okay=False, path_type=Path),
        help="Directory of the collection; default the nearest with .findingmodel.toml or .git, or FILE's.",
    )
    @click.option("--files-only", is_flag=True, help="Compare with the files of the collection alone.")
    @click.option("--update", is_flag=True, help="Update the index afterwards, from its directory.")
    @index_options
    @functools.wraps(command)
    def with_editing(
        screen: Screen,
        *args: Any,
        dry_run: bool,
        directory: Path | None,
        files_only: bool,
        update: bool,
        settings: Settings,
        **kwargs: Any,
    ) -> int:
        editing = Editing(
            screen, settings, directory=directory, dry_run=dry_run, files_only=files_only, update=update
        )
        return command(*args, editing=editing, **kwargs)

    return with_editing


@click.command()
@click.argument("file", metavar="FILE", type=_file)
@click.argument("name", metavar="NEW-NAME", type=utf8)
@click.option("--keep-synonym", is_flag=True, help="Keep the old name as a synonym.")
@click.option("--keep-file", is_flag=True, help="Keep the name of the file.")
@edit_options
def rename(file: Path, name: str, editing: Editing, keep_synonym: bool, keep_file: bool) -> int:
    """Rename the model in FILE to NEW-NAME: its name, its file, and its own descriptions.

    Descriptions of the model, its attributes and its values follow where they have the old name. All ids
    stay. A name that another model has is refused.

    \b
    Examples:
      findingmodel model rename defs/lung_plaque.fm.json "pleural plaque"
      findingmodel model rename defs/lung_plaque.fm.json "pleural plaque" --keep-synonym --dry-run
    """
    from findingmodel.author import edit_names

    return editing.run(
        file,
        lambda place: edit_names.rename(
            file, name, keep_synonym=keep_synonym, keep_file=keep_file, place=place
        ),
    )


@click.command()
@click.argument("file", metavar="FILE", type=_file)
@click.argument("text", metavar="TEXT", type=utf8)
@click.option("--force", is_flag=True, help="Add it even if another model has it.")
@edit_options
def add_synonym(file: Path, text: str, editing: Editing, force: bool) -> int:
    """Add the synonym TEXT to the model in FILE.

    A text that another model of the collection, or of the index, has as its name or as a synonym would be
    ambiguous: it is refused, and the other model named.

    \b
    Examples:
      findingmodel model add-synonym defs/pleural_plaque.fm.json "hyaline plaque"
      findingmodel model add-synonym defs/pleural_plaque.fm.json "hyaline plaque" --dry-run --json

    Exit code 1 means that nothing was written, because it is a synonym of this or of another model already.
    """
    from findingmodel.author import edit_names

    return editing.run(file, lambda place: edit_names.add_synonym(file, text, force=force, place=place))


@click.command()
@click.argument("file", metavar="FILE", type=_file)
@click.argument("name", metavar="NAME", type=utf8)
@click.option("--description", metavar="TEXT", type=utf8, help="What the attribute says.")
@click.option(
    "--value", "values", metavar="V", type=utf8, multiple=True, help="A value; twice or more often."
)
@click.option(
    "--max-selected", metavar="N", type=click.IntRange(0), default=1, help="Most values at once; 0 for all."
)
@click.option("--numeric", is_flag=True, help="The attribute is a number.")
@click.option("--min", "minimum", metavar="N", type=float, help="Smallest number.")
@click.option("--max", "maximum", metavar="N", type=float, help="Largest number.")
@click.option("--unit", metavar="UNIT", type=utf8, help="Unit of the number, such as mm.")
@click.option("--required", is_flag=True, help="Every report of the finding states it.")
@click.option("--source", metavar="CODE", help="Organization that issues the id; default that of the model.")
@edit_options
def add_attribute(file: Path, editing: Editing, numeric: bool, source: str | None, **fields: Any) -> int:
    """Add the attribute NAME to the model in FILE: a choice of --value, or --numeric.

    The attribute gets an id that no file of the collection and no model of the index has; ids of other
    attributes stay. It is the last; move it in an editor.

    \b
    Examples:
      findingmodel model add-attribute defs/mass.fm.json margin --value smooth --value spiculated
      findingmodel model add-attribute defs/mass.fm.json diameter --numeric --min 0 --max 300 --unit mm
    """
    from findingmodel.author import edit_attributes

    has_numbers = any(fields[name] is not None for name in ("minimum", "maximum", "unit"))
    if bool(fields["values"]) == (numeric or has_numbers):
        raise click.UsageError("An attribute is either a choice of --value or --numeric.")
    attribute = edit_attributes.NewAttribute(**fields)
    return editing.run(
        file, lambda place: edit_attributes.add_attribute(file, attribute, source=source, place=place)
    )


@click.command()
@click.argument("file", metavar="FILE", type=_file)
@click.argument("attribute", metavar="ATTRIBUTE", type=utf8)
@click.argument("value", metavar="VALUE", type=utf8)
@click.option("--description", metavar="TEXT", type=utf8, help="Description of the value.")
@edit_options
def add_value(file: Path, attribute: str, value: str, editing: Editing, description: str | None) -> int:
    """Add VALUE to the choice attribute ATTRIBUTE, a name or an id, of the model in FILE.

    Its code is one more than the greatest code of the attribute: codes of removed values stay unused.

    \b
    Examples:
      findingmodel model add-value defs/mass.fm.json margin lobulated
      findingmodel model add-value defs/mass.fm.json OIFMA_ABCD_123456 lobulated --description "wavy"
    """
    from findingmodel.author import edit_attributes

    async def plan(place: Place) -> Edit:
        return edit_attributes.add_value(file, attribute, value, description=description)

    return editing.run(file, plan)


@click.command()
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=_file)
@click.option("--add", metavar="PAIR", type=utf8, multiple=True, help="A pair to add; repeatable.")
@click.option("--remove", metavar="PAIR", type=utf8, multiple=True, help="A pair to remove; repeatable.")
@edit_options
def change_from_prior(
    files: tuple[Path, ...], editing: Editing, add: tuple[str, ...], remove: tuple[str, ...]
) -> int:
    """Give the models in FILE the attribute "change from prior", or choose its values.

    Every model keeps the core values unchanged, stable, new and resolved, and gets those that it lacks. The
    pairs are larger/smaller, increased/decreased and worsened/improved; one word stands for its pair. The
    attribute is created with a new id where it is missing; all other ids and codes stay.

    \b
    Examples:
      findingmodel model change-from-prior defs/mass.fm.json --add larger
      findingmodel model change-from-prior defs/*.fm.json --remove increased/decreased --dry-run
    """
    from findingmodel.author import edit_attributes

    return editing.run(
        files[0],
        lambda place: edit_attributes.change_from_prior(files, add=add, remove=remove, place=place),
    )


@click.command()
@click.argument("file", metavar="FROM", type=_file)
@click.argument("into", metavar="INTO", type=_file)
@edit_options
def merge(file: Path, into: Path, editing: Editing) -> int:
    """Merge the model in the file FROM into the one in the file INTO, which replaces it.

    INTO gets the names, tags, codes, contributors and attributes that only FROM has. Attributes of the same
    name and type become one, with the id that INTO has. INTO records the id of FROM in "replaces": after the
    next update an index finds it by both. FROM stays beside it as FROM.retired, which updates do not read.

    \b
    Examples:
      findingmodel model merge defs/ptx.fm.json defs/pneumothorax.fm.json --dry-run
      findingmodel model merge defs/ptx.fm.json defs/pneumothorax.fm.json
    """
    from findingmodel.author import merge as merging

    async def plan(place: Place) -> Edit:
        return merging.merge(file, into)

    return editing.run(file, plan)


@click.command()
@click.argument("file", metavar="FILE", type=_file)
@click.option("--by", metavar="ID", type=utf8, required=True, help="Id of the model that replaces it.")
@edit_options
def deprecate(file: Path, by: str, editing: Editing) -> int:
    """Retire the model in FILE: from the next update on, an index resolves its id to the model ID.

    The file of ID, which is looked for in the collection, records the id in "replaces". FILE stays as
    FILE.retired, which updates do not read. Nothing else changes; use merge to take over its content.

    \b
    Examples:
      findingmodel model deprecate defs/ptx.fm.json --by OIFM_ABCD_123456
    """
    from findingmodel.author import merge as merging

    async def plan(place: Place) -> Edit:
        return merging.deprecate(file, by, place=place)

    return editing.run(file, plan)
