"""``findingmodel index list``, ``tags`` and ``contributors``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from findingmodel.cli.hints import empty_hint, or_hint
from findingmodel.cli.options import database_options, json_option, screen_options
from findingmodel.cli.screen import Column, counted, one_line, to_json
from findingmodel.cli.session import ask

if TYPE_CHECKING:
    from findingmodel.cli.screen import Screen
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["contributors", "list_entries", "tags"]

_COLUMNS = (Column("id", wraps=False), Column("name", bold=True), Column("file", cut=True))
_SORTS = ("name", "oifm_id", "filename")


@click.command("list")
@click.option("--limit", type=click.IntRange(1), default=100, show_default=True, help="Most models to list.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="How many to pass over.")
@click.option("--sort", type=click.Choice(_SORTS), default="name", show_default=True, help="By which field.")
@click.option("--desc", is_flag=True, help="Last first.")
@database_options
@json_option
@screen_options
@click.pass_obj
def list_entries(
    screen: Screen, limit: int, offset: int, sort: str, desc: bool, settings: Settings, as_json: bool
) -> int:
    """List the models of the index, a page at a time.

    In a pipe each line is an id, a name and a file, separated by tabs.

    \b
    Examples:
      findingmodel index list --limit 20
      findingmodel index list --sort filename --offset 100
      findingmodel index list --limit 100000 | cut -f 1
    """

    async def answer(store: Store) -> tuple[int, list[EntryRow], str]:
        page = await store.page(sort=sort, descending=desc, offset=offset, limit=limit)
        return (await store.counts()).models, page, "" if page else await empty_hint(store, settings)

    total, page, hint = ask(settings, answer)
    if as_json:
        click.echo(to_json(page))
        return 0
    screen.table(_COLUMNS, [(row["oifm_id"], one_line(row["name"]), row["filename"]) for row in page])
    if not page:
        screen.note(hint or f"nothing to list: the index holds {counted(total, 'model')}")
    elif offset + len(page) < total:
        screen.note(
            f"{offset + 1:,} to {offset + len(page):,} of {total:,}; --offset {offset + len(page)} goes on"
        )
    return 0


_TAG_COLUMNS = (Column("tag", bold=True), Column("models", wraps=False, right=True))


@click.command()
@database_options
@json_option
@screen_options
@click.pass_obj
def tags(screen: Screen, settings: Settings, as_json: bool) -> int:
    """Count the models that have each tag, the most frequent first.

    Case and accents make no difference, as in search --tag. In a pipe each line is a tag, a tab and a number.

    \b
    Examples:
      findingmodel index tags | head
      findingmodel index tags --json
    """
    from findingmodel.search.facets import count_tags

    counts, hint = ask(settings, lambda store: or_hint(store, settings, count_tags))
    if as_json:
        click.echo(to_json([count._asdict() for count in counts]))
        return 0
    screen.table(_TAG_COLUMNS, [(one_line(count.tag), str(count.models)) for count in counts])
    if not counts:
        screen.note(hint or "the index holds no tags")
    return 0


_CONTRIBUTOR_COLUMNS = (
    *(Column("contributor", wraps=False, bold=True), Column("name")),
    *(Column("kind", wraps=False), Column("organization", wraps=False)),
    Column("models", wraps=False, right=True),
)


@click.command()
@database_options
@json_option
@screen_options
@click.pass_obj
def contributors(screen: Screen, settings: Settings, as_json: bool) -> int:
    """Count the models that each person and each organization contributed to, those with most first.

    In a pipe each line is a user name or code, a name, the kind, the organization and a number, separated by
    tabs.

    \b
    Examples:
      findingmodel index contributors
      findingmodel index contributors --json
    """
    from findingmodel.search.facets import count_contributors

    counts, hint = ask(settings, lambda store: or_hint(store, settings, count_contributors))
    if as_json:
        click.echo(to_json([count._asdict() for count in counts]))
        return 0
    rows = [
        (one_line(one.key), one_line(one.name), one.kind, one_line(one.organization or ""), str(one.models))
        for one in counts
    ]
    screen.table(_CONTRIBUTOR_COLUMNS, rows)
    if not counts:
        screen.note(hint or "the index holds no contributors")
    return 0
