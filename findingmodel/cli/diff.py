"""``findingmodel index diff``."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import (
    directory_argument,
    index_options,
    rehash_option,
    remove_option,
)
from findingmodel.cli.screen import Screen, one_line, visible
from findingmodel.cli.update import show_failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from findingmodel.model.difference import Difference
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.update.diff import DiffReport, ModelChange

_SIGNS = {"added": "+", "updated": "~", "moved": ">", "removed": "-"}
_SIDES = {"added": "+", "removed": "-", "changed": "-+"}  # the values of a difference: old, new or both
_IDENTIFYING = ("name", "oifma_id", "value_code", "system", "code", "display")
_MAX_LENGTH = 100


@click.command()
@directory_argument
@rehash_option
@remove_option
@index_options
def diff(screen: Screen, directory: Path, rehash: bool, remove: bool, settings: Settings) -> int:
    """Show what an update from DIR would change, model by model and field by field; nothing is written.

    Attributes are compared by id and values by code, whatever their order. For an added or removed one the
    name and id are shown; -v shows all of it.

    In a pipe each line has tab-separated fields: kind of change, id, name and file; for a changed model also
    the place, the old and the new value as JSON (attributes and values by name and id), and for a file that
    fails a pointer, a code and a message.

    \b
    Examples:
      findingmodel index diff defs
      findingmodel index diff defs | grep ^removed
      findingmodel index diff defs --json > diff.json

    Exit code 1 means that files fail, or that the update would be refused.
    """
    from findingmodel.cli.session import ask_in_loop
    from findingmodel.update.diff import diff as find_differences
    from findingmodel.update.options import UpdateOptions

    options = UpdateOptions.of(settings, rehash=rehash, remove=remove)

    async def question(store: Store) -> DiffReport:
        return await find_differences(store, directory, options, progress=progress)

    with screen.progress("comparing") as progress:
        report = ask_in_loop(settings, question)
    if screen.as_json:
        screen.json(report.as_dict())
    else:
        _show(screen, report)
    return 0 if report.ok else 1


def _show(screen: Screen, report: DiffReport) -> None:
    if screen.width is not None:
        for change in report.changes:
            click.echo("\n".join(_block(change, width=screen.width, whole=screen.verbose)))
        show_failed(screen, report.failed)
    else:
        for line in _lines(report):
            click.echo("\t".join(map(one_line, line)))
    failed = {"failed": len(report.failed)} if report.failed else {}
    counts = report.counts() | {"unchanged": report.unchanged} | failed
    screen.note("would be " + ", ".join(f"{kind} {count:,}" for kind, count in counts.items()))
    if report.refused is not None:
        click.echo(f"Refused: {visible(report.refused.message)}", err=True)


def _lines(report: DiffReport) -> Iterator[tuple[str, ...]]:
    """Yield the fields of each line for a pipe."""
    for change in report.changes:
        head = (change.kind, change.oifm_id, change.name, change.path)
        if change.former_path is not None:
            yield *head, "filename", as_json(change.former_path), as_json(change.path)
        for field in change.fields:
            yield *head, field.place, as_json(identifying(field.old)), as_json(identifying(field.new))
        if not change.fields and change.former_path is None:
            yield head
    for file in report.failed:
        for problem in file.problems:
            yield "failed", "", "", file.path, *problem


def _block(change: ModelChange, *, width: int, whole: bool) -> Iterator[str]:
    """Yield the lines of one change for a terminal."""
    yield f"{_SIGNS[change.kind]} {change.kind:<8} {change.oifm_id}  {one_line(change.name)}"
    if change.former_path is not None:
        yield f"    filename: {visible(change.former_path)} -> {visible(change.path)}"
    for field in change.fields:
        yield from field_lines(field, width=width, whole=whole)
    if change.kind == "updated" and not change.fields and change.former_path is None:
        yield "    layout only"


def field_lines(field: Difference, *, width: int, whole: bool) -> Iterator[str]:
    """Yield the difference of a field: on one line if it fits, else the old value above the new one."""
    import textwrap

    place = f"    {one_line(field.place)}:"
    if field.kind == "reordered":
        yield f"{place} in another order"
        return
    values = {"-": field.old, "+": field.new}
    sides = {sign: _shortened(values[sign], whole) for sign in _SIDES[field.kind]}
    text = " -> ".join(sides.values()) if len(sides) > 1 else " ".join(*sides.items())
    if len(place) + len(text) + 1 < width:
        yield f"{place} {text}"
        return
    yield place
    for sign, text in sides.items():
        line = f"      {sign} {text}"
        yield from textwrap.wrap(line, width - 1, subsequent_indent=" " * 8, break_on_hyphens=False)


def _shortened(value: Any, whole: bool) -> str:
    """Return *value* on one line: text in full, anything else cut to what identifies it."""
    text = one_line(as_json(value if whole else identifying(value)))
    is_short = whole or isinstance(value, str) or len(text) <= _MAX_LENGTH
    return text if is_short else f"{text[: _MAX_LENGTH - 1]}…"


def identifying(value: Any) -> Any:
    """Return the identifying fields of an attribute, value, code or contributor; other values unchanged."""
    if not isinstance(value, dict):
        return value
    return {field: value[field] for field in _IDENTIFYING if field in value} or value


def as_json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
