"""The canonical layout of finding model files: the order of fields, indentation, encoding."""

from __future__ import annotations

import json
from functools import cache
from itertools import count
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
    their digits; what older files leave out is added (`completed`). Canonical files are returned unchanged.

    Raises:
        ValueError: *data* is not JSON in UTF-8.

    >>> canonical(b'{"name": "caf\\u00e9", "x": 1.0, "oifm_id": "OIFM_TEST_000001"}').decode().splitlines()
    ['{', '  "oifm_id": "OIFM_TEST_000001",', '  "name": "café",', '  "x": 1.0', '}']
    """
    return f"{indented(_ordered(completed(read(data)), FindingModelFull))}\n".encode()


def completed(document: Any) -> Any:
    """Return *document*, a value from `read`, with what older files leave out.

    Values of a choice attribute without a code get the attribute's id, a dot and their position, as in the
    public packages; if another value has that code, the next number that is free. ``"max_selected": "all"``
    becomes the number of values.

    >>> text = b'{"attributes": [{"oifma_id": "A_1", "values": [{"name": "a"}], "max_selected": "all"}]}'
    >>> compact(completed(read(text)))
    '{"attributes":[{"oifma_id":"A_1","values":[{"value_code":"A_1.0","name":"a"}],"max_selected":1}]}'
    """
    return _mapped(document, "attributes", _completed_attribute)


def _completed_attribute(attribute: Members) -> Members:
    fields = dict(attribute)
    oifma_id, values = fields.get("oifma_id"), fields.get("values")
    if not isinstance(oifma_id, str) or not isinstance(values, list) or isinstance(values, Members):
        return attribute
    taken = {dict(value).get("value_code") for value in values if isinstance(value, Members)}
    positions = count()

    def with_code(value: Members) -> Members:
        position = next(positions)
        if dict(value).get("value_code") is not None:
            return value
        code = next(code for n in count(position) if (code := f"{oifma_id}.{n}") not in taken)
        taken.add(code)
        return Members([("value_code", code), *(member for member in value if member[0] != "value_code")])

    with_codes = _mapped(attribute, "values", with_code)
    size = Digits(len(values))
    return Members(
        [(key, size if (key, member) == ("max_selected", "all") else member) for key, member in with_codes]
    )


def _mapped(document: Any, field: str, change: Callable[[Members], Members]) -> Any:
    """Return *document* with *change* applied to each object of the list *field*."""
    if not isinstance(document, Members):
        return document

    def changed(member: Any) -> Any:
        if not isinstance(member, list) or isinstance(member, Members):
            return member
        return [change(item) if isinstance(item, Members) else item for item in member]

    return Members([(key, changed(member) if key == field else member) for key, member in document])


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
