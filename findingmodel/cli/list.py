"""``findingmodel index list``, ``branches``, ``tags`` and ``contributors``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli.hints import empty_hint, with_empty_hint
from findingmodel.cli.options import index_options, tag_option, utf8
from findingmodel.cli.screen import Column, Screen, one_line
from findingmodel.cli.session import ask, ask_database

if TYPE_CHECKING:
    from collections.abc import Mapping

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
@tag_option("Only models with this tag; repeatable, and all must match.")
@click.option(
    "--contributor",
    "contributors",
    metavar="KEY",
    type=utf8,
    multiple=True,
    help="Only models of this GitHub user name or organization code; repeatable, and one must match.",
)
@click.option(
    "--modality",
    "modalities",
    metavar="M",
    type=utf8,
    multiple=True,
    help="Only models with a tag for this modality, such as XR, CT, MR or US, under any of its names.",
)
@click.option(
    "--without",
    metavar="WHAT",
    type=utf8,
    multiple=True,
    help="Only models that lack this: tags, codes, description or what index coverage lists; repeatable.",
)
@index_options
def list_entries(
    screen: Screen,
    limit: int,
    offset: int,
    sort: str,
    desc: bool,
    settings: Settings,
    **conditions: tuple[str, ...],
) -> None:
    """List the models of the index, a page at a time.

    In a pipe each line is an id, a name and a file, separated by tabs.

    \b
    Examples:
      findingmodel index list --limit 20
      findingmodel index list --sort filename --offset 100
      findingmodel index list --limit 100000 | cut -f 1
      findingmodel index list --modality US --without codes
      findingmodel index list --tag chest --contributor GMTS --without synonyms --json
    """

    async def question(store: Store) -> tuple[int, list[EntryRow], str]:
        if any(conditions.values()):
            part = slice(offset, offset + limit)
            total, page = await _selected(store, conditions, sort, part, descending=desc)
            return total, page, "" if total else await empty_hint(store, settings)
        page = await store.page(sort=sort, descending=desc, offset=offset, limit=limit)
        return (await store.counts()).models, page, "" if page else await empty_hint(store, settings)

    total, page, hint = ask(settings, question)
    rows = [(row["oifm_id"], one_line(row["name"]), row["filename"]) for row in page]
    what = "meet the conditions" if any(conditions.values()) else "are in the index"
    nothing = f"nothing to list: {total or 'no'} models {what}"
    screen.results(page, _COLUMNS, rows, if_empty=hint or nothing)
    last = offset + len(page)
    if rows and last < total and not screen.as_json:
        screen.note(f"{offset + 1:,} to {last:,} of {total:,}; continue with --offset {last}")


async def _selected(
    store: Store, conditions: Mapping[str, tuple[str, ...]], sort: str, part: slice, *, descending: bool
) -> tuple[int, list[EntryRow]]:
    """Return how many models meet the conditions, and a part of their entries in order."""
    from findingmodel.author.coverage import select
    from findingmodel.text.normalize import fold

    entries = await store.get(await select(store, **conditions))

    def order(entry: EntryRow) -> tuple[str, str]:
        own: str = entry[sort]  # type: ignore[literal-required]
        return fold(own) if sort == "name" else own, entry["oifm_id"]

    rows = sorted(entries.values(), key=order, reverse=descending)
    return len(rows), rows[part]


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
