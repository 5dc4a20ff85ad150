from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.search.searcher import Searcher
from findingmodel.search.vocabulary import Vocabulary, WordList
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.stores.sqlite.terms import SQLiteTerms
from findingmodel.text.query import parse_query
from tests.search_index import FINDINGS, filled, names

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from findingmodel.stores.records import Frequencies


class NoCountTerms(SQLiteTerms):
    """A term index that cannot count tokens cheaply, like a server's."""

    async def frequencies(self, tokens: Collection[str] | None) -> Frequencies | None:
        return None

    async def words(self) -> None:
        return None


class NoCount(SQLiteStore):
    def __init__(self) -> None:
        super().__init__(":memory:")
        self.terms: NoCountTerms = NoCountTerms(self.database)


class AskedTerms(SQLiteTerms):
    """A term index that records which tokens it counted, and how often its words or names were read."""

    asked: list[str]
    read = 0

    async def frequencies(self, tokens: Collection[str] | None) -> Frequencies | None:
        self.asked = [*getattr(self, "asked", []), *(["(all)"] if tokens is None else tokens)]
        return await super().frequencies(tokens)

    async def words(self) -> Mapping[str, int] | None:
        self.read += 1
        return await super().words()

    def iter_labels(self):
        self.read += 1
        return super().iter_labels()


class Asked(SQLiteStore):
    def __init__(self) -> None:
        super().__init__(":memory:")
        self.terms: AskedTerms = AskedTerms(self.database)


QUERIES = [name for name, *_ in FINDINGS] + [
    "lung clot",
    "nodul",
    "cyst kidney",
    "enlarged heart",
    "emblism",
    "nothing such",
]


def test_a_store_that_cannot_count_has_the_same_answers() -> None:
    counting, streaming = filled(), filled(store=NoCount())
    for query in QUERIES:
        one = run_without_loop(Searcher(counting).search(parse_query(query)))
        other = run_without_loop(Searcher(streaming).search(parse_query(query)))
        assert [(hit.entry["oifm_id"], round(hit.score, 9)) for hit in one] == [
            (hit.entry["oifm_id"], round(hit.score, 9)) for hit in other
        ], query


def test_known_words_are_found_without_reading_all_words() -> None:
    store = Asked()
    filled(store=store)
    assert names(store, "renal cyst")[0] == "renal cyst"
    assert store.terms.read == 0


def test_words_are_read_once_for_unknown_words() -> None:
    store = Asked()
    searcher = Searcher(filled(store=store))
    for text in ("nodlue", "embolsm", "pneumothroax"):
        run_without_loop(searcher.search(parse_query(text)))
    assert store.terms.read == 1


def test_a_token_is_counted_once() -> None:
    store = Asked()
    vocabulary = Vocabulary(filled(store=store))
    assert run_without_loop(vocabulary.count(["nodul", "absent"]))["nodul"] == 2
    run_without_loop(vocabulary.count(["nodul", "absent", "cyst"]))
    assert sorted(store.terms.asked) == ["absent", "cyst", "nodul"]


def test_after_many_questions_all_counts_are_read_at_once() -> None:
    store = Asked()
    vocabulary = Vocabulary(filled(store=store))
    for number in range(40):
        assert run_without_loop(vocabulary.count([f"absent{number}", "nodul"]))["nodul"] == 2
        assert run_without_loop(vocabulary.count([]))[f"absent{number}"] == 0
    assert store.terms.asked[-1] == "(all)"
    assert len(store.terms.asked) < 40
    assert vocabulary.entries == len(FINDINGS)


def test_rare_words_weigh_more_than_common_ones() -> None:
    vocabulary = Vocabulary(filled())
    run_without_loop(vocabulary.count(["nodul"]))
    weights = [vocabulary.rarity(count) for count in (0, 1, 5, 25)]
    assert weights == sorted(weights, reverse=True)
    assert weights[0] == 1.0
    assert 0 < weights[-1] < 0.1


def test_an_empty_index_has_no_words() -> None:
    vocabulary = Vocabulary(filled([]))
    assert run_without_loop(vocabulary.count(["nodul"]))["nodul"] == 0
    assert len(run_without_loop(vocabulary.words())) == 0
    assert vocabulary.rarity(0) == 1.0


def test_words_are_listed_in_american_spelling() -> None:
    words = run_without_loop(Vocabulary(filled()).words())
    assert "esophageal" in words
    assert words.starting("esoph", 3) == ["esophageal"]


def test_frequent_words_complete_first() -> None:
    words = WordList({"cyst": 3, "cystic": 9, "cystitis": 1})
    assert words.starting("cyst", 2) == ["cystic", "cyst"]
