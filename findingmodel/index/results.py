"""The values that an Index returns: entries, hits, pages, suggestions, and answers of a batch."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple
from unicodedata import normalize

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, TypeAdapter, field_serializer

from findingmodel.errors import DocumentError, QueryError
from findingmodel.model.finding import Organization, Person
from findingmodel.model.parse import parse_model
from findingmodel.render.html import entries_html, entry_html, hit_html, hits_html
from findingmodel.search.hits import Match

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from findingmodel.model.finding import FindingModelFull
    from findingmodel.search.hits import HitRow
    from findingmodel.stores.records import Credit, EntryRow

    Row = dict[str, str | float | bool | None]


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True)


class AttributeInfo(_Frozen):
    """The id, name and type (``choice`` or ``numeric``) of one attribute."""

    attribute_id: str
    name: str
    type: str


class IndexEntry(_Frozen):
    """What an index holds for one finding model: enough to find it, to list it, and to detect changes.

    Attributes:
        oifm_id: the model's id.
        name: its name.
        slug_name: the name as a file name, such as ``pulmonary_nodule``.
        filename: POSIX path of the file, relative to the indexed directory.
        file_hash_sha256: SHA-256 of the file's bytes, in hexadecimal.
        description: None if the model has none; the same holds for the lists.
        synonyms: other names.
        tags: its tags.
        contributors: GitHub user names and organization codes.
        attributes: the attributes, at least one.
        replaces: ids of retired models, by which this one is found.
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
    replaces: list[str] | None = None

    def match(self, name_or_id_or_synonym: str) -> bool:
        """Return whether this is the entry's id, its name or one of its synonyms, in any case."""
        folded = _folded(name_or_id_or_synonym)
        keys = (self.oifm_id, self.name, *(self.synonyms or ()), *(self.replaces or ()))
        return any(folded == _folded(key) for key in keys)

    def __repr__(self) -> str:
        return f"IndexEntry({self.oifm_id} {self.name!r}, attributes: {len(self.attributes)})"

    __str__ = __repr__

    def _repr_html_(self) -> str:
        return entry_html(self)


# A search has validated them already; doing it again would take most of the time of a hit.
_Match = Annotated[InstanceOf[Match] | Match, Field(union_mode="left_to_right")]


class SearchHit(IndexEntry):
    """An entry that a search found.

    Attributes:
        score: higher is better; 1 or more is an exact match.
        matched: the reasons why it was found.
        negated: whether the query denies this finding, as in "no pneumothorax".
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


def _folded(text: str) -> str:
    return " ".join(normalize("NFKC", text).casefold().split())


HIT_COLUMNS = tuple(SearchHit.model_fields)
_BETWEEN = "; "


def to_dicts(entries: Iterable[IndexEntry]) -> list[Row]:
    """Return a flat row for each entry, for `csv.DictWriter` or a data frame.

    The keys are the names of the entry's fields. Lists become one text, joined with ``"; "``: ``synonyms``,
    ``tags``, ``contributors``, the names of ``attributes``, and for a hit the reasons why it ``matched``, as
    in ``name: lung nodule``.
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
        "replaces": _joined(entry.replaces),
    }
    if isinstance(entry, SearchHit):
        row["score"] = entry.score
        row["matched"] = _joined(f"{match.field}: {' '.join(match.terms)}" for match in entry.matched)
        row["negated"] = entry.negated
    return row


def _joined(texts: Iterable[str] | None) -> str:
    return _BETWEEN.join(texts or ())


class Page(NamedTuple):
    """A part of a longer list of entries.

    Attributes:
        entries: the entries of this page.
        total: the number of entries on all pages.
    """

    entries: list[IndexEntry]
    total: int

    def to_dicts(self) -> list[Row]:
        """Return the entries as flat rows (`findingmodel.to_dicts`)."""
        return to_dicts(self.entries)

    def _repr_html_(self) -> str:
        return entries_html(self.entries, f"{len(self.entries)} of {self.total}")


class Suggestion(NamedTuple):
    """An entry that completes what a user has typed.

    Attributes:
        entry: the entry.
        label: its name or synonym that begins as typed.
    """

    entry: IndexEntry
    label: str


class CodeMatch(NamedTuple):
    """A part of a model that has a given ontology code.

    Attributes:
        entry: the entry of the model.
        place: "model", "attribute" or "value".
        id: the part's ``oifm_id``, ``oifma_id`` or ``value_code``.
        name: the part's name.
    """

    entry: IndexEntry
    place: str
    id: str
    name: str


class Hits(list[SearchHit]):
    """The hits of a search, best first: a list that a notebook displays as a table."""

    def to_dicts(self) -> list[Row]:
        """Return the hits as flat rows (`findingmodel.to_dicts`)."""
        return to_dicts(self)

    def _repr_html_(self) -> str:
        return hits_html(self)


class SearchAnswers(dict[str, list[SearchHit]]):
    """The hits of each query of a batch, by query, in the order of the batch.

    Attributes:
        errors: by query, the error that `Index.search` would raise. Such a query has no hits.
    """

    def __init__(self, hits: Mapping[str, list[SearchHit]], errors: Mapping[str, QueryError]) -> None:
        super().__init__(hits)
        self.errors = dict(errors)

    def to_dicts(self) -> list[Row]:
        """Return the hits as flat rows that begin with ``query`` and ``rank``, which counts from 1.

        A query without hits has one row, with rank 0 and otherwise None.
        """
        rows: list[Row] = []
        for query, hits in self.items():
            flat = to_dicts(hits) or [dict.fromkeys(HIT_COLUMNS)]
            rows += [{"query": query, "rank": rank if hits else 0, **row} for rank, row in enumerate(flat, 1)]
        return rows

    def _repr_html_(self) -> str:
        return "".join(hits_html(hits, query) for query, hits in self.items())


def to_entry(row: EntryRow) -> IndexEntry:
    """Return a stored row as an entry."""
    return IndexEntry.model_validate(row)


def to_entries(rows: Iterable[EntryRow]) -> list[IndexEntry]:
    """Return stored rows as entries."""
    return [IndexEntry.model_validate(row) for row in rows]


def to_person(credit: Credit) -> Person:
    """Return the person of a stored contributor."""
    return Person.model_validate(credit.fields)


def to_organization(credit: Credit) -> Organization:
    """Return the organization of a stored contributor."""
    return Organization.model_validate(credit.fields)


def to_models(texts: Mapping[str, bytes]) -> dict[str, FindingModelFull]:
    """Return the models of stored JSON *texts*, by id.

    Raises:
        DocumentError: this version cannot parse a stored model.
    """
    models = {}
    for oifm_id, text in texts.items():
        parsed = parse_model(text)
        if parsed.model is None:
            raise DocumentError(oifm_id, parsed.problems)
        models[oifm_id] = parsed.model
    return models


def to_hits(rows: Iterable[HitRow]) -> Hits:
    """Return the rows that a search found as hits."""
    return _make_hits(
        [
            {**entry, "score": score, "matched": matched, "negated": negated}
            for entry, score, matched, negated in rows
        ]
    )


def copy_hits(hits: Iterable[SearchHit]) -> Hits:
    """Return copies of *hits*: a caller may change the lists in them, and *hits* are in a cache."""
    return _make_hits([hit.__dict__ for hit in hits])


def _make_hits(fields: list[dict[str, Any]]) -> Hits:
    return Hits(_hit_list().validate_python(fields))


@cache
def _hit_list() -> TypeAdapter[list[SearchHit]]:
    return TypeAdapter(list[SearchHit])
