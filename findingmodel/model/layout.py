"""The canonical layout of finding model files: the order of fields, indentation, encoding."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any

from findingmodel.model.finding import (
    ChoiceAttributeIded,
    ChoiceValueIded,
    FindingModelFull,
    IndexCode,
    NumericAttributeIded,
    Organization,
    Person,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from findingmodel.model.finding import Record

_quoted = json.JSONEncoder(ensure_ascii=False).encode
_INDENT = "  "
_BYTE_ORDER_MARK = "\ufeff"


class Digits(str):
    """The text of a number."""

    __slots__ = ()


class Members(list[tuple[str, Any]]):
    """The fields of an object in order; repeated fields are kept."""

    __slots__ = ()


_decoder = json.JSONDecoder(object_pairs_hook=Members, parse_int=Digits, parse_float=Digits)


def read(data: bytes) -> Any:
    """Parse *data*, with or without a byte order mark: objects become `Members`, numbers keep their text.

    `compact` and `indented` are the reverse.

    Raises:
        ValueError: *data* is not JSON in UTF-8.
    """
    return _decoder.decode(data.decode().removeprefix(_BYTE_ORDER_MARK))


def compact(value: Any) -> str:
    """Return the JSON text of a value from `read`, in one line without spaces.

    >>> compact(read(b'{ "a": [1.0, 1e5, 12345678901234567890] }'))
    '{"a":[1.0,1e5,12345678901234567890]}'
    """
    if isinstance(value, Members):
        return "{" + ",".join([f"{_quoted(key)}:{compact(member)}" for key, member in value]) + "}"
    if isinstance(value, list):
        return "[" + ",".join(map(compact, value)) + "]"
    return str(value) if isinstance(value, Digits) else _quoted(value)


def indented(value: Any) -> str:
    """Return the JSON text of a value from `read`, as ``json.dumps(..., indent=2, ensure_ascii=False)`` does.

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
    """Yield the text of *value* in parts; *line* is a line feed and the current indentation."""
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


def canonical(data: bytes) -> bytes:
    r"""Return *data*, the bytes of a valid finding model file, in canonical layout.

    Fields are in the order of the schema, followed by unknown fields; the text is indented by two spaces,
    encoded as UTF-8 without a byte order mark, and ends with a line feed. Values do not change, numbers keep
    their digits. Canonical files are returned unchanged.

    Raises:
        ValueError: *data* is not JSON in UTF-8.

    >>> canonical(b'{"name": "caf\\u00e9", "x": 1.0, "oifm_id": "OIFM_TEST_000001"}').decode().splitlines()
    ['{', '  "oifm_id": "OIFM_TEST_000001",', '  "name": "café",', '  "x": 1.0', '}']
    """
    return f"{indented(_ordered(read(data), FindingModelFull))}\n".encode()


def _ordered(value: Any, kind: type[Record]) -> Any:
    """Return *value*, an object of class *kind*, with its fields and those of its parts in order."""
    if not isinstance(value, Members):
        return value
    rank = _ranks(kind)
    members = sorted(value, key=lambda member: rank.get(member[0], len(rank)))
    return Members([(key, _with_ordered_items(key, member)) for key, member in members])


def _with_ordered_items(field: str, value: Any) -> Any:
    if field not in _CLASSES or isinstance(value, Members) or not isinstance(value, list):
        return value
    return [_ordered(item, _CLASSES[field](item)) for item in value]


def _has(name: str, item: Any) -> bool:
    return isinstance(item, Members) and any(field == name for field, _ in item)


_CLASSES: dict[str, Callable[[Any], type[Record]]] = {
    "attributes": lambda item: ChoiceAttributeIded if _has("values", item) else NumericAttributeIded,
    "contributors": lambda item: Person if _has("github_username", item) else Organization,
    "index_codes": lambda item: IndexCode,
    "values": lambda item: ChoiceValueIded,
}
"""The class of an item of a list, by the name of the list."""


@cache
def _ranks(kind: type[Record]) -> dict[str, int]:
    return {name: place for place, name in enumerate(kind.model_fields)}
