"""The answers of the tools: their classes, and how entries, hits and models become answers."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict, Field

from findingmodel.agents.budget import fit, fits, left_out
from findingmodel.errors import QueryError
from findingmodel.search.hits import is_clear, main_reason

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from findingmodel.index.results import IndexEntry, SearchHit
    from findingmodel.model.attributes import AttributeIded
    from findingmodel.model.finding import FindingModelFull

    Build = Callable[[int, int], "ModelAnswer"]

__all__ = [
    "Answer",
    "FoundModel",
    "IndexStats",
    "ModelAnswer",
    "PhraseMatch",
    "Resolution",
    "ResolveAnswer",
    "SearchAnswer",
    "TagCount",
    "TagsAnswer",
    "attribute_outline",
    "found_model",
    "model_answer",
    "model_heads",
    "phrase_match",
    "resolution",
    "short_resolution",
    "to_json",
]


def _without_titles(schema: dict[str, Any]) -> None:
    """Drop from a JSON schema what only repeats names: agents pay for every word of it."""
    for part in (schema, *schema.get("properties", {}).values()):
        part.pop("title", None)


class _Shape(BaseModel):
    model_config = ConfigDict(frozen=True, defer_build=True, json_schema_extra=_without_titles)


class Answer(_Shape):
    """What every tool answers with: members that say nothing are left away."""

    hint: str | None = Field(default=None, description="What to try next")
    left_out: str | None = Field(
        default=None,
        description="What was shortened or left out to stay within max_tokens; absent if nothing",
    )

    def as_json(self) -> str:
        """Return the answer as JSON in one line, which is what counts against a budget."""
        return self.model_dump_json(exclude_defaults=True)

    def as_dict(self) -> dict[str, Any]:
        """Return the answer ready for JSON."""
        return self.model_dump(mode="json", exclude_defaults=True)


class PhraseMatch(_Shape):
    """A finding model that a phrase may mean."""

    oifm_id: str
    name: str
    score: float = Field(description="Higher is better; 1 or more is exact, below 0.5 is doubtful")
    exact: bool = Field(default=False, description="The phrase is this model's id, name or synonym")
    denied: bool = Field(default=False, description='The phrase denies it, as in "no pneumothorax"')
    found_by: str | None = Field(default=None, description="What matched best")


class FoundModel(PhraseMatch):
    """A finding model that a search found; a shortened one has no members below found_by."""

    synonyms: list[str] | None = None
    tags: list[str] | None = None
    description: str | None = None
    attributes: list[str] | None = Field(default=None, description="Names of what describes the finding")


class SearchAnswer(Answer):
    """Finding models that answer a query, best first."""

    models: list[FoundModel]


class ModelAnswer(Answer):
    """One finding model, as JSON or as Markdown."""

    oifm_id: str
    name: str
    model: dict[str, Any] | None = Field(
        default=None, description="The whole finding model with attributes, values, codes and contributors"
    )
    markdown: str | None = Field(default=None, description="The same as a page to read")


class Resolution(_Shape):
    """A phrase and what it may mean."""

    phrase: str
    clear: bool = Field(default=False, description="The first match is very likely meant: 9 in 10 are right")
    matches: list[PhraseMatch] = Field(description="Best first; empty if nothing in the index fits")
    error: str | None = Field(default=None, description="Why the phrase could not be understood")


class ResolveAnswer(Answer):
    """Every phrase, in the order asked, with what it may mean."""

    resolutions: list[Resolution]


class TagCount(_Shape):
    """A tag and how many models have it."""

    tag: str
    models: int


class TagsAnswer(Answer):
    """Tags, the most frequent first."""

    tags: list[TagCount]
    total: int = Field(description="How many tags fit what was asked for")


class IndexStats(Answer):
    """What there is in the index."""

    database: str
    models: int
    people: int
    organizations: int
    tags: int
    version: str = Field(description="The version of findingmodel that answers")


_PLAIN = ("id", "name", "slug")  # fields that speak for themselves


def phrase_match(hit: SearchHit) -> PhraseMatch:
    """Return what tells which model *hit* is, and why it was found."""
    return PhraseMatch(**_identity(hit))


def found_model(hit: SearchHit) -> FoundModel:
    """Return all that an index entry says of *hit*."""
    return FoundModel(
        **_identity(hit),
        synonyms=hit.synonyms,
        tags=hit.tags,
        description=hit.description,
        attributes=[attribute.name for attribute in hit.attributes],
    )


def resolution(phrase: str, hits: Sequence[SearchHit], error: QueryError | None) -> Resolution:
    """Return what *phrase* may mean: exact matches alone if there are any, for then the rest is noise."""
    exact = [hit for hit in hits if hit.score >= 1]
    return Resolution(
        phrase=phrase,
        clear=is_clear(hits),
        matches=[phrase_match(hit) for hit in exact or hits],
        error=None if error is None else str(error),
    )


def short_resolution(whole: Resolution) -> Resolution:
    """Return *whole* with its best match alone."""
    return whole.model_copy(update={"matches": whole.matches[:1]})


def model_heads(model: FindingModelFull) -> tuple[FindingModelFull, FindingModelFull, FindingModelFull]:
    """Return *model* without attributes: whole, without contributors, and with its description alone."""
    whole = model.model_copy(update={"attributes": []})
    told = model.model_dump(include={"oifm_id", "name", "description"})
    bare = model.model_construct(**told, attributes=[])
    return whole, whole.model_copy(update={"contributors": None}), bare


def to_json(part: FindingModelFull | AttributeIded) -> dict[str, Any]:
    """Return a model or an attribute as its file has it."""
    return part.model_dump(mode="json", exclude_unset=True, exclude_none=True)


def attribute_outline(attribute: AttributeIded) -> dict[str, Any]:
    """Return what tells which attribute this is."""
    return {"oifma_id": attribute.oifma_id, "name": attribute.name, "type": attribute.type.value}


def _identity(hit: SearchHit) -> dict[str, Any]:
    reason = main_reason(hit)
    words = " ".join(reason.terms) if reason else ""
    field = reason.field if reason else ""
    return {
        "oifm_id": hit.oifm_id,
        "name": hit.name,
        "score": floor(100 * hit.score) / 100,  # rounded up, it might seem exact
        "exact": hit.score >= 1,
        "denied": hit.negated,
        "found_by": (field if field in _PLAIN else f"{field}: {words}") or None,
    }


_MOST_OTHERS = 5


def model_answer(
    model: FindingModelFull, others: Sequence[IndexEntry], *, markdown: bool, max_tokens: int
) -> ModelAnswer:
    """Return *model* with as much of it as fits; who made it is the first to go.

    Args:
        model: the whole model.
        others: other models with the name that was asked for.
        markdown: as a page rather than as JSON.
        max_tokens: the budget.

    Raises:
        QueryError: not even its name and description fit.
    """
    make = _page if markdown else _document
    whole, lighter, barest = model_heads(model)
    count = len(model.attributes)
    hint = _others(others)
    everything = make(model, whole, hint, [])(count, count)
    if fits(everything, max_tokens):
        return everything
    gone = ["other models with this name"] if others else []
    try:
        return fit(count, make(model, lighter, hint, _gone(model, lighter)), max_tokens)
    except QueryError:
        return fit(count, make(model, barest, None, _gone(model, barest) + gone), max_tokens)


def _document(model: FindingModelFull, head: FindingModelFull, hint: str | None, gone: list[str]) -> Build:
    """Return what makes the answer in JSON."""
    whole = [to_json(attribute) for attribute in model.attributes]
    short = [attribute_outline(attribute) for attribute in model.attributes]
    facts = to_json(head)

    def build(kept: int, full: int) -> ModelAnswer:
        content = facts | {"attributes": [*whole[:full], *short[full:kept]]}
        missing = _missing(gone, len(whole), kept, full)
        return ModelAnswer(oifm_id=model.oifm_id, name=model.name, model=content, hint=hint, left_out=missing)

    return build


def _page(model: FindingModelFull, head: FindingModelFull, hint: str | None, gone: list[str]) -> Build:
    """Return what makes the answer in Markdown, in which attributes are left out but not shortened."""

    def build(kept: int, _full: int) -> ModelAnswer:
        page = head.model_copy(update={"attributes": model.attributes[:kept]}).as_markdown()
        missing = _missing(gone, len(model.attributes), kept, kept)
        return ModelAnswer(oifm_id=model.oifm_id, name=model.name, markdown=page, hint=hint, left_out=missing)

    return build


def _gone(model: FindingModelFull, head: FindingModelFull) -> list[str]:
    """Return the names of the fields that *head* lacks."""
    kept = to_json(head)
    return [field for field in to_json(model) if field not in kept]


def _missing(gone: list[str], attributes: int, kept: int, whole: int) -> str | None:
    rest = left_out("attribute", attributes, kept, whole)
    return f"Left out: {', '.join(gone)}. {rest or 'Allow more max_tokens.'}" if gone else rest


def _others(others: Sequence[IndexEntry]) -> str | None:
    if not others:
        return None
    names = ", ".join(f"{entry.oifm_id} ({entry.name})" for entry in others[:_MOST_OTHERS])
    return f"{len(others)} more with this name: {names}"
