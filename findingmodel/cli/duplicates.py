"""``findingmodel index duplicates``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli.hints import or_hint
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.screen import Column, one_line, to_json
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.cli.screen import Screen
    from findingmodel.search.duplicates import Duplicate, Reason
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["duplicates"]

_COLUMNS = (
    Column("score", wraps=False, right=True),
    Column("id", wraps=False),
    Column("name", bold=True),
    Column("why"),
)
_WORDS = {"name": "names", "name-synonym": "name and synonym", "synonym": "synonyms", "code": "codes"}


@click.command()
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most pairs to show.")
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=0.4,
    show_default=True,
    help="Leave out what is less likely.",
)
@database_options
@json_option
@screen_options
@click.pass_obj
def duplicates(screen: Screen, limit: int, min_score: float, settings: Settings, as_json: bool) -> int:
    """Find models that may describe one and the same finding, the likeliest first.

    Two models are a pair if their names are alike but for form or a typo, if the name of one is a synonym of
    the other, or if they share synonyms or codes. "Similar" ones are only spelt alike, and may well be two
    findings. Each reason adds to the score, which is at most 1. In a pipe each line is a score, an id, a
    name, the other id and name, and the reasons, separated by tabs.

    \b
    Examples:
      findingmodel index duplicates
      findingmodel index duplicates --min-score 0.9 --json
    """
    from findingmodel.search.duplicates import find_duplicates

    async def answer(store: Store) -> list[Duplicate]:
        return await find_duplicates(store, limit=limit + 1, min_score=min_score, progress=progress)

    with screen.progress("comparing") as progress:
        some, hint = ask(settings, lambda store: or_hint(store, settings, answer))
    found = some[:limit]
    if as_json:
        click.echo(to_json([pair.as_dict() for pair in found]))
        return 0
    rows = _two_lines if screen.is_terminal else _one_line
    screen.table(_COLUMNS, [row for pair in found for row in rows(pair)])
    if not found:
        screen.note(hint or "no two models are alike")
    if len(some) > limit:
        screen.note(f"the likeliest {limit:,} only; --limit shows more")
    return 0


def _one_line(pair: Duplicate) -> Iterator[tuple[str, ...]]:
    yield f"{pair.score:.2f}", *_known_by(pair.first), *_known_by(pair.second), _why(pair.reasons)


def _two_lines(pair: Duplicate) -> Iterator[tuple[str, ...]]:
    """Yield the models one below the other, where a terminal has no room for both, and their reasons."""
    yield f"{pair.score:.2f}", *_known_by(pair.first), _why(pair.reasons[:1])
    yield "", *_known_by(pair.second), _why(pair.reasons[1:])


def _known_by(model: EntryRow) -> tuple[str, str]:
    return model["oifm_id"], one_line(model["name"])


def _why(reasons: Sequence[Reason]) -> str:
    return "; ".join(map(_told, reasons))


def _told(reason: Reason) -> str:
    first, second = one_line(reason.first), one_line(reason.second)
    alike = "" if reason.equal else "similar "
    return f"{alike}{_WORDS[reason.kind]}: {first}" + (
        f" / {second}" if second.casefold() != first.casefold() else ""
    )
