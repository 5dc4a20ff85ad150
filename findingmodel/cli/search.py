"""``findingmodel search``: one query, or a file of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import click

from findingmodel.cli.options import database_options, json_option, screen_options, utf8
from findingmodel.cli.screen import Column
from findingmodel.cli.session import ask
from findingmodel.cli.text import one_line, to_json
from findingmodel.search.hits import main_reason

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.cli.screen import Screen
    from findingmodel.config import Settings
    from findingmodel.search.hits import HitRow, MatchRow
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


@click.command()
@click.argument("query", metavar="[QUERY]", type=utf8, required=False)
@click.option("--limit", type=click.IntRange(1), default=10, show_default=True, help="Most hits to show.")
@click.option("--offset", type=click.IntRange(0), default=0, show_default=True, help="Hits to pass over.")
@click.option(
    "--tag", "tags", metavar="T", type=utf8, multiple=True, help="Only models with this tag; repeatable."
)
@click.option("--explain", is_flag=True, help="Show what each hit was found by, and what that scored.")
@click.option("--facets", is_flag=True, help="Count the tags of all hits, and show these counts instead.")
@click.option("--no-cache", is_flag=True, help="Search anew, whatever earlier searches have found.")
@click.option(
    "--batch", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True), help="Search"
    " for each query in FILE, or in standard input if FILE is -."
)
@click.option("--column", metavar="NAME", type=utf8, help="Batch: where CSV or JSON has the query.  [default: query]")
@click.option("--read-as", type=click.Choice(["text", "csv", "jsonl"]), help="Batch: what FILE is, if its name does not tell.")
@click.option("--format", "write_as", type=click.Choice(["jsonl", "csv"]), help="Batch: how to write the answers.")
@click.option("--output", metavar="FILE", type=click.Path(dir_okay=False), help="Batch: where to write them.")
@click.option("--resume", is_flag=True, help="Batch: go on behind the last answer in the output.")
@database_options
@json_option
@screen_options
@click.pass_obj
def search(screen: Screen, **options: Any) -> int:
    """Find models by name, synonym, or words of their description and attributes, best first.

    QUERY may have "words in this order", -unwanted words, and filters: tag:CT modality:MR contributor:CDE
    attribute:numeric code:RADLEX:RID1301 id:OIFM_CDE_000195. Words may be unfinished, mistyped or in
    everyday English; a sentence of a report is a query too. In a pipe each line is an id, a name, a score
    and what it was found by, separated by tabs.

    \b
    Examples:
      findingmodel search "clot in lung artery" --explain
      findingmodel search nodule --tag chest --limit 3
      findingmodel search "mass -cystic modality:MR" --facets
      findingmodel search PE --json
      findingmodel search --batch phrases.txt > hits.jsonl
      findingmodel search --batch reports.csv --column impression --output hits.csv --resume

    No hit is no error: the answer is empty, and the exit code 0. A batch has a line for each query; exit code
    1 means that some of them were no queries.
    """
    chosen = _Options(**options)
    if chosen.batch is not None:
        from findingmodel.cli.batch import run

        return run(screen, chosen)
    ...
