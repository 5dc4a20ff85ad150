"""``findingmodel search``: one query, or a file of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from findingmodel.cli.hints import no_hits_hint
from findingmodel.cli.options import completing, index_options, tag_option, utf8
from findingmodel.cli.screen import Column, Screen, one_line
from findingmodel.cli.session import run, session_of
from findingmodel.cli.timings import timed, timings_option

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.index.session import IndexSession
    from findingmodel.search.hits import HitRow
    from findingmodel.settings import Settings

_COLUMNS = (
    *(Column("id", wraps=False), Column("name", bold=True)),
    *(Column("score", wraps=False, right=True), Column("found by")),
)
_TAG_COLUMNS = (Column("tag", bold=True), Column("hits", wraps=False, right=True))
_SHOWN_FIELDS = ("id", "name", "slug")  # the row shows their text anyway
_BATCH_ONLY = ("column", "read_as", "by_sentence", "write_as", "output", "resume")
_SINGLE_ONLY = ("words", "offset", "facets", "no_cache")


class _Search(click.Command):
    """The command, which explains what a word that begins with a dash means."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, list(args))
        except click.NoSuchOption as error:
            if error.option_name.startswith("--"):
                raise
        word = next(arg for arg in args if arg.startswith("-") and not arg.startswith("--"))
        raise click.UsageError(
            f"{word} is not an option. To exclude a word, put -- before the query: "
            f"{ctx.command_path} -- nodule {word}"
        )


@click.command(cls=_Search)
@click.argument("words", metavar="[QUERY]...", type=utf8, nargs=-1, shell_complete=completing("models"))
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Most hits to show.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="Hits to skip.")
@tag_option("Only models with this tag; repeatable.")
@click.option("--explain", is_flag=True, help="Show why each hit matched, with scores.")
@click.option("--facets", is_flag=True, help="Count the hits of each tag, instead of showing hits.")
@timings_option
@click.option("--no-cache", is_flag=True, help="Ignore cached results.")
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
    help="Batch: the column or field that holds the query.",
)
@click.option(
    "--read-as",
    type=click.Choice(["text", "csv", "jsonl"]),
    help="Batch: format of FILE; default by its name.",
)
@click.option(
    "--by-sentence",
    is_flag=True,
    help="Batch: search for each sentence separately. For whole reports: findingmodel report.",
)
@click.option(
    "--format",
    "write_as",
    type=click.Choice(["jsonl", "csv"]),
    help="Batch: format of the output; default by its name.",
)
@click.option(
    "--output",
    metavar="FILE",
    type=click.Path(dir_okay=False, writable=True),
    help="Batch: file to write; default standard output.",
)
@click.option("--resume", is_flag=True, help="Batch: resume after the last answer in the output.")
@index_options
def search(
    screen: Screen,
    /,
    words: tuple[str, ...],
    limit: int,
    offset: int,
    tags: tuple[str, ...],
    explain: bool,
    facets: bool,
    no_cache: bool,
    batch: str | None,
    timings: bool,
    settings: Settings,
    **options: Any,
) -> int:
    """Find models by name, synonym, or words of their description and attributes, best first.

    Words may be incomplete, mistyped or everyday English, and a sentence of a report is a query too. Several
    words are one query, in quotes or not. QUERY may contain "exact phrases", -excluded words (after --), and
    filters: tag:CT, modality:MR, contributor:CDE, attribute:numeric, code:RADLEX:RID1301. In a pipe each line
    is an id, a name, a score and the reason of the match, separated by tabs.

    \b
    Examples:
      findingmodel search "clot in lung artery" --explain
      findingmodel search lung nodule --tag chest --limit 3
      findingmodel search "mass -cystic modality:MR" --facets
      findingmodel search PE --json
      findingmodel search --batch phrases.txt > hits.jsonl
      findingmodel search --batch reports.csv --column impression --by-sentence --output hits.csv --resume

    A query without hits is not an error: the exit code is 0. A batch writes a record for each query, and its
    exit code is 1 if some queries were invalid.
    """
    if batch is not None:
        from findingmodel.cli.batch import search_file

        _refuse(_SINGLE_ONLY, "cannot be used with --batch")
        options |= {"limit": limit, "tags": tags, "explain": explain}
        with timed(settings, "search batch", show=timings) as timer:
            return search_file(screen, settings, batch, timer=timer, **options)
    _refuse(_BATCH_ONLY, "requires --batch")
    query = " ".join(words)
    if not words:
        raise click.UsageError("Missing QUERY or --batch FILE.")
    from findingmodel.text.query import parse_query

    with timed(settings, "search", show=timings) as timer:
        with timer("search.parse"):
            parsed = parse_query(query, tags=tags)
        session = session_of(settings, timer)
        if facets:

            async def count(opened: IndexSession) -> tuple[dict[str, int], str]:
                found = await opened.one_shot_searcher().count_tags(parsed)
                return found, "" if found else await no_hits_hint(opened.store, settings, parsed, text=query)

            counts, hint = run(session, count)
            rows = [(one_line(tag), str(number)) for tag, number in counts.items()]
            screen.results(counts, _TAG_COLUMNS, rows, if_empty=f"nothing found for {query!r}{hint}")
            return 0

        async def command(opened: IndexSession) -> tuple[Sequence[HitRow], str]:
            searcher = opened.one_shot_searcher(use_cache=not no_cache)
            hits = await searcher.search(parsed, limit=limit, offset=offset)
            return hits, "" if hits else await no_hits_hint(opened.store, settings, parsed, text=query)

        hits, hint = run(session, command)
    if screen.as_json:
        screen.json([_as_dict(hit) for hit in hits])
    elif hits:
        screen.table(_COLUMNS, [row for hit in hits for row in _rows(hit, explain=explain)])
    else:
        start = f" from hit {offset + 1} on" if offset else ""
        screen.note(f"nothing found for {query!r}{start}{hint}")
    return 0


def _refuse(names: Sequence[str], why: str) -> None:
    """Raise a usage error if one of the named parameters is on the command line."""
    context = click.get_current_context()
    for parameter in context.command.params:
        source = context.get_parameter_source(parameter.name or "")
        if parameter.name in names and source is click.core.ParameterSource.COMMANDLINE:
            label = parameter.opts[0] if isinstance(parameter, click.Option) else "QUERY"
            raise click.UsageError(f"{label} {why}.")


def _rows(hit: HitRow, *, explain: bool) -> Iterator[tuple[str, str, str, str]]:
    """Yield the row of *hit*; with *explain* followed by a row for each reason."""
    from findingmodel.search.hits import main_reason

    reason = main_reason(hit)
    found_by = reason.field if reason else ""
    if reason and reason.field not in _SHOWN_FIELDS:
        found_by += f": {one_line(' '.join(reason.terms))}"
    denied = " (denied)" if hit.negated else ""
    yield hit.entry["oifm_id"], one_line(hit.entry["name"]), f"{hit.score:.2f}", f"{found_by}{denied}"
    for match in hit.matched if explain else ():
        terms = one_line(", ".join(match.terms))
        yield "", "", f"{match.score:.3f}", f"{match.stage}, {match.field}: {terms}"


def _as_dict(hit: HitRow) -> dict[str, Any]:
    facts = hit._asdict()
    return {**facts.pop("entry"), **facts, "matched": [match._asdict() for match in hit.matched]}
