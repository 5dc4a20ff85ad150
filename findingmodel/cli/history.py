"""``findingmodel index history``: what was done to the index, from its ledger."""

from __future__ import annotations

from contextlib import suppress
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.screen import Column
from findingmodel.cli.text import counted, one_line, to_json

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings

__all__ = ["history"]

_COLUMNS = (
    Column("when", wraps=False),
    Column("outcome", wraps=False, bold=True),
    Column("what"),
    Column("by"),
    Column("of", cut=True),
)


@click.command()
@click.option("--limit", type=click.IntRange(1), default=20, show_default=True, help="Most notes to show.")
@database_options
@json_option
@screen_options
@click.pass_obj
def history(screen: Screen, limit: int, settings: Settings, as_json: bool) -> int:
    """Show what was done to the index, the newest first.

    Each update and each write that changed something, failed or was refused is noted in a ledger: a file
    beside the SQLite file, and for MongoDB one in your state directory, so that it tells what was done from
    here. Its settings are ledger, ledger_max_bytes and ledger_keep. What has begun and not ended is still
    being done, or was killed. Times are those of the clock here; with --json they are in UTC.

    \b
    Examples:
      findingmodel index history
      findingmodel index history --limit 1 --json
    """
    from findingmodel.observe.ledger import BEGUN, place_of, read_history

    place = place_of(settings)
    notes, torn = read_history(place, limit=limit)
    if as_json:
        click.echo(to_json(notes))
    else:
        screen.table(_COLUMNS, [_row(note) for note in notes])
    open_ones = sum(note["outcome"] == BEGUN for note in notes)
    if open_ones:
        screen.note(f"{counted(open_ones, 'update')} begun and not ended: still at work, or killed")
    if torn:
        screen.note(f"{counted(torn, 'line')} of the ledger cut short, when the writer was killed")
    if not notes:
        screen.note("no ledger is kept" if place.path is None else f"nothing is noted in {place.path}")
    return 0


def _row(note: dict[str, Any]) -> tuple[str, ...]:
    by = f"{note.get('user', '?')}@{note.get('host', '?')}"
    about = next((str(note[key]) for key in ("directory", "file", "model") if key in note), "")
    return (
        _local(str(note.get("at", ""))),
        str(note["outcome"]),
        one_line(_what(note)),
        one_line(by),
        one_line(about),
    )


def _local(at: str) -> str:
    """Return a time of the ledger, which is in UTC, as the clock here showed it."""
    with suppress(ValueError):
        at = datetime.fromisoformat(at).astimezone().isoformat(" ")
    return at[:19]


def _what(note: dict[str, Any]) -> str:
    """Return what was done, or why it was not, in a few words."""
    if "error" in note:
        return f"{note.get('action')}: {note['error']}"
    if "refused" in note:
        return f"{note.get('action')}: {note['refused']['reason']}"
    counts = ", ".join(f"{name} {count:,}" for name, count in note.get("counts", {}).items() if count)
    return f"{note.get('action')}: {counts}".removesuffix(": ")
