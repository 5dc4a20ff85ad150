"""One whole model as an answer: attributes are shortened or left out from the end where it does not fit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.agents.budget import fit, fits, left_out
from findingmodel.agents.shapes import ModelAnswer
from findingmodel.agents.views import attribute_outline, model_heads, to_json
from findingmodel.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from findingmodel.model import FindingModelFull, IndexEntry

    Build = Callable[[int, int], ModelAnswer]

__all__ = ["model_answer"]

_MOST_OTHERS = 5
_LESS_NEEDED = ("contributors", "synonyms", "tags", "index_codes")


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
    count = len(model.attributes)
    everything = make(model, model_heads(model)[0], _others(others))(count, count)
    if fits(everything, max_tokens):
        return everything
    *heads, barest = model_heads(model)[1:]
    for head in heads:
        try:
            return fit(count, make(model, head), max_tokens)
        except QueryError:
            continue
    return fit(count, make(model, barest), max_tokens)


def _document(model: FindingModelFull, head: FindingModelFull, hint: str | None = None) -> Build:
    """Return what makes the answer in JSON."""
    whole = [to_json(attribute) for attribute in model.attributes]
    short = [attribute_outline(attribute) for attribute in model.attributes]
    facts = to_json(head)

    def build(kept: int, full: int) -> ModelAnswer:
        content = facts | {"attributes": [*whole[:full], *short[full:kept]]}
        missing = _missing(model, head, kept, full)
        return ModelAnswer(oifm_id=model.oifm_id, name=model.name, model=content, hint=hint, left_out=missing)

    return build


def _page(model: FindingModelFull, head: FindingModelFull, hint: str | None = None) -> Build:
    """Return what makes the answer in Markdown, in which attributes are left out but not shortened."""

    def build(kept: int, _full: int) -> ModelAnswer:
        page = head.model_copy(update={"attributes": model.attributes[:kept]}).as_markdown()
        missing = _missing(model, head, kept, kept)
        return ModelAnswer(oifm_id=model.oifm_id, name=model.name, markdown=page, hint=hint, left_out=missing)

    return build


def _missing(model: FindingModelFull, head: FindingModelFull, kept: int, whole: int) -> str | None:
    attributes = left_out("attribute", len(model.attributes), kept, whole)
    gone = [field for field in _LESS_NEEDED if getattr(head, field) != getattr(model, field)]
    if not gone:
        return attributes
    return f"Left out: {', '.join(gone)}. {attributes or 'Allow more max_tokens.'}"


def _others(others: Sequence[IndexEntry]) -> str | None:
    if not others:
        return None
    names = ", ".join(f"{entry.oifm_id} ({entry.name})" for entry in others[:_MOST_OTHERS])
    return f"{len(others)} more with this name: {names}"
