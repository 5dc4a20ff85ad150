"""Parsing: from the bytes of a file to a finding model or to its problems."""

from __future__ import annotations

import re
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError
from pydantic_core import from_json

from findingmodel.limits import MAX_NESTING
from findingmodel.model.finding import AttributeType, FindingModelFull
from findingmodel.model.rules import explain, first, is_plain, problem, unknown_field, walk

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

    from findingmodel.errors import Problem

FindingModelFull.model_rebuild()  # under the import lock, because threads would race for it

_value_code = attrgetter("value_code")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST_VALUES = 250_000
"""Limits memory: the validator needs about 1 kB per invalid value. Real files have some hundred values."""

_WHITE_SPACE = b" \t\r\n"
_ESCAPE = re.compile(
    rb"(?:\\[^u])+"  # not \\u: the backslash before the u is escaped itself
    rb"|\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair
    rb"|(?P<lone>\\u[dD][89a-fA-F][0-9a-fA-F]{2})",
    re.DOTALL,
)
_ID = re.compile(rb'"oifm_id"\s*:\s*"(OIFM_[A-Z]{3,4}_[0-9]{6})"')
_STAND_IN = "\ufdd0"  # a noncharacter, whose escape is as long as the one that it replaces
_JSON_CODES = {"recursion limit exceeded": "too-deep", "number out of range": "number-too-long"}


class Parsed(NamedTuple):
    """The result of parsing a file.

    Attributes:
        model: the finding model; None if there are problems.
        problems: all broken rules, in the order of the file.
        warnings: harmless oddities: unknown fields, a byte order mark.
    """

    model: FindingModelFull | None
    problems: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()


def parse_model(data: bytes, *, max_nesting: int = MAX_NESTING) -> Parsed:
    """Parse and check the bytes of a finding model file. Never raises, whatever the bytes are.

    Args:
        data: the whole file.
        max_nesting: how deep unknown fields may nest lists and objects; known fields need 7.

    >>> parse_model(b'{"name": "edema"').problems[0].code
    'not-json'
    """
    if data.startswith(_BYTE_ORDER_MARK):
        parsed = _parse(data[len(_BYTE_ORDER_MARK) :], max_nesting, skipped=len(_BYTE_ORDER_MARK))
        return parsed._replace(warnings=(problem("bom", ""), *parsed.warnings))
    return _parse(data, max_nesting)


def readable_id(data: bytes) -> str:
    """Return the id of the finding model that *data*, the bytes of a broken file, was; "" if it has none.

    >>> readable_id(b'{"oifm_id": "OIFM_TEST_000001", "name": "edema", "attri')
    'OIFM_TEST_000001'
    """
    found = _ID.search(data)
    return found[1].decode() if found else ""


def _parse(body: bytes, max_nesting: int, *, skipped: int = 0) -> Parsed:
    if len(body) > _MOST_VALUES and _has_too_many_values(body):
        return Parsed(None, (problem("too-big", "", limit=f"{_MOST_VALUES:,}"),))
    try:
        model = FindingModelFull.model_validate_json(body, extra="forbid")
    except ValidationError as error:
        errors = error.errors(include_url=False)
        if errors[0]["type"] == "json_invalid":
            return Parsed(None, _why_unreadable(body, skipped=skipped))
        return _parse_odd(body, errors, max_nesting)
    return _check(model, body)


def _parse_odd(body: bytes, errors: list[ErrorDetails], max_nesting: int) -> Parsed:
    """Parse a file that the validator rejected; it is valid if unknown fields are its only fault."""
    if max_nesting < MAX_NESTING and (place := _too_deep(body, max_nesting)):
        return Parsed(None, (problem("too-deep", place, limit=max_nesting, place="this"),))
    unknown = [error for error in errors if error["type"] == "extra_forbidden"]
    warnings = first([unknown_field(error) for error in unknown])
    if len(unknown) == len(errors) and all(is_plain(error["input"]) for error in unknown):
        model = FindingModelFull.model_validate_json(body, extra="allow")
        return _check(model, body)._replace(warnings=warnings)
    faults = [error for error in errors if error["type"] != "extra_forbidden"]
    return Parsed(None, explain(from_json(body), faults), warnings)


def _check(model: FindingModelFull, body: bytes) -> Parsed:
    """Check what the schema cannot: all files cheaply, suspicious ones thoroughly."""
    may_hold_nul = b"\\" in body and b"\\u0000" in body  # the search for one byte is five times faster
    problems = explain(from_json(body), ()) if may_hold_nul or _has_duplicates(model) else ()
    return Parsed(None if problems else model, problems)


def _too_deep(body: bytes, most: int) -> str | None:
    """Return the pointer of the first list or object at depth *most*."""
    for pointer, _, value in walk(from_json(body)):
        if isinstance(value, dict | list) and pointer.count("/") == most:
            return pointer
    return None


def _has_too_many_values(body: bytes) -> bool:
    if sum(map(body.count, (b",", b"[", b"{"))) < _MOST_VALUES:  # one of these precedes each value
        return False
    try:
        document = from_json(body)
    except ValueError:
        return False  # the validator reports it better
    return any(True for _ in islice(walk(document), _MOST_VALUES, None))


def _has_duplicates(model: FindingModelFull) -> bool:
    keys: list[str] = []  # ids and codes in one list: only codes have dots
    for attribute in model.attributes:
        keys.append(attribute.oifma_id)
        if attribute.type is AttributeType.CHOICE:
            keys += map(_value_code, attribute.values)
    return len(set(keys)) < len(keys)


def _why_unreadable(body: bytes, *, skipped: int) -> tuple[Problem, ...]:
    """Return the problems of *body*, which the JSON parser rejected; *skipped* bytes precede it."""
    if not body.strip(_WHITE_SPACE):
        return (problem("empty", ""),)
    try:
        body.decode()
    except UnicodeDecodeError as error:
        wrong = f"0x{body[error.start]:02X}"
        return (problem("not-utf8", "", byte=wrong, offset=error.start + skipped),)
    body = _ESCAPE.sub(lambda escape: rb"\ufdd0" if escape["lone"] else escape[0], body)
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
    before = body.split(b"\n", line)[line - 1][:column]  # the parser counts bytes
    shown_column = len(before.decode(errors="replace"))
    facts = {"line": line, "column": shown_column, "place": f"line {line}, column {shown_column}"}
    return problem(_JSON_CODES.get(reason, "not-json"), "", reason=reason, limit=MAX_NESTING, **facts)
