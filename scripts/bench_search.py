"""Measure one search against a bare full-text query, and the memory of its word list.

    python scripts/bench_search.py INDEX.db QUERIES [--rounds N]

INDEX.db is a SQLite index; QUERIES has one query per line, or is JSON Lines with a member "query". The peers
are a weighted bm25 query of FTS5 for any of the words in the same file, for ten ids and for ten entries. Each
round runs every query on all three in turn, so that other load affects all. Answers are not cached. Printed
are the medians over all queries and rounds, the ratio of ours to each peer, the same for the sums, in which
slow queries count more, and the load time and memory of the word list and the speller.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import sqlite3
import sys
import time
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from findingmodel.batch.read import ENCODING, form_of, read_questions
from findingmodel.errors import FindingModelError, QueryError
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.searcher import Searcher
from findingmodel.stores import open_store
from findingmodel.text.query import parse_query
from findingmodel.text.stem import analyze

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from findingmodel.stores.protocol import Store

__all__ = ["main"]

_BARE = """
    SELECT {columns} FROM "terms_main" t JOIN "entries_main" e ON e.id = t.rowid WHERE "terms_main" MATCH ?
    ORDER BY bm25("terms_main", 10.0, 8.0, 2.0, 2.0, 0.0) LIMIT 10
"""
_MISSPELT = "nephrolithasis"


def bare(connection: sqlite3.Connection, columns: str) -> Callable[[str], list[Any]]:
    """Return a search with FTS5 only, for any of the words."""
    statement = _BARE.format(columns=columns)

    def search(query: str) -> list[Any]:
        words = " OR ".join(f'"{token}"' for token in analyze(query))
        rows = connection.execute(statement, (words,)).fetchall() if words else []
        return [json.loads(row[0]) for row in rows] if columns == "e.entry" else rows

    return search


def measure(
    searches: Sequence[Callable[[str], Any]], queries: Sequence[str], rounds: int
) -> list[list[float]]:
    """Return for each of *searches* the seconds of each query in each round."""
    seconds: list[list[float]] = [[] for _ in searches]
    for _ in range(rounds):
        for query in queries:
            for search, taken in zip(searches, seconds, strict=True):
                started = time.perf_counter()
                search(query)
                taken.append(time.perf_counter() - started)
    return seconds


def show_times(names: Sequence[str], seconds: Sequence[Sequence[float]]) -> None:
    """Print medians and means, and the ratios of ours, the last, to each."""
    ours = seconds[-1]
    print(f"{'':<22}{'p50 ms':>9}{'ours /':>9}{'mean ms':>10}{'ours /':>9}")
    for name, taken in zip(names, seconds, strict=True):
        of_median, of_sum = median(ours) / median(taken), sum(ours) / sum(taken)
        mean = sum(taken) / len(taken)
        print(f"{name:<22}{1e3 * median(taken):>9.3f}{of_median:>9.1f}{1e3 * mean:>10.3f}{of_sum:>9.1f}")


def show_load(store: Store) -> None:
    """Print the load time and memory of the word list and the speller."""
    searcher = Searcher(store)
    vocabulary = run_without_loop(searcher.vocabulary())
    loads: dict[str, Callable[[], int]] = {
        "word list": lambda: len(run_without_loop(vocabulary.words())),
        "speller": lambda: len(run_without_loop(vocabulary.words()).similar(_MISSPELT)),
    }
    for name, load in loads.items():
        before, started = resident_bytes(), time.perf_counter()
        count = load()
        taken, grown = time.perf_counter() - started, resident_bytes() - before
        print(f"{name:<22}{1e3 * taken:>9.1f} ms{grown / 2**20:>8.1f} MB{count:>10,}")


def resident_bytes() -> int:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def read_queries(path: Path) -> list[str]:
    """Return the queries in *path*."""
    with path.open(**ENCODING) as lines:
        return [question.query for question in read_questions(lines, form_of(path.name)) if question.query]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("index", type=Path, help="the SQLite file of an index")
    parser.add_argument("queries", type=Path, help="one query per line, or JSON Lines")
    parser.add_argument("--rounds", type=int, default=5, help="number of rounds (default: 5)")
    options = parser.parse_args(arguments)
    try:
        queries = read_queries(options.queries)
        if not queries:
            raise QueryError(f"{options.queries} contains no query")
        run(options.index, queries, options.rounds)
    except (FindingModelError, OSError, sqlite3.Error) as error:
        print(f"bench_search: {error}", file=sys.stderr)
        return 2
    return 0


def run(index: Path, queries: Sequence[str], rounds: int) -> None:
    """Measure and print."""
    connection = sqlite3.connect(f"{index.resolve().as_uri()}?mode=ro", uri=True)
    store = open_store(str(index))
    run_without_loop(store.open())
    show_load(store)
    searcher = Searcher(store)

    def ours(query: str) -> object:
        return run_without_loop(searcher.search(parse_query(query)))

    ours(queries[0])
    searches = (bare(connection, "e.oifm_id"), bare(connection, "e.entry"), ours)
    print()
    show_times(("FTS5, ids", "FTS5, entries", "ours"), measure(searches, queries, rounds))
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"\n{len(queries):,} queries, {rounds} rounds; peak memory {peak:.0f} MB")
    run_without_loop(store.close())
    connection.close()


if __name__ == "__main__":
    sys.exit(main())
