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
