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
from findingmodel.model.layout import compact, completed, read
from findingmodel.model.rules import (
    USUAL_CODE_LENGTH,
    explain,
    first,
    is_plain,
    older_form,
    pointer_to,
    problem,
    short_codes,
    unknown_field,
    walk,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from findingmodel.errors import Problem

FindingModelFull.model_rebuild()  # under the import lock, because threads would race for it

_code, _value_code, _oifma_id = map(attrgetter, ("code", "value_code", "oifma_id"))
_index_codes, _fields_set = map(attrgetter, ("index_codes", "__pydantic_fields_set__"))
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_MOST_VALUES = 250_000
"""Limits memory: the validator needs about 1 kB per invalid value. Real files have some hundred values."""

_WHITE_SPACE = b" \t\r\n"
_TOKEN = re.compile(rb'(?P<key>"[^"\\]*(?:\\.[^"\\]*)*")\s*:|"[^"\\]*(?:\\.[^"\\]*)*"|[][{},]', re.DOTALL)
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
        warnings: harmless oddities: unknown fields, repeated keys, a byte order mark, forms of older files.
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
    faults = [error for error in errors if error["type"] != "extra_forbidden"]
    forms = [form for error in faults if (form := older_form(error))]
    warnings = [*map(unknown_field, unknown), *dict.fromkeys(forms)]
    if len(forms) == len(faults) and all(is_plain(error["input"]) for error in unknown):
        text = compact(completed(read(body))) if forms else body
        model = FindingModelFull.model_validate_json(text, extra="allow")
        return _check(model, body, warnings)
    return Parsed(None, explain(from_json(body), [e for e in faults if not older_form(e)]), first(warnings))


def _check(model: FindingModelFull, body: bytes, warnings: Sequence[Problem] = ()) -> Parsed:
    """Check what the schema cannot: all files cheaply, suspicious ones thoroughly; append to *warnings*."""
    may_hold_nul = b"\\" in body and b"\\u0000" in body  # the search for one byte is five times faster
    census = _Census.of(model)
    problems = explain(from_json(body), ()) if may_hold_nul or census.has_duplicates else ()
    if census.has_short_codes:
        warnings = [*warnings, *short_codes(from_json(body))]
    if _may_repeat_keys(body, census.keys):
        warnings = [*warnings, *_repeated_keys(body)]
    return Parsed(None if problems else model, problems, first(warnings))


class _Census(NamedTuple):
    """What is counted in every valid file, to find the few that need a closer look."""

    keys: int  # of all objects, without those in unknown fields
    has_short_codes: bool
    has_duplicates: bool  # of ids of attributes or codes of values

    @classmethod
    def of(cls, model: FindingModelFull) -> _Census:
        attributes = model.attributes
        values = [v for a in attributes if a.type is AttributeType.CHOICE for v in a.values]
        coded = [model, *attributes, *values]
        codes = [code for codes in map(_index_codes, coded) if codes for code in codes]
        fields = map(_fields_set, [*coded, *codes, *(model.contributors or ())])
        ids = [*map(_oifma_id, attributes), *map(_value_code, values)]  # only codes have dots
        is_short = min(map(len, map(_code, codes)), default=USUAL_CODE_LENGTH) < USUAL_CODE_LENGTH
        return cls(sum(map(len, fields)), is_short, len(set(ids)) < len(ids))


def _may_repeat_keys(body: bytes, keys: int) -> bool:
    """Return whether the text may contain more keys than the *keys* of its model.

    Without white space, it contains ``":`` for each of them, and hardly ever within a string.
    """
    return body.translate(None, _WHITE_SPACE).count(b'":') != keys


def _repeated_keys(body: bytes) -> Iterator[Problem]:
    """Yield a warning for each key that is in its object already, of which the validator uses the last."""
    open_places: list[tuple[dict[str, int], list[str | int]]] = []
    for token in _TOKEN.finditer(body):
        mark = token[0]
        if mark in (b"{", b"["):
            open_places.append(({}, ["" if mark == b"{" else 0]))
        elif mark in (b"}", b"]"):
            open_places.pop()
        elif mark == b",":
            _, step = open_places[-1]
            if isinstance(step[0], int):
                step[0] += 1
        elif token["key"]:
            lines, step = open_places[-1]
            step[0] = key = from_json(token["key"])
            line = body.count(b"\n", 0, token.start()) + 1
            if key in lines:
                place = pointer_to(step[0] for _, step in open_places)
                yield problem("repeated-key", place, first=lines[key], line=line)
            lines.setdefault(key, line)


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
