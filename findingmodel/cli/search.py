"""``findingmodel search``: one query, or a file of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.hints import why_nothing
from findingmodel.cli.options import completing, database_options, json_option, screen_options, utf8
from findingmodel.cli.screen import Column, one_line, to_json
from findingmodel.cli.session import ask
from findingmodel.cli.timings import timed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.cli.screen import Screen
    from findingmodel.runtime.timing import Timer
    from findingmodel.search.hits import HitRow, Match
    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.text.query import Query

__all__ = ["search"]

_COLUMNS = (
    Column("id", wraps=False),
    Column("name", bold=True),
    Column("score", wraps=False, right=True),
    Column("found by"),
)
_TAG_COLUMNS = (Column("tag", bold=True), Column("hits", wraps=False, right=True))
_SHOWN = ("id", "name", "slug")  # fields that the row shows anyway
_BATCH_ONLY = ("column", "read_as", "by_sentence", "write_as", "output", "resume")
_GIVEN = click.core.ParameterSource.COMMANDLINE
_ONE_ONLY = ("query", "offset", "facets", "no_cache")


@click.command()
@click.argument("query", metavar="[QUERY]", type=utf8, required=False, shell_complete=completing("models"))
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Most hits to show.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="Hits to pass over.")
@click.option(
    "--tag",
    "tags",
    metavar="T",
    type=utf8,
    multiple=True,
    shell_complete=completing("tags"),
    help="Only models with this tag; repeatable.",
)
@click.option("--explain", is_flag=True, help="Show by what each hit was found, and what that scores.")
@click.option("--facets", is_flag=True, help="Show how many of all hits have each tag, and no hits.")
@click.option("--timings", is_flag=True, help="Tell on stderr how long each step took.")
@click.option("--no-cache", is_flag=True, help="Search anew, whatever earlier searches found.")
@click.option(
    "--batch",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True),
    help="Search for each query in FILE; - is standard input.",
)
@click.option(
    "--column",
    metavar="NAME",
    type=utf8,
    default="query",
    show_default=True,
    help="Batch: where CSV or JSON Lines hold the query.",
)
@click.option(
    "--read-as", type=click.Choice(["text", "csv", "jsonl"]), help="Batch: what FILE is, if not by its name."
)
@click.option("--by-sentence", is_flag=True, help="Batch: search for each sentence of a text by itself.")
@click.option(
    "--format",
    "write_as",
    type=click.Choice(["jsonl", "csv"]),
    help="Batch: what to write, if not by the name of the output.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True),
    help="Batch: where to write; else standard output.",
)
@click.option("--resume", is_flag=True, help="Batch: go on behind the last answer in the output.")
@database_options
@json_option
@screen_options
@click.pass_obj
def search(
    screen: Screen,
    /,
    query: str | None,
    limit: int,
    offset: int,
    tags: tuple[str, ...],
    explain: bool,
    facets: bool,
    no_cache: bool,
    batch: str | None,
    timings: bool,
    settings: Settings,
    as_json: bool,
    **options: Any,
) -> int:
    """Find models by name, synonym, or words of their description and attributes, best first.

    Words may be unfinished, mistyped or everyday English, and a sentence of a report is a query too. QUERY
    may also have "words side by side", -unwanted words, and filters: tag:CT, modality:MR, contributor:CDE,
    attribute:numeric, code:RADLEX:RID1301. In a pipe each line is an id, a name, a score and what it was
    found by, separated by tabs.

    \b
    Examples:
      findingmodel search "clot in lung artery" --explain
      findingmodel search nodule --tag chest --limit 3
      findingmodel search "mass -cystic modality:MR" --facets
      findingmodel search PE --json
      findingmodel search --batch phrases.txt > hits.jsonl
      findingmodel search --batch reports.csv --column impression --by-sentence --output hits.csv --resume

    No hit is no error: the answer is empty, and the exit code 0. A batch writes a record for each query and
    ends with exit code 1 if some of them were no queries.
    """
    if batch is not None:
        from findingmodel.cli.batch import search_file

        _refuse(_ONE_ONLY, "cannot be given with --batch")
        options |= {"limit": limit, "tags": tags, "explain": explain}
        with timed(settings, "search batch", wanted=timings) as timer:
            return search_file(screen, settings, batch, as_json, timer=timer, **options)
    _refuse(_BATCH_ONLY, "can be given with --batch only")
    if query is None:
        raise click.UsageError("Give a QUERY, or --batch FILE.")
    from findingmodel.text.query import parse_query

    with timed(settings, "search", wanted=timings) as timer:
        with timer("search.parse"):
            parsed = parse_query(query, tags=tags)
        if facets:
            return _show_tags(screen, settings, parsed, timer, as_json=as_json)
        page = {"limit": limit, "offset": offset}
        hits, missed = ask(
            settings, lambda store: _answer(store, parsed, settings, timer, page, use_cache=not no_cache)
        )
    if as_json:
        click.echo(to_json([_as_dict(hit) for hit in hits]))
        return 0
    screen.table(_COLUMNS, [row for hit in hits for row in _rows(hit, explain=explain)])
    if not hits:
        where = f" from hit {offset + 1} on" if offset else ""
        screen.note(f"nothing found for {query!r}{where}{missed}")
    return 0


def _refuse(names: Sequence[str], why: str) -> None:
    """Refuse the parameters of these names if the user gave them, and say *why*."""
    context = click.get_current_context()
    for parameter in context.command.params:
        if parameter.name in names and context.get_parameter_source(parameter.name) is _GIVEN:
            shown = parameter.opts[0] if isinstance(parameter, click.Option) else "QUERY"
            raise click.UsageError(f"{shown} {why}.")


async def _answer(
    store: Store, query: Query, settings: Settings, timer: Timer, page: dict[str, int], *, use_cache: bool
) -> tuple[Sequence[HitRow], str]:
    """Search, and say why there is nothing, where that can be said."""
    hits = await _find(store, query, settings, timer, page, use_cache=use_cache)
    return hits, "" if hits else await why_nothing(store, settings, query)


async def _find(
    store: Store, query: Query, settings: Settings, timer: Timer, page: dict[str, int], *, use_cache: bool
) -> Sequence[HitRow]:
    """Search, or remember an earlier search where the index is far away and a cache file is set."""
    from findingmodel.search.searcher import Searcher

    if not (use_cache and settings.cache_file and settings.is_server):
        return await Searcher(store, timer=timer).search(query, **page)
    from findingmodel.search.cache import QueryCache
    from findingmodel.search.cached_searcher import CachedSearcher
    from findingmodel.stores.sqlite.cache import SQLiteTier

    tier = SQLiteTier(settings.cache_file)
    try:
        cache = QueryCache(ttl_seconds=settings.cache_ttl_seconds, tier=tier)
        searcher = CachedSearcher(store, branch=settings.branch, cache=cache, timer=timer)
        return await searcher.search(query, **page)
    finally:
        tier.close()


def _show_tags(screen: Screen, settings: Settings, query: Query, timer: Timer, *, as_json: bool) -> int:
    from findingmodel.search.searcher import Searcher

    counts = ask(settings, lambda store: Searcher(store, timer=timer).count_tags(query))
    if as_json:
        click.echo(to_json(counts))
    else:
        screen.table(_TAG_COLUMNS, [(one_line(tag), str(count)) for tag, count in counts.items()])
    return 0


def _rows(hit: HitRow, *, explain: bool) -> Iterator[tuple[str, str, str, str]]:
    """Yield the line of *hit*, and below it a line for each reason if they are asked for."""
    from findingmodel.search.hits import main_reason

    reason = main_reason(hit)
    found_by = _short(reason) if reason else ""
    denied = " (denied)" if hit.negated else ""
    yield hit.entry["oifm_id"], one_line(hit.entry["name"]), f"{hit.score:.2f}", f"{found_by}{denied}"
    for match in hit.matched if explain else ():
        yield (
            "",
            "",
            f"{match.score:.3f}",
            f"{match.stage}, {match.field}: {one_line(', '.join(match.terms))}",
        )


def _short(reason: Match) -> str:
    words = one_line(" ".join(reason.terms))
    return reason.field if reason.field in _SHOWN else f"{reason.field}: {words}"


def _as_dict(hit: HitRow) -> dict[str, Any]:
    facts = hit._asdict()
    return {**facts.pop("entry"), **facts, "matched": [match._asdict() for match in hit.matched]}
