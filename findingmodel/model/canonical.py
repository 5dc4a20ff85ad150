"""The one layout of a finding model file, so that a diff shows what was changed and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from findingmodel.model.attributes import ChoiceAttributeIded, ChoiceValueIded, NumericAttributeIded
from findingmodel.model.codes import IndexCode
from findingmodel.model.contributors import Organization, Person
from findingmodel.model.finding import FindingModelFull
from findingmodel.model.jsontext import Members, indented, read

if TYPE_CHECKING:
    from findingmodel.model.record import Record

__all__ = ["canonical"]


def canonical(data: bytes) -> bytes:
    r"""Return *data*, the bytes of a valid finding model file, in their canonical layout.

    Fields stand in the order of the schema, those that it does not know behind them; two spaces of
    indentation, UTF-8 without a byte order mark, a line feed at the end. Every value stays what it is, and
    every number is written as it was. What is canonical already stays the same, byte for byte.

    Raises:
        ValueError: *data* is no JSON in UTF-8.

    >>> canonical(b'{"name": "caf\\u00e9", "x": 1.0, "oifm_id": "OIFM_TEST_000001"}').decode().splitlines()
    ['{', '  "oifm_id": "OIFM_TEST_000001",', '  "name": "café",', '  "x": 1.0', '}']
    """
    return f"{indented(_ordered(read(data), FindingModelFull))}\n".encode()


def _ordered(value: Any, kind: type[Record]) -> Any:
    """Return *value*, meant to be a *kind*, with its fields and those of its parts in order."""
    if not isinstance(value, Members):
        return value
    rank = _RANKS[kind]
    known = sorted(value, key=lambda member: rank.get(member[0], len(rank)))
    return Members([(key, _with_ordered_items(key, member)) for key, member in known])


def _with_ordered_items(field: str, value: Any) -> Any:
    if field not in _PARTS or isinstance(value, Members) or not isinstance(value, list):
        return value
    return [_ordered(item, _kind(field, item)) for item in value]


def _kind(field: str, item: Any) -> type[Record]:
    first, second = _PARTS[field]
    if first is second or not isinstance(item, Members):
        return first
    names = {name for name, _ in item}
    return first if names >= _MARKS[first] else second


_PARTS: dict[str, tuple[type[Record], type[Record]]] = {
    "attributes": (ChoiceAttributeIded, NumericAttributeIded),
    "contributors": (Person, Organization),
    "index_codes": (IndexCode, IndexCode),
    "values": (ChoiceValueIded, ChoiceValueIded),
}
"""What the items of a list are, by the list's name: the first where it has the fields of `_MARKS`."""

_MARKS = {ChoiceAttributeIded: {"values"}, Person: {"github_username"}}

_RANKS: dict[type[Record], dict[str, int]] = {
    kind: {name: place for place, name in enumerate(kind.model_fields)}
    for kind in (
        ChoiceAttributeIded,
        ChoiceValueIded,
        FindingModelFull,
        IndexCode,
        NumericAttributeIded,
        Organization,
        Person,
    )
}
