"""A finding model as HTML for notebooks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.model.attributes import ChoiceAttributeIded
from findingmodel.model.html import facts, listed, table
from findingmodel.model.value_rules import number_range

if TYPE_CHECKING:
    from findingmodel.model.attributes import AttributeIded
    from findingmodel.model.finding import FindingModelFull

__all__ = ["model_html"]


def model_html(model: FindingModelFull) -> str:
    """Return what *model* is, and a table of its attributes."""
    told = [
        ("id", model.oifm_id),
        ("description", model.description),
        ("synonyms", listed(model.synonyms)),
        ("tags", listed(model.tags)),
        ("codes", model.index_codes_str or ""),
    ]
    rows = [
        (attribute.oifma_id, attribute.name, attribute.type.value, _may_be(attribute))
        for attribute in model.attributes
    ]
    return facts(model.name, told) + table(("id", "attribute", "type", "values"), rows)


def _may_be(attribute: AttributeIded) -> str:
    if isinstance(attribute, ChoiceAttributeIded):
        return listed(value.name for value in attribute.values)
    return number_range(attribute)
