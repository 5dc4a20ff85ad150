"""What may be said for an attribute, in words. Plain text: whoever shows it escapes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from findingmodel.model.attributes import (
        ChoiceAttribute,
        ChoiceAttributeIded,
        NumericAttribute,
        NumericAttributeIded,
    )

__all__ = ["most_chosen", "number_range"]


def most_chosen(attribute: ChoiceAttribute | ChoiceAttributeIded) -> str:
    """Return how many values may be chosen: ``one``, or ``up to 3``."""
    return "one" if attribute.max_selected == 1 else f"up to {attribute.max_selected}"


def number_range(attribute: NumericAttribute | NumericAttributeIded) -> str:
    """Return the bounds and the unit, those that are stated: ``from 0 to 30 mm``."""
    bounds = [("from", attribute.minimum), ("to", attribute.maximum)]
    stated = [f"{word} {bound}" for word, bound in bounds if bound is not None]
    return " ".join(filter(None, [*stated, attribute.unit]))
