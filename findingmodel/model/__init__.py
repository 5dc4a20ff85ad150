"""What a finding model is: its parts, their rules, reading it from bytes, writing it as Markdown. No I/O.

The names below are loaded when they are first used: pydantic is imported by none but those who need it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from findingmodel.model.attributes import (
        Attribute,
        AttributeIded,
        AttributeType,
        ChoiceAttribute,
        ChoiceAttributeIded,
        ChoiceValue,
        ChoiceValueIded,
        NumericAttribute,
        NumericAttributeIded,
    )
    from findingmodel.model.codes import IndexCode
    from findingmodel.model.contributors import Contributor, Organization, Person
    from findingmodel.model.entry import AttributeInfo, IndexEntry, SearchHit
    from findingmodel.model.finding import FindingModelBase, FindingModelFull, add_ids
    from findingmodel.model.ids import generate_oifm_id, generate_oifma_id
    from findingmodel.model.markdown import to_markdown
    from findingmodel.model.match import Match
    from findingmodel.model.parse import Parsed, parse_model
    from findingmodel.model.table import to_dicts

__all__ = [
    "Attribute",
    "AttributeIded",
    "AttributeInfo",
    "AttributeType",
    "ChoiceAttribute",
    "ChoiceAttributeIded",
    "ChoiceValue",
    "ChoiceValueIded",
    "Contributor",
    "FindingModelBase",
    "FindingModelFull",
    "IndexCode",
    "IndexEntry",
    "Match",
    "NumericAttribute",
    "NumericAttributeIded",
    "Organization",
    "Parsed",
    "Person",
    "SearchHit",
    "add_ids",
    "generate_oifm_id",
    "generate_oifma_id",
    "parse_model",
    "to_dicts",
    "to_markdown",
]

_MODULES = {
    "attributes": (
        "Attribute AttributeIded AttributeType ChoiceAttribute ChoiceAttributeIded ChoiceValue "
        "ChoiceValueIded NumericAttribute NumericAttributeIded"
    ),
    "codes": "IndexCode",
    "contributors": "Contributor Organization Person",
    "entry": "AttributeInfo IndexEntry SearchHit",
    "finding": "FindingModelBase FindingModelFull add_ids",
    "ids": "generate_oifm_id generate_oifma_id",
    "markdown": "to_markdown",
    "match": "Match",
    "parse": "Parsed parse_model",
    "table": "to_dicts",
}
_HOME = {name: module for module, names in _MODULES.items() for name in names.split()}


def __getattr__(name: str) -> object:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value: object = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value  # found without this function from now on
    return value


def __dir__() -> list[str]:
    return __all__
