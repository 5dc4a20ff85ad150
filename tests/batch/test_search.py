from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from findingmodel.batch.search import search_batch, stream_batch
from findingmodel.errors import QueryError, StoreUnavailableError
from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.searcher import Searcher
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.stores.sqlite.terms import SQLiteTerms
from findingmodel.text.query import parse_query
from tests.search_index import filled, make_records

if TYPE_CHECKING:
    from findingmodel.stores.records import Candidate, TermQuery

QUERIES = ["PE", "big heart", "", "renal cyst", "PE", "tag:", "No pneumothorax.", "nothing such"]


class SlowTerms(SQLiteTerms):
    """A term index that suspends the caller, like a server's, and counts concurrent calls."""

    under_way = 0
    most = 0
    calls = 0

    async def candidates(self, query: TermQuery, *, limit: int | None) -> list[Candidate]:
        self.calls += 1
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(3):
            await asyncio.sleep(0)
        self.under_way -= 1
        return await super().candidates(query, limit=limit)


class BrokenTerms(SlowTerms):
    async def candidates(self, query: TermQuery, *, limit: int | None) -> list[Candidate]:
        await super().candidates(query, limit=limit)
        raise StoreUnavailableError("the server is gone")


def store_with(terms: type[SlowTerms]) -> tuple[SQLiteStore, SlowTerms]:
    store = SQLiteStore(":memory:")
    made = store.terms = terms(store.database)
    return store, made


def test_a_batch_gives_the_results_of_single_searches_in_order() -> None:
    searcher = Searcher(filled())
    rows = run_without_loop(search_batch(searcher, QUERIES, limit=3))
    assert list(rows) == list(dict.fromkeys(QUERIES))
    for text, row in rows.items():
        if row.error is None:
            assert list(row.hits) == run_without_loop(searcher.search(parse_query(text), limit=3))


def test_an_invalid_query_fails_alone() -> None:
    rows = run_without_loop(search_batch(Searcher(filled()), QUERIES))
    assert {text for text, row in rows.items() if row.error} == {"", "tag:"}
    assert not any(row.hits for row in rows.values() if row.error)
    assert rows["PE"].hits[0].entry["name"] == "pulmonary embolism"


async def test_concurrency_changes_no_answer_and_is_bounded() -> None:
    store, terms = store_with(SlowTerms)
    searcher = Searcher(filled(store=store))
    one = await search_batch(searcher, QUERIES)
    assert terms.most == 1
    many = await search_batch(searcher, QUERIES, concurrency=3)
    assert {text: row.hits for text, row in many.items()} == {text: row.hits for text, row in one.items()}
    assert 1 < terms.most <= 3


async def test_equal_queries_are_searched_once() -> None:
    store, terms = store_with(SlowTerms)
    searcher = Searcher(filled(store=store))
    rows = [row async for row in stream_batch(searcher, ["Renal cyst", "renal  cyst"] * 50)]
    assert len(rows) == 100
    assert terms.calls == 1


async def test_a_query_that_comes_again_later_is_not_searched_again() -> None:
    store, terms = store_with(SlowTerms)
    texts = ["renal cyst", *(f"nothing {number}" for number in range(1_200)), "Renal Cyst"]
    rows = [row async for row in stream_batch(Searcher(filled(store=store)), texts, limit=1)]
    assert rows[0].hits == rows[-1].hits != ()
    assert len(rows) == 1_202
    assert terms.calls == 1


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("renal cyst", "matched"),
        ("cyst in the kidney", "matched"),
        ("cyst", "ambiguous"),
        ("nothing such", "unmatched"),
        ("tag:", "failed"),
    ],
)
@pytest.mark.parametrize("limit", [1, 10])
def test_the_status_distinguishes_clear_hits(text: str, status: str, limit: int) -> None:
    row = run_without_loop(search_batch(Searcher(filled()), [text], limit=limit))[text]
    assert row.status == status
    assert len(row.hits) <= limit


def test_a_synonym_of_two_models_is_ambiguous() -> None:
    index = filled(
        make_records([("multiple sclerosis", ["MS"], "", []), ("mitral stenosis", ["MS"], "", [])])
    )
    assert run_without_loop(search_batch(Searcher(index), ["ms"], limit=1))["ms"].status == "ambiguous"


def test_a_limit_of_zero_is_refused() -> None:
    with pytest.raises(QueryError, match="at least one hit"):
        run_without_loop(search_batch(Searcher(filled()), ["PE"], limit=0))


async def test_queries_are_read_lazily() -> None:
    def endless():
        while True:
            yield "PE"

    rows = stream_batch(Searcher(filled()), endless())
    assert (await anext(rows)).hits
    await rows.aclose()


async def test_a_lost_store_stops_the_batch() -> None:
    searcher = Searcher(filled(store=store_with(BrokenTerms)[0]))
    with pytest.raises(StoreUnavailableError, match="gone"):
        await search_batch(searcher, ["PE", "AAA", "renal cyst"], concurrency=2)


async def test_an_empty_batch_has_no_rows() -> None:
    assert await search_batch(Searcher(filled()), []) == {}
