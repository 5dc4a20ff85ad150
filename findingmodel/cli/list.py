"""``findingmodel index list``, ``branches``, ``tags``, ``contributors`` and ``duplicates``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli.hints import empty_hint, with_empty_hint
from findingmodel.cli.options import index_options
from findingmodel.cli.screen import Column, Screen, counted, one_line
from findingmodel.cli.session import ask, ask_database

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.search.duplicates import Duplicate, Reason
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

_COLUMNS = (Column("id", wraps=False), Column("name", bold=True), Column("file", cut=True))
_SORTS = ("name", "oifm_id", "filename")


@click.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most models to list.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="Models to skip.")
@click.option(
    "--sort", type=click.Choice(_SORTS), default="name", show_default=True, help="Field to sort by."
)
@click.option("--desc", is_flag=True, help="Sort in descending order.")
@index_options
def list_entries(screen: Screen, limit: int, offset: int, sort: str, desc: bool, settings: Settings) -> None:
    """List the models of the index, a page at a time.

    In a pipe each line is an id, a name and a file, separated by tabs.

    \b
    Examples:
      findingmodel index list --limit 20
      findingmodel index list --sort filename --offset 100
      findingmodel index list --limit 100000 | cut -f 1
    """

    async def question(store: Store) -> tuple[int, list[EntryRow], str]:
        page = await store.page(sort=sort, descending=desc, offset=offset, limit=limit)
        return (await store.counts()).models, page, "" if page else await empty_hint(store, settings)

    total, page, hint = ask(settings, question)
    rows = [(row["oifm_id"], one_line(row["name"]), row["filename"]) for row in page]
    nothing = f"nothing to list: the index holds {counted(total, 'model')}"
    screen.results(page, _COLUMNS, rows, if_empty=hint or nothing)
    last = offset + len(page)
    if rows and last < total and not screen.as_json:
        screen.note(f"{offset + 1:,} to {last:,} of {total:,}; continue with --offset {last}")


_BRANCH_COLUMNS = (Column("branch", bold=True), Column("models", wraps=False, right=True))


@click.command()
@index_options
def branches(screen: Screen, settings: Settings) -> None:
    """Count the models of each branch in the database.

    A branch is an index of its own. Every command that opens an index takes --branch; without it, the branch
    is main. In a pipe each line is a branch, a tab and a number.

    \b
    Examples:
      findingmodel index branches
      findingmodel index branches --db mongodb://localhost/findingmodels --json
    """
    from findingmodel.stores import branch_sizes

    sizes = ask_database(settings, branch_sizes)
    facts = [{"branch": branch, "models": models} for branch, models in sizes.items()]
    rows = [(one_line(branch), str(models)) for branch, models in sizes.items()]
    hint = "" if sizes else ask(settings, lambda store: empty_hint(store, settings))
    screen.results(facts, _BRANCH_COLUMNS, rows, if_empty=hint)


_TAG_COLUMNS = (Column("tag", bold=True), Column("models", wraps=False, right=True))


@click.command()
@index_options
def tags(screen: Screen, settings: Settings) -> None:
    """Count the models of each tag, the most frequent tag first.

    Tags that differ only in case or accents count as one, as in search --tag. In a pipe each line is a tag, a
    tab and a number.

    \b
    Examples:
      findingmodel index tags | head
      findingmodel index tags --json
    """
    from findingmodel.search.facets import count_tags

    counts, hint = ask(settings, lambda store: with_empty_hint(store, settings, count_tags))
    facts = [{"tag": tag, "models": models} for tag, models in counts.items()]
    rows = [(one_line(tag), str(models)) for tag, models in counts.items()]
    screen.results(facts, _TAG_COLUMNS, rows, if_empty=hint or "the index holds no tags")


_CONTRIBUTOR_COLUMNS = (
    *(Column("contributor", wraps=False, bold=True), Column("name")),
    *(Column("kind", wraps=False), Column("organization", wraps=False)),
    Column("models", wraps=False, right=True),
)


@click.command()
@index_options
def contributors(screen: Screen, settings: Settings) -> None:
    """Count the models of each person and organization, the most frequent contributor first.

    In a pipe each line is a user name or code, a name, the kind, the organization and a number, separated by
    tabs.

    \b
    Examples:
      findingmodel index contributors
      findingmodel index contributors --json
    """
    from findingmodel.search.facets import count_contributors

    counts, hint = ask(settings, lambda store: with_empty_hint(store, settings, count_contributors))
    facts = [count._asdict() for count in counts]
    rows = [
        (one_line(row.key), one_line(row.name), row.kind, one_line(row.organization or ""), str(row.models))
        for row in counts
    ]
    screen.results(facts, _CONTRIBUTOR_COLUMNS, rows, if_empty=hint or "the index holds no contributors")


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
@index_options
def duplicates(screen: Screen, limit: int, min_score: float, settings: Settings) -> None:
    """Find pairs of models that may describe the same finding, the likeliest first.

    Two models are a pair if their names differ only in form or by a typo, if the name of one is a synonym of
    the other, or if they share synonyms or codes. "Similar" names are only spelled alike, and may well be two
    findings. Each reason adds to the score, which is at most 1. In a pipe each line is a score, an id, a
    name, the other id and name, and the reasons, separated by tabs.

    \b
    Examples:
      findingmodel index duplicates
      findingmodel index duplicates --min-score 0.9 --json
    """
    from findingmodel.search.duplicates import find_duplicates

    async def question(store: Store) -> list[Duplicate]:
        return await find_duplicates(store, limit=limit + 1, min_score=min_score, progress=progress)

    with screen.progress("comparing") as progress:
        pairs, hint = ask(settings, lambda store: with_empty_hint(store, settings, question))
    facts = [pair.as_dict() for pair in pairs[:limit]]
    rows_of = _two_rows if screen.is_terminal else _one_row
    rows = [row for pair in pairs[:limit] for row in rows_of(pair)]
    screen.results(facts, _DUPLICATE_COLUMNS, rows, if_empty=hint or "no two models are alike")
    if len(pairs) > limit and not screen.as_json:
        screen.note(f"showing the likeliest {limit:,}; --limit shows more")


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
