"""Why bytes are no JSON document: said in the order in which a person would find out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from pydantic_core import from_json

from findingmodel.model.pointers import walk
from findingmodel.model.rules import first, problem

if TYPE_CHECKING:
    from findingmodel.errors import Problem

__all__ = ["MOST_NESTING", "why_unreadable"]

MOST_NESTING = 200
"""Lists and objects within each other that the JSON parser takes."""

_WHITE_SPACE = b" \t\r\n"
_ESCAPE = re.compile(
    rb"(?:\\[^u])+"  # not \\u: the backslash before the u is escaped itself
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})",
    re.DOTALL,
)
_STAND_IN = "\ufdd0"  # no character, and as long as what it stands for when it is escaped
_CODES = {"recursion limit exceeded": "too-deep", "number out of range": "number-too-long"}


def why_unreadable(body: bytes, *, skipped: int = 0) -> tuple[Problem, ...]:
    """Return the problems of *body*, which the JSON parser has refused.

    Args:
        body: the file's bytes, without a byte order mark.
        skipped: how many bytes of the file were left out before *body*.
    """
    if not body.strip(_WHITE_SPACE):
        return (problem("empty", ""),)
    try:
        body.decode()
    except UnicodeDecodeError as error:
        wrong = f"0x{body[error.start]:02X}"
        return (problem("not-utf8", "", byte=wrong, offset=error.start + skipped),)
    return _why_no_json(_ESCAPE.sub(_replace_lone, body))


def _replace_lone(escape: re.Match[bytes]) -> bytes:
    return rb"\ufdd0" if escape["lone"] else escape[0]


def _why_no_json(body: bytes) -> tuple[Problem, ...]:
    try:
        document = from_json(body)
    except ValueError as error:
        return (_where(body, str(error)),)
    lone = [
        problem("lone-surrogate", pointer.replace(_STAND_IN, "\ufffd"))
        for pointer, key, value in walk(document)
        if _STAND_IN in key or (isinstance(value, str) and _STAND_IN in value)
    ]
    return first(lone) or (problem("lone-surrogate", ""),)


def _where(body: bytes, message: str) -> Problem:
    reason, _, place = message.partition(" at line ")
    line, column = [*map(int, re.findall(r"\d+", place)), 1, 1][:2]
    before = body.split(b"\n", line)[line - 1][:column]  # the parser counts bytes, people count characters
    shown_column = len(before.decode(errors="replace"))
    facts = {"line": line, "column": shown_column, "place": f"line {line}, column {shown_column}"}
    return problem(_CODES.get(reason, "not-json"), "", reason=reason, limit=MOST_NESTING, **facts)
