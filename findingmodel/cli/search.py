"""``findingmodel search``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.options import database_options, json_option, screen_options, utf8
from findingmodel.cli.screen import Column
from findingmodel.cli.session import ask
from findingmodel.cli.text import one_line, to_json

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings
    from findingmodel.search.hits import HitRow

__all__ = ["search"]

_COLUMNS = (
    Column("id", wraps=False),
    Column("name", bold=True),
    Column("score", wraps=False, right=True),
    Column("found by"),
)
_WHOLE = ("exact", "label")  # stages that compare whole names
_SHOWN = ("id", "name", "slug")  # fields that the row shows anyway


@click.command()
@click.argument("query", metavar="QUERY", type=utf8)
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Most hits to show.")
@click.option(
    "--tag", "tags", metavar="T", type=utf8, multiple=True, help="Only models with this tag; repeatable."
)
@database_options
@json_option
@screen_options
@click.pass_obj
def search(
    screen: Screen, query: str, limit: int, tags: tuple[str, ...], settings: Settings, as_json: bool
) -> int:
    """Find models by name, synonym, or words of their description and attributes, best first.

    In a pipe each line is an id, a name, a score and what it was found by, separated by tabs.

    \b
    Examples:
      findingmodel search "clot in lung artery"
      findingmodel search nodule --tag chest --limit 3
      findingmodel search PE --json

    No hit is no error: the answer is empty, and the exit code 0.
    """
    from findingmodel.search.engine import search as find

    hits = ask(settings, lambda store: find(store, query, limit=limit, tags=tags))
    if as_json:
        click.echo(to_json([_as_dict(hit) for hit in hits]))
        return 0
    screen.table(_COLUMNS, [_row(hit) for hit in hits])
    if not hits:
        screen.note(f"nothing found for {query!r}")
    return 0


def _row(hit: HitRow) -> tuple[str, str, str, str]:
    return hit.entry["oifm_id"], one_line(hit.entry["name"]), f"{hit.score:.2f}", _reason(hit)


def _reason(hit: HitRow) -> str:
    """Say in a few words why *hit* was found: by a whole name or synonym if so, else by words of a field."""
    whole = [match for match in hit.matched if match.stage in _WHOLE]
    best = next(iter([*whole, *hit.matched]), None)
    if best is None:
        return ""
    reason = best.field if best.field in _SHOWN else f"{best.field}: {one_line(' '.join(best.terms))}"
    return f"{reason} (denied)" if hit.negated else reason


def _as_dict(hit: HitRow) -> dict[str, Any]:
    facts = hit._asdict()
    return {**facts.pop("entry"), **facts, "matched": [match._asdict() for match in hit.matched]}
