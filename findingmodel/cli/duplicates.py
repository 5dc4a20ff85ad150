"""``findingmodel index duplicates``: models that may be the same, and pairs that are known not to be."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from findingmodel.cli.hints import with_empty_hint
from findingmodel.cli.options import completing, index_options
from findingmodel.cli.screen import Column, Screen, counted, one_line, visible
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.search.duplicates import Duplicate, Reason
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow


_DUPLICATE_COLUMNS = (
    *(Column("score", wraps=False, right=True), Column("id", wraps=False)),
    *(Column("name", bold=True), Column("why")),
)
_REASONS = {"name": "names", "name-synonym": "name and synonym", "synonym": "synonyms", "code": "codes"}


@click.command()
@click.option("--limit", type=click.IntRange(1), default=50, show_default=True, help="Most pairs to show.")
@click.option(
    "--min-score",
    type=click.FloatRange(0, 1),
    default=0.4,
    show_default=True,
    help="Leave out pairs with a lower score.",
)
@click.option(
    "--of", "key", metavar="KEY", shell_complete=completing("models"), help="Only pairs of this model."
)
@click.option(
    "--not",
    "keys",
    metavar="KEY KEY",
    nargs=2,
    shell_complete=completing("models"),
    help="Record that two models are not duplicates.",
)
@click.option(
    "--pairs",
    metavar="FILE",
    type=click.Path(dir_okay=False, path_type=Path),
    help="File of pairs that are not duplicates; default not-duplicates.txt of the collection.",
)
@index_options
def duplicates(
    screen: Screen,
    limit: int,
    min_score: float,
    key: str | None,
    keys: tuple[str, str] | None,
    pairs: Path | None,
    settings: Settings,
) -> None:
    """Find pairs of models that may describe the same finding, the likeliest first.

    Two models are a pair if their names differ only in form or by a typo, if the name of one is a synonym of
    the other, or if they share synonyms or codes. "Similar" names are only spelled alike, and may well be two
    findings. Each reason adds to the score, which is at most 1. Opposites, such as left and right, are not a
    pair. In a pipe each line is a score, an id, a name, the other id and name, and the reasons, separated by
    tabs.

    Pairs that were recorded with --not are left out. They are kept in not-duplicates.txt beside the
    .findingmodel.toml of the current directory or above it, or else in the current directory: two ids on a
    line, and a comment.

    \b
    Examples:
      findingmodel index duplicates
      findingmodel index duplicates --of "pulmonary embolism"
      findingmodel index duplicates --min-score 0.9 --json
      findingmodel index duplicates --not OIFM_SMPL_000022 OIFM_SMPL_000042
    """
    from findingmodel.author.lint.config import load_config

    file = pairs or load_config(Path()).not_duplicates
    if keys is not None:
        _record(screen, settings, file, keys)
    else:
        _find(screen, settings, file, limit, min_score, key)


def _record(screen: Screen, settings: Settings, file: Path, keys: tuple[str, str]) -> None:
    """Add a pair to *file*."""
    from findingmodel.author.not_duplicates import add_pair
    from findingmodel.search.lookup import find_one

    async def question(store: Store) -> tuple[EntryRow, EntryRow]:
        return await find_one(store, keys[0]), await find_one(store, keys[1])

    first, second = ask(settings, question)
    is_new = add_pair(file, first, second)
    if screen.as_json:
        ids = sorted(entry["oifm_id"] for entry in (first, second))
        screen.json({"file": str(file), "pair": ids, "added": is_new})
    else:
        verb = "added to" if is_new else "is already in"
        names = f"{one_line(first['name'])} and {one_line(second['name'])}"
        click.echo(visible(f"{names}: {verb} {file}"))


def _find(
    screen: Screen, settings: Settings, file: Path, limit: int, min_score: float, key: str | None
) -> None:
    """Print the likeliest pairs that are not in *file*."""
    from findingmodel.author.not_duplicates import read_pairs
    from findingmodel.search.duplicates import find_duplicates
    from findingmodel.search.lookup import find_one

    known = read_pairs(file)

    async def question(store: Store) -> list[Duplicate]:
        of = None if key is None else (await find_one(store, key))["oifm_id"]
        return await find_duplicates(
            store, limit=limit + 1, min_score=min_score, of=of, known=known, progress=progress
        )

    with screen.progress("comparing") as progress:
        pairs, hint = ask(settings, lambda store: with_empty_hint(store, settings, question))
    facts = [pair.as_dict() for pair in pairs[:limit]]
    rows_of = _two_rows if screen.is_terminal else _one_row
    rows = [row for pair in pairs[:limit] for row in rows_of(pair)]
    screen.results(facts, _DUPLICATE_COLUMNS, rows, if_empty=hint or "no two models are alike")
    if len(pairs) > limit and not screen.as_json:
        screen.note(f"showing the likeliest {limit:,}; --limit shows more")
    if known:
        screen.detail(f"{counted(len(known), 'pair')} in {file} left out")


def _one_row(pair: Duplicate) -> Iterator[tuple[str, ...]]:
    yield f"{pair.score:.2f}", *_id_and_name(pair.first), *_id_and_name(pair.second), _why(pair.reasons)


def _two_rows(pair: Duplicate) -> Iterator[tuple[str, ...]]:
    """Yield the models one below the other, for a terminal, each with some of the reasons."""
    yield f"{pair.score:.2f}", *_id_and_name(pair.first), _why(pair.reasons[:1])
    yield "", *_id_and_name(pair.second), _why(pair.reasons[1:])


def _id_and_name(model: EntryRow) -> tuple[str, str]:
    return model["oifm_id"], one_line(model["name"])


def _why(reasons: Sequence[Reason]) -> str:
    parts = []
    for reason in reasons:
        first, second = one_line(reason.first), one_line(reason.second)
        texts = first if first.casefold() == second.casefold() else f"{first} / {second}"
        parts.append(f"{'' if reason.equal else 'similar '}{_REASONS[reason.kind]}: {texts}")
    return "; ".join(parts)
