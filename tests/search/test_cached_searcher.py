from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.cache import QueryCache
from findingmodel.search.cached_searcher import HITS, CachedSearcher
from findingmodel.search.searcher import Searcher
from findingmodel.stores.sqlite.cache import SQLiteTier
from findingmodel.text.query import parse_query
from tests.search_index import filled, make_records

if TYPE_CHECKING:
    from pathlib import Path

QUERIES = [parse_query(text) for text in ("big heart", "No pneumothorax.", "xyzzy", "PE")]


def test_hits_are_read_as_they_were_written() -> None:
    for query in QUERIES:
        hits = tuple(run_without_loop(Searcher(filled()).search(query)))
        assert HITS.decode(HITS.encode(hits)) == hits


def test_an_equal_search_of_the_next_process_is_cached_until_the_index_changes(tmp_path: Path) -> None:
    store = filled()

    def search(query: str, branch: str = "one") -> tuple[list[str], QueryCache]:
        tier = SQLiteTier(tmp_path / "answers.db")
        cache = QueryCache(tier=tier)
        hits = run_without_loop(
            CachedSearcher(store, branch=branch, cache=cache).search(parse_query(query), limit=3)
        )
        tier.close()
        return [hit.entry["name"] for hit in hits], cache

    first, cache = search("Renal cyst")
    assert cache.statistics.misses == 1
    again, cache = search("renal  cyst")
    assert cache.statistics.tier_hits == 1
    assert again == first
    assert search("renal cyst", branch="another")[1].statistics.misses == 1
    filled([*make_records(), *make_records([("renal cyst rupture", [], "", [])])][-1:], store)
    changed, cache = search("renal cyst")
    assert cache.statistics.misses == 1
    assert changed != first
