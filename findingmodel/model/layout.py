"""The canonical layout of a finding model file: its order of fields and its JSON text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from findingmodel.model.attributes import (
    ChoiceAttributeIded,
    ChoiceValueIded,
    IndexCode,
    NumericAttributeIded,
    Organization,
    Person,
)
from findingmodel.model.finding import FindingModelFull

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.model.attributes import Record

__all__ = ["Members", "canonical", "compact", "indented", "read"]

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_INDENT = "  "
_BYTE_ORDER_MARK = "\ufeff"


class Digits(str):
    """A number as it was written."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """The fields of an object in their order; a repeated field stands as often as it was written."""

    __slots__ = ()


_decoder = json.JSONDecoder(object_pairs_hook=Members, parse_int=Digits, parse_float=Digits)


def read(data: bytes) -> Any:
    """Parse *data*, with a byte order mark or without: objects become `Members`, numbers keep their text.

    See `compact` and `indented`.

    Raises:
        ValueError: *data* is no JSON in UTF-8.
    """
    return _decoder.decode(data.decode().removeprefix(_BYTE_ORDER_MARK))


def compact(value: Any) -> str:
    """Write what `read` gave, in one line and without a space too many.

    >>> compact(read(b'{ "a": [1.0, 1e5, 12345678901234567890] }'))
    '{"a":[1.0,1e5,12345678901234567890]}'
    """
    if isinstance(value, Members):
        return "{" + ",".join([f"{_quoted(key)}:{compact(member)}" for key, member in value]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return _scalar(value)


def indented(value: Any) -> str:
    """Write what `read` gave, as ``json.dumps(..., indent=2, ensure_ascii=False)`` would.

    >>> print(indented(read(b'{"a": [1.0], "b": []}')))
    {
      "a": [
        1.0
      ],
      "b": []
    }
    """
    return "".join(_indented(value, "\n"))


def _indented(value: Any, line: str) -> Iterator[str]:
    """Yield the parts of *value*; *line* is a line feed and the indentation of where it stands."""
    if not isinstance(value, list) or not value:
        yield compact(value)
        return
    inner = line + _INDENT
    opening, closing = "{}" if isinstance(value, Members) else "[]"
    separator = opening + inner
    for item in value:
        yield separator
        if isinstance(value, Members):
            yield f"{_quoted(item[0])}: "
            item = item[1]
        yield from _indented(item, inner)
        separator = "," + inner
    yield line + closing


def _scalar(value: Any) -> str:
    return str(value) if isinstance(value, Digits) else _quoted(value)


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
