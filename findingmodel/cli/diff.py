"""``findingmodel index diff``."""

from __future__ import annotations

import json
import shutil
import textwrap
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import (
    database_options,
    directory_argument,
    json_option,
    rehash_option,
    remove_option,
    screen_options,
)
from findingmodel.cli.screen import one_line, to_json, visible
from findingmodel.cli.update import show_failed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from findingmodel.cli.screen import Screen
    from findingmodel.model.difference import Difference
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.update.diff import DiffReport, ModelChange

__all__ = ["diff"]

_SIGNS = {"added": "+", "updated": "~", "moved": ">", "removed": "-"}
_LONGEST = 100


@click.command()
@directory_argument
@rehash_option
@remove_option
@database_options
@json_option
@screen_options
@click.pass_obj
def diff(
    screen: Screen, directory: Path, rehash: bool, remove: bool, settings: Settings, as_json: bool
) -> int:
    """Show what an update from DIR would do, model by model and field by field; nothing is written.

    Attributes are told apart by their ids and values by their codes, whatever their order. Of one that was
    added or removed name and id are shown; -v shows it whole. In a pipe each line has these fields, separated
    by tabs: kind of change, id, name, file, and for a changed model the place, the value before and the value
    after, as JSON (of an attribute or a value its name and id); a file that fails has a pointer, a code and a
    message there.

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

    async def answer(store: Store) -> DiffReport:
        return await find_differences(store, directory, options, progress=progress)

    with screen.progress("comparing") as progress:
        report = ask_in_loop(settings, answer)
    if as_json:
        click.echo(to_json(report.as_dict()))
    else:
        _show(screen, report)
    return 0 if report.ok else 1


def _show(screen: Screen, report: DiffReport) -> None:
    if screen.is_terminal:
        width = shutil.get_terminal_size().columns
        for change in report.changes:
            click.echo("\n".join(_block(change, width=width, whole=screen.verbose)))
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
    for change in report.changes:
        head = (change.kind, change.oifm_id, change.name, change.path)
        if change.former_path is not None:
            yield *head, "filename", _json(change.former_path), _json(change.path)
        for field in change.fields:
            yield *head, field.place, _json(_gist(field.old)), _json(_gist(field.new))
        if not change.fields and change.former_path is None:
            yield head
    for file in report.failed:
        for problem in file.problems:
            yield "failed", "", "", file.path, *problem


def _block(change: ModelChange, *, width: int, whole: bool) -> Iterator[str]:
    """Yield the lines that show one change to a person."""
    yield f"{_SIGNS[change.kind]} {change.kind:<8} {change.oifm_id}  {one_line(change.name)}"
    if change.former_path is not None:
        yield f"    filename: {visible(change.former_path)} -> {visible(change.path)}"
    for field in change.fields:
        yield from _told(field, width=width, whole=whole)
    if change.kind == "updated" and not change.fields and change.former_path is None:
        yield "    layout only"


def _told(field: Difference, *, width: int, whole: bool) -> Iterator[str]:
    """Yield what became of a field: in one line if that is wide enough, else what was above what is."""
    place = f"    {one_line(field.place)}:"
    if field.kind == "reordered":
        yield f"{place} in another order"
        return
    values = {"-": field.old, "+": field.new}
    sides = {sign: _shown(values[sign], whole) for sign in _SIDES[field.kind]}
    told = " -> ".join(sides.values()) if len(sides) > 1 else " ".join(*sides.items())
    if len(place) + len(told) + 1 < width:
        yield f"{place} {told}"
        return
    yield place
    for sign, text in sides.items():
        line = f"      {sign} {text}"
        yield from textwrap.wrap(line, width - 1, subsequent_indent=" " * 8, break_on_hyphens=False)


_SIDES = {"added": "+", "removed": "-", "changed": "-+"}
"""Which sides a difference has: what was, what is, or both."""


def _shown(value: Any, whole: bool) -> str:
    """Return *value* in a line: text as it is, and of anything else what it is known by."""
    text = one_line(_json(value if whole else _gist(value)))
    is_short = whole or isinstance(value, str) or len(text) <= _LONGEST
    return text if is_short else f"{text[: _LONGEST - 1]}…"


def _gist(value: Any) -> Any:
    """Return what an attribute, value, code or contributor is known by, and any other value as it is."""
    known = {field: value[field] for field in _KNOWN_BY if field in value} if isinstance(value, dict) else {}
    return known or value


_KNOWN_BY = ("name", "oifma_id", "value_code", "system", "code", "display")


def _json(value: Any) -> str:
    return "" if value is None else json.dumps(value, ensure_ascii=False)
