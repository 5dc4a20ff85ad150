"""JSON text, rewritten without a change of meaning: numbers keep their digits, and no field is lost."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Members", "compact", "indented", "read"]

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
