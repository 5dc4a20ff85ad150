"""What an Index answers with: rows of the store, and what a search found, as models."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import DocumentError, QueryError
from findingmodel.model.contributors import Organization, Person
from findingmodel.model.entry import IndexEntry, SearchHit, make_hits
from findingmodel.model.html import entries_html, hits_html
from findingmodel.model.parse import parse_model
from findingmodel.model.table import HIT_COLUMNS, to_dicts
from findingmodel.search.batch import search_batch
from findingmodel.text.normalize import tokenize
from findingmodel.text.query import LONGEST_QUERY, parse_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from findingmodel.model.finding import FindingModelFull
    from findingmodel.model.table import Row
    from findingmodel.search.engine import Searcher
    from findingmodel.search.hits import HitRow
    from findingmodel.search.remembered import CachedSearcher
    from findingmodel.stores.records import Credit, EntryRow
    from findingmodel.text.query import Query

__all__ = [
    "CodeMatch",
    "Hits",
    "Page",
    "SearchAnswers",
    "Suggestion",
    "answer",
    "answer_all",
    "to_entries",
    "to_entry",
    "to_models",
    "to_organization",
    "to_person",
]


class Page(NamedTuple):
    """Some of many entries.

    Attributes:
        entries: those of the page.
        total: how many there are in all.
    """

    entries: list[IndexEntry]
    total: int

    def to_dicts(self) -> list[Row]:
        """Return the entries as rows of a table (`findingmodel.to_dicts`)."""
        return to_dicts(self.entries)

    def _repr_html_(self) -> str:
        return entries_html(self.entries, f"{len(self.entries)} of {self.total}")


class Suggestion(NamedTuple):
    """An entry that may be meant, and the name or synonym of it that goes on as typed."""

    entry: IndexEntry
    label: str


class CodeMatch(NamedTuple):
    """A place that carries a code of an ontology.

    Attributes:
        entry: the model.
        place: "model", "attribute" or "value".
        id: the ``oifm_id``, the ``oifma_id`` or the ``value_code`` of what carries the code.
        name: its name.
    """

    entry: IndexEntry
    place: str
    id: str
    name: str


class Hits(list[SearchHit]):
    """The hits of a search, best first: a list that a notebook shows as a table."""

    def to_dicts(self) -> list[Row]:
        """Return the hits as rows of a table (`findingmodel.to_dicts`)."""
        return to_dicts(self)

    def _repr_html_(self) -> str:
        return hits_html(self)


class SearchAnswers(dict[str, list[SearchHit]]):
    """The hits of each query of a batch, by the query as given, in the order of first mention.

    Attributes:
        errors: the queries that could not be understood, each with what `Index.search` would have raised;
            their hits are an empty list.
    """

    def __init__(self, hits: Mapping[str, list[SearchHit]], errors: Mapping[str, QueryError]) -> None:
        super().__init__(hits)
        self.errors = dict(errors)

    def to_dicts(self) -> list[Row]:
        """Return the hits as rows of a table, below ``query`` and ``rank``, which counts from 1.

        A query without hits has one row too, with a rank of 0 and nothing behind it.
        """
        rows: list[Row] = []
        for query, hits in self.items():
            found = to_dicts(hits) or [dict.fromkeys(HIT_COLUMNS)]
            rows += [
                {"query": query, "rank": rank if hits else 0, **row} for rank, row in enumerate(found, 1)
            ]
        return rows

    def _repr_html_(self) -> str:
        return "".join(hits_html(hits, query) for query, hits in self.items())


async def answer(
    searcher: CachedSearcher, text: str, *, limit: int, offset: int, tags: Sequence[str]
) -> Hits:
    """Return the hits of one query; none for text without a letter or digit.

    Of a very long text the first 4,000 characters are searched for.

    Raises:
        QueryError: a filter in *text* cannot be used, or *limit* or *offset* is out of range.
        StoreError: the store failed.
    """
    query = _parsed(text[:LONGEST_QUERY], tuple(tags))
    if query is None:
        return Hits()
    found = await searcher.search_as(_to_hits, query, limit=limit, offset=offset)
    # What is remembered is not handed out, for lists in it can be changed; of the rest no copy is made.
    return Hits(make_hits([hit.__dict__ for hit in found]))


@lru_cache(maxsize=512)
def _parsed(text: str, tags: tuple[str, ...]) -> Query | None:
    """Return the query, or None if there is nothing to ask; parsing takes longer than remembering answers."""
    return parse_query(text, tags=tags) if tags or tokenize(text) else None


async def answer_all(
    searcher: Searcher, texts: Iterable[str], *, limit: int, tags: Sequence[str], concurrency: int
) -> SearchAnswers:
    """Return what `answer` would for each of *texts*; one that cannot be understood stops no other.

    Raises:
        QueryError: *limit* is out of range, or *texts* is one text.
        StoreError: the store failed.
    """
    if isinstance(texts, str):
        raise QueryError(f"a batch is a list of queries: write [{texts[:60]!r}] for one")
    asked = {text: text[:LONGEST_QUERY] for text in texts}
    queries = [text for text in asked.values() if tags or tokenize(text)]
    rows = await search_batch(searcher, queries, limit=limit, tags=tags, concurrency=concurrency)
    answers = SearchAnswers({text: Hits() for text in asked}, {})
    for text, query in asked.items():
        row = rows.get(query)
        if row is not None and row.error is not None:
            answers.errors[text] = row.error
        elif row is not None:
            answers[text] = _to_hits(row.hits)
    return answers


def to_entry(row: EntryRow) -> IndexEntry:
    """Return *row* as a model."""
    return IndexEntry.model_validate(row)


def to_entries(rows: Iterable[EntryRow]) -> list[IndexEntry]:
    """Return *rows* as models."""
    return [IndexEntry.model_validate(row) for row in rows]


def to_person(credit: Credit) -> Person:
    """Return a contributor who is a person."""
    return Person.model_validate(credit.fields)


def to_organization(credit: Credit) -> Organization:
    """Return a contributor that is an organization."""
    return Organization.model_validate(credit.fields)


def to_models(texts: Mapping[str, bytes]) -> dict[str, FindingModelFull]:
    """Return the models of JSON *texts*, by id.

    Raises:
        DocumentError: one is no valid model to this version of the package.
    """
    models = {}
    for oifm_id, text in texts.items():
        parsed = parse_model(text)
        if parsed.model is None:
            raise DocumentError(oifm_id, parsed.problems)
        models[oifm_id] = parsed.model
    return models


def _to_hits(rows: Iterable[HitRow]) -> Hits:
    """Return *rows* as models."""
    return Hits(
        make_hits(
            [
                {**entry, "score": score, "matched": matched, "negated": negated}
                for entry, score, matched, negated in rows
            ]
        )
    )
