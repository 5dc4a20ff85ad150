"""``findingmodel model draft``."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli.options import completing, index_options, utf8
from findingmodel.cli.screen import Column, Screen, one_line, visible
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any, TextIO

    from findingmodel.author.draft import ColumnDraft
    from findingmodel.settings import Settings

_STREAM = "-"
_COLUMNS = (
    *(Column("column", bold=True), Column("kind", wraps=False), Column("cells", wraps=False, right=True)),
    *(Column("attribute"), Column("note")),
)
_EVERY_MODEL = ("presence", "change from prior")


@click.command()
@click.argument("name", metavar="NAME", type=utf8)
@click.option(
    "--from",
    "table",
    metavar="TABLE.csv",
    required=True,
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Table with a header and a row per observation; - is standard input.",
)
@click.option(
    "--source",
    metavar="CODE",
    shell_complete=completing("organizations"),
    help="Code of the organization that issues the ids; needed to write the file.",
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
    "--include", metavar="COL", type=utf8, multiple=True, help="Draft it although it looks like an id."
)
@click.option("--exclude", metavar="COL", type=utf8, multiple=True, help="Leave this column out; repeatable.")
@click.option("--dry-run", is_flag=True, help="Show the columns, and write nothing.")
@index_options
def draft(
    screen: Screen,
    name: str,
    table: str,
    source: str | None,
    into: Path,
    description: str | None,
    include: tuple[str, ...],
    exclude: tuple[str, ...],
    dry_run: bool,
    settings: Settings,
) -> int:
    """Create a model NAME with an attribute for each column of TABLE.csv that describes the finding.

    A column becomes a number, with a unit that its heading or its cells state, or a choice of its values, the
    most frequent first. Free text, dates, and columns that may identify a patient, a study or a person are
    left out. The table is read once, as far as needed; a file of any size, or a pipe, will do.

    The model also has the attributes "presence" and "change from prior". Read the draft: the table shows what
    was observed, not what may be.

    \b
    Examples:
      findingmodel model draft "pleural plaque" --from observations.csv --dry-run
      findingmodel model draft "pleural plaque" --from observations.csv --source ABCD --into defs
      zcat observations.csv.gz | findingmodel model draft "pleural plaque" --from - --source ABCD
    """
    from findingmodel.author.draft import draft_attributes
    from findingmodel.author.new import new_model
    from findingmodel.model.draft import PLACEHOLDER

    if source is None and not dry_run:
        raise click.UsageError("--source is needed to write the file; --dry-run only shows the columns.")
    with _opened(table) as lines:
        columns = draft_attributes(lines, include=include, exclude=exclude)
    _refuse_unknown(columns, (*include,))
    attributes, notes = _attributes(columns)
    file, oifm_id = None, None
    if not dry_run:
        text = description or PLACEHOLDER
        created = ask(
            settings,
            lambda store: new_model(store, into, name, source or "", description=text, attributes=attributes),
        )
        file, oifm_id = str(created.path), created.model.oifm_id
    if screen.as_json:
        facts = [column.as_dict() for column in columns]
        screen.json({"file": file, "oifm_id": oifm_id, "columns": facts, "notes": notes, "dry_run": dry_run})
        return 0
    screen.results(None, _COLUMNS, [_row(column) for column in columns])
    for note in notes:
        screen.note(note)
    screen.note(visible(f"wrote {file}: {oifm_id}  {one_line(name)}") if file else "nothing was written")
    return 0


@contextmanager
def _opened(table: str) -> Iterator[TextIO]:
    """Open the table as text; bytes that are not UTF-8 are read as Western Windows writes them."""
    import io

    if table != _STREAM:
        with open(table, "rb") as file:  # noqa: PTH123  # click has checked the path as a string
            yield io.TextIOWrapper(file, encoding=_encoding(table), newline="", errors="replace")
        return
    yield io.TextIOWrapper(sys.stdin.buffer, encoding="utf-8-sig", newline="", errors="replace")


def _encoding(table: str) -> str:
    with open(table, "rb") as file:  # noqa: PTH123
        start = file.read(65_536)
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        start.decode()
    except UnicodeDecodeError as error:
        return "cp1252" if error.start < len(start) - 3 else "utf-8-sig"
    return "utf-8-sig"


def _refuse_unknown(columns: list[ColumnDraft], names: tuple[str, ...]) -> None:
    known = [column.column for column in columns]
    for name in names:
        if name not in known:
            raise click.UsageError(f"there is no column {name!r}; the columns are {', '.join(known)}.")


def _attributes(columns: list[ColumnDraft]) -> tuple[list[dict[str, Any]], list[str]]:
    """Return the attributes to add, and a note on each column that the model has an attribute for already."""
    attributes: dict[str, dict[str, Any]] = {}
    notes = []
    for column in columns:
        if column.attribute is None:
            continue
        key = column.attribute["name"].casefold()
        if key in _EVERY_MODEL or key in attributes:
            reason = "every model has" if key in _EVERY_MODEL else "another column became"
            notes.append(f"{column.column}: {reason} the attribute {key!r}")
        else:
            attributes[key] = column.attribute
    return list(attributes.values()), notes


def _row(column: ColumnDraft) -> tuple[str, ...]:
    attribute = column.attribute
    says = "" if attribute is None else one_line(f"{attribute['name']}: {_says(attribute)}")
    return one_line(column.column), column.kind, f"{column.filled:,}", says, one_line(column.note)


def _says(attribute: dict[str, Any]) -> str:
    """Return what the attribute allows: ``number, mm`` or ``smooth | spiculated``."""
    if "values" not in attribute:
        return ", ".join(["number", *([attribute["unit"]] if "unit" in attribute else [])])
    several = f" (up to {attribute['max_selected']})" if attribute["max_selected"] > 1 else ""
    return " | ".join(value["name"] for value in attribute["values"]) + several
