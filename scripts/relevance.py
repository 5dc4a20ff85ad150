"""Measure the quality of search with judged queries.

    python scripts/relevance.py QRELS.jsonl... --models DIR [--store URL] [--worst 10] [--ablate]

QRELS has one JSON object per line: {"qid", "query", "category", "relevant": {ID: grade}}. Grade 2 is the
expected model, grade 1 another reasonable hit; an empty "relevant" means that no model in DIR answers the
query. A query with "drop": {"oifm_id", "synonym"} is run on an index without those synonyms. Plain FTS5 (any
word, bm25) and the search of findingmodel are compared.

Measures: MRR@10, 1 / rank of the first hit with the highest grade among the first ten; recall@10, relevant
hits among the first ten / min(10, all relevant); empty, the share of queries without a hit or, if nothing
answers them, "unmatched". Exit codes: 0 done, 2 bad usage or input.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from judging.baseline import plain_search
from judging.measures import DEPTH, mean_reciprocal_rank, recall
from judging.queries import Judged, fill, read_judged, read_models, without

from findingmodel.errors import FindingModelError
from findingmodel.search.candidates import SOURCES, by_words
from findingmodel.search.expansion import STAGES
from findingmodel.search.hits import status_of
from findingmodel.search.searcher import Searcher
from findingmodel.stores import open_store
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from judging.queries import Models

    from findingmodel.search.candidates import Source
    from findingmodel.stores.protocol import Store

__all__ = ["main"]

_KEYS = "exact keys"
PARTS = (*STAGES[1:], _KEYS)
"""The parts that `--ablate` leaves out in turn: stages of expansion, and the lookup of exact keys."""


class Figures(NamedTuple):
    """The measures of a group of queries."""

    queries: int
    rank: float
    recall: float
    empty: float


async def our_search(searcher: Searcher, one: Judged) -> list[str]:
    """Return the ids of the ten best hits; none if nothing answers the query, and "unmatched" says so."""
    hits = await searcher.search(parse_query(one.query), limit=DEPTH)
    told = not one.relevant and status_of(hits) == "unmatched"
    return [] if told else [hit.entry["oifm_id"] for hit in hits]


def table(judged: Sequence[Judged], run: Mapping[str, list[str]]) -> dict[str, Figures]:
    """Return the measures by category, and over all queries with an answer."""
    rows: defaultdict[str, list[tuple[float, float, bool]]] = defaultdict(list)
    for one in judged:
        hits = run[one.qid]
        if one.relevant:
            row = (mean_reciprocal_rank(one.relevant, hits), recall(one.relevant, hits), not hits)
            rows["all with an answer"].append(row)
        else:
            row = (0.0, 0.0, not hits)
        rows[one.category].append(row)
    return {
        name: Figures(len(found), *(sum(column) / len(found) for column in zip(*found, strict=True)))
        for name, found in rows.items()
    }


def show(tables: Mapping[str, Mapping[str, Figures]]) -> None:
    """Print tables side by side: MRR@10, recall@10 and the share of empty results of each run."""
    print(" " * 30 + "".join(f"{name:^24}" for name in tables))
    print(f"{'category':<22}{'queries':>8}" + "".join(f"{'MRR':>9}{'recall':>8}{'empty':>7}" for _ in tables))
    for category in sorted(next(iter(tables.values())), key=lambda name: (name.startswith("all"), name)):
        figures = [one[category] for one in tables.values()]
        cells = "".join(f"{f.rank:>9.3f}{f.recall:>8.3f}{f.empty:>7.2f}" for f in figures)
        print(f"{category:<22}{figures[0].queries:>8}{cells}")


def show_ablation(judged: Sequence[Judged], runs: Mapping[str, Mapping[str, list[str]]]) -> None:
    """Print MRR@10 by category of the search without each of its parts; *runs* has the complete one as "".

    For categories without answers, print the share of empty results.
    """
    tables = {part: table(judged, run) for part, run in runs.items()}
    categories = sorted(tables[""], key=lambda name: (name.startswith("all"), name))
    print(f"{'without':<12}" + "".join(f"{name[:10]:>12}" for name in categories))
    for part, figures in tables.items():
        values = [figures[name].rank or figures[name].empty for name in categories]
        print(f"{part or '(nothing)':<12}" + "".join(f"{value:>12.3f}" for value in values))


def show_worst(
    judged: Sequence[Judged], run: Mapping[str, list[str]], names: Mapping[str, str], most: int
) -> None:
    """Print the queries whose best entry ranks lowest, with the hits instead."""
    answerable = [one for one in judged if one.relevant]
    answerable.sort(key=lambda one: (mean_reciprocal_rank(one.relevant, run[one.qid]), one.qid))
    for one in answerable[:most]:
        best = max(one.relevant.values())
        meant = [names.get(oifm_id, oifm_id) for oifm_id, grade in one.relevant.items() if grade == best]
        found = [names.get(oifm_id, oifm_id) for oifm_id in run[one.qid][:3]]
        print(
            f"{one.qid} {one.query!r}: expected {', '.join(meant[:3])}; found {', '.join(found) or 'nothing'}"
        )


class Bench:
    """Two indexes: of all models, and of the models without dropped synonyms."""

    def __init__(self, models: Models, judged: Sequence[Judged], stores: Sequence[Store]) -> None:
        dropped = {one.dropped for one in judged if one.dropped}
        self.judged = judged
        self.models = (models, without(models, dropped))  # in the order of the ids
        self.stores = stores

    async def fill(self) -> None:
        """Fill both stores."""
        for store, models in zip(self.stores, self.models, strict=True):
            await store.open()
            await fill(store, models)

    async def run_without(self, part: str) -> dict[str, list[str]]:
        """Run every query on its index, without one of `PARTS`."""
        stages = [stage for stage in STAGES if stage != part]
        return await self.run(stages, (by_words,) if part == _KEYS else SOURCES)

    async def run(
        self, stages: Sequence[str] = STAGES, sources: Sequence[Source] = SOURCES
    ) -> dict[str, list[str]]:
        """Run every query on its index."""
        whole, reduced = (Searcher(store, stages=stages, sources=sources) for store in self.stores)
        return {one.qid: await our_search(reduced if one.dropped else whole, one) for one in self.judged}

    def plain(self) -> dict[str, list[str]]:
        """Run every query on the baseline."""
        whole, reduced = map(plain_search, self.models)
        return {one.qid: (reduced if one.dropped else whole)(one.query) for one in self.judged}


async def measure(options: argparse.Namespace) -> None:
    """Fill the indexes, run the queries, and print the results."""
    judged, models = read_judged(options.qrels), read_models(options.models)
    if not judged or not models:
        raise ValueError("no judged queries, or no models")
    with tempfile.TemporaryDirectory() as directory:
        urls = [
            f"sqlite:///{directory}/{name}.db" if options.store == "sqlite" else options.store
            for name in ("all", "dropped")
        ]
        branch = f"relevance_{time.time_ns()}"
        stores = [open_store(url, branch=f"{branch}_{number}") for number, url in enumerate(urls)]
        bench = Bench(models, judged, stores)
        try:
            await bench.fill()
            await report(bench, options)
        finally:
            for store in stores:
                await store.close()


async def report(bench: Bench, options: argparse.Namespace) -> None:
    """Print the table, and the optional parts."""
    started = time.perf_counter()
    run = await bench.run()
    seconds = time.perf_counter() - started
    show({"plain FTS5": table(bench.judged, bench.plain()), "ours": table(bench.judged, run)})
    print(
        f"{len(bench.judged)} searches in {seconds:.2f} s, words and names read for the first time included"
    )
    if options.ablate:
        print()
        show_ablation(bench.judged, {"": run, **{part: await bench.run_without(part) for part in PARTS}})
    if options.worst:
        print()
        names = {model["oifm_id"]: model["name"] for _, model in bench.models[0]}
        show_worst(bench.judged, run, names, options.worst)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("qrels", nargs="+", type=Path, help="judged queries, JSON Lines")
    parser.add_argument("--models", required=True, type=Path, metavar="DIR", help="the finding models")
    parser.add_argument(
        "--store",
        default="sqlite",
        metavar="URL",
        help="an empty MongoDB database; default: temporary SQLite files",
    )
    parser.add_argument("--worst", type=int, default=0, metavar="N", help="show the N worst queries")
    parser.add_argument("--ablate", action="store_true", help="also measure without each part of the search")
    options = parser.parse_args(arguments)
    try:
        asyncio.run(measure(options))
    except (FindingModelError, OSError, ValueError) as error:
        print(f"relevance: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
