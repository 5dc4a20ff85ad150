"""What an index holds for a finding model, and what a search gives back."""

from __future__ import annotations

from functools import cache
from typing import Annotated, Any
from unicodedata import normalize

from pydantic import BaseModel, ConfigDict, Field, InstanceOf, TypeAdapter, field_serializer

from findingmodel.model.html import entry_html, hit_html
from findingmodel.model.match import Match

__all__ = ["AttributeInfo", "IndexEntry", "Match", "SearchHit", "make_hits"]


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
