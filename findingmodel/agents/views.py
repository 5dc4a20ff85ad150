"""Entries, hits and models as `findingmodel.agents.shapes` has them, whole and short."""

from __future__ import annotations

from math import floor
from typing import TYPE_CHECKING, Any

from findingmodel.agents.shapes import FoundModel, PhraseMatch, Resolution
from findingmodel.search.hits import is_clear, main_reason

if TYPE_CHECKING:
    from collections.abc import Sequence

    from findingmodel.errors import QueryError
    from findingmodel.model import AttributeIded, FindingModelFull, SearchHit

__all__ = [
    "attribute_outline",
    "found_model",
    "model_heads",
    "phrase_match",
    "resolution",
    "short_resolution",
    "to_json",
]

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
