"""What an Index returns: entries, hits, pages and suggestions."""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from unicodedata import normalize

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, TypeAdapter, field_serializer

from findingmodel.batch.search import search_batch
from findingmodel.errors import DocumentError, QueryError
from findingmodel.limits import MAX_QUERY_CHARACTERS
from findingmodel.model.attributes import Organization, Person
from findingmodel.model.parse import parse_model
from findingmodel.render.html import entries_html, entry_html, hit_html, hits_html
from findingmodel.search.hits import Match
from findingmodel.text.normalize import tokenize
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from findingmodel.model.finding import FindingModelFull
    from findingmodel.search.cached_searcher import CachedSearcher
    from findingmodel.search.hits import HitRow
    from findingmodel.search.searcher import Searcher
    from findingmodel.stores.records import Credit, EntryRow
    from findingmodel.text.query import Query

    Row = dict[str, str | float | bool | None]

__all__ = [
    "AttributeInfo",
    "CodeMatch",
    "ENTRY_COLUMNS",
    "HIT_COLUMNS",
    "Hits",
    "IndexEntry",
    "Match",
    "Page",
    "SearchAnswers",
    "SearchHit",
    "Suggestion",
    "answer",
    "answer_all",
    "make_hits",
    "to_dicts",
    "to_entries",
    "to_entry",
    "to_models",
    "to_organization",
    "to_person",
]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class AttributeInfo(_Frozen):
    """The id, name and type (``choice`` or ``numeric``) of one attribute."""

    attribute_id: str
    name: str
    type: str


class IndexEntry(_Frozen):
    """What an index holds for one finding model: enough to find it, to list it and to see whether it changed.

    `filename` is the POSIX path of the file below the indexed directory, `file_hash_sha256` the SHA-256 of
    its bytes in hexadecimal; `contributors` are GitHub user names and codes of organizations.
    """

    oifm_id: str
    name: str
    slug_name: str
    filename: str
    file_hash_sha256: str
    description: str | None = None
    synonyms: list[str] | None = None
    tags: list[str] | None = None
    contributors: list[str] | None = None
    attributes: list[AttributeInfo] = Field(default_factory=list, min_length=1)

    def match(self, name_or_id_or_synonym: str) -> bool:
        """Tell whether this is the entry's id, its name or one of its synonyms, whatever the case."""
        wanted = _folded(name_or_id_or_synonym)
        return any(wanted == _folded(key) for key in (self.oifm_id, self.name, *(self.synonyms or ())))

    def __repr__(self) -> str:
        return f"IndexEntry({self.oifm_id} {self.name!r}, attributes: {len(self.attributes)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return entry_html(self)


# A search has made them already, and making them anew takes most of the time that a hit takes.
_Match = Annotated[InstanceOf[Match] | Match, Field(union_mode="left_to_right")]


class SearchHit(IndexEntry):
    """An entry that a search found.

    Attributes:
        score: higher is better; 1 and more is an exact match.
        matched: why it was found.
        negated: the query denies this finding, as in "no pneumothorax".
    """

    score: float
    matched: tuple[_Match, ...] = ()
    negated: bool = False

    @field_serializer("matched")
    def _by_name(self, matched: tuple[Match, ...]) -> list[dict[str, Any]]:
        return [match._asdict() for match in matched]

    def __repr__(self) -> str:
        stages = ", ".join(dict.fromkeys(match.stage for match in self.matched))
        found_by = f", found by {stages}" if stages else ""
        denied = ", denied" if self.negated else ""
        return f"SearchHit({self.oifm_id} {self.name!r}, score {self.score:.3f}{found_by}{denied})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return hit_html(self)


def make_hits(fields: list[dict[str, Any]]) -> list[SearchHit]:
    """Return hits with these *fields*, by one call for all of them; what is frozen already is not copied."""
    return _hits().validate_python(fields)


@cache
def _hits() -> TypeAdapter[list[SearchHit]]:
    return TypeAdapter(list[SearchHit])


def _folded(text: str) -> str:
    return " ".join(normalize("NFKC", text).casefold().split())


ENTRY_COLUMNS = tuple(IndexEntry.model_fields)
HIT_COLUMNS = tuple(SearchHit.model_fields)
_BETWEEN = "; "


def to_dicts(entries: Iterable[IndexEntry]) -> list[Row]:
    """Return a flat row for each of *entries*, by the names of its fields, in their order.

    The items of a list become one text with ``"; "`` between them, which is empty where there are none:
    ``synonyms``, ``tags``, ``contributors``, the names of ``attributes``, and why a hit ``matched``, as in
    ``name: lung nodule``. `csv.DictWriter` and libraries of data frames take the rows as they are.
    """
    return [_row(entry) for entry in entries]


def _row(entry: IndexEntry) -> Row:
    row: Row = {
        "oifm_id": entry.oifm_id,
        "name": entry.name,
        "slug_name": entry.slug_name,
        "filename": entry.filename,
        "file_hash_sha256": entry.file_hash_sha256,
        "description": entry.description,
        "synonyms": _joined(entry.synonyms),
        "tags": _joined(entry.tags),
        "contributors": _joined(entry.contributors),
        "attributes": _joined(attribute.name for attribute in entry.attributes),
    }
    if isinstance(entry, SearchHit):
        row["score"] = entry.score
        row["matched"] = _joined(f"{match.field}: {' '.join(match.terms)}" for match in entry.matched)
        row["negated"] = entry.negated
    return row


def _joined(texts: Iterable[str] | None) -> str:
    return _BETWEEN.join(texts or ())


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
    query = _parsed(text[:MAX_QUERY_CHARACTERS], tuple(tags))
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
    asked = {text: text[:MAX_QUERY_CHARACTERS] for text in texts}
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
