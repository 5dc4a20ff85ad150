"""The rules of finding model files: ids, JSON pointers, messages, and `explain`, which finds the problems."""

from __future__ import annotations

import os
import re
from math import isfinite
from typing import TYPE_CHECKING, Any

from findingmodel.errors import ConfigError, Problem

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from pydantic_core import ErrorDetails

ORGANIZATION_CODE_PATTERN = r"^[A-Z]{3,4}$"
FINDING_ID_PATTERN = r"^OIFM_[A-Z]{3,4}_[0-9]{6}$"
ATTRIBUTE_ID_PATTERN = r"^OIFMA_[A-Z]{3,4}_[0-9]{6}$"
VALUE_CODE_PATTERN = r"^OIFMA_[A-Z]{3,4}_[0-9]{6}\.[0-9]+$"


def generate_oifm_id(source: str) -> str:
    """Return a random id for a finding model, such as ``OIFM_ABCD_123456``; it may be in use already.

    Args:
        source: the code of the organization that assigns the id, three or four letters A-Z in any case.

    Raises:
        ConfigError: *source* is not such a code.
    """
    return _random_id("OIFM", source)


def generate_oifma_id(source: str) -> str:
    """Return a random id for an attribute, such as ``OIFMA_ABCD_123456``; see `generate_oifm_id`."""
    return _random_id("OIFMA", source)


def _random_id(prefix: str, source: str) -> str:
    code = source.upper() if source.isascii() else ""
    if not re.fullmatch(ORGANIZATION_CODE_PATTERN, code):
        raise ConfigError(f"cannot make an id: the source must be three or four letters A-Z, not {source!r}")
    number = int.from_bytes(os.urandom(8), "big") % 1_000_000  # `random` and `secrets` are slow to import
    return f"{prefix}_{code}_{number:06d}"


def pointer_to(path: Iterable[str | int]) -> str:
    """Return *path*, keys and positions from the top down, as a JSON pointer.

    >>> pointer_to(["attributes", 0, "a/b~"])
    '/attributes/0/a~1b~0'
    """
    return "".join(f"/{_token(step)}" for step in path)


def walk(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield the pointer, the key ("" in lists) and the value of each place in *document*, in order.

    >>> list(walk({"a": [7]}))
    [('', '', {'a': [7]}), ('/a', 'a', [7]), ('/a/0', '', 7)]
    """
    open_places = [iter([("", "", document)])]
    while open_places:
        for pointer, key, value in open_places[-1]:
            yield pointer, key, value
            if isinstance(value, dict | list):
                open_places.append(_members(pointer, value))
                break
        else:
            open_places.pop()


def _members(pointer: str, value: Any) -> Iterator[tuple[str, str, Any]]:
    if isinstance(value, dict):
        return ((f"{pointer}/{_token(key)}", key, member) for key, member in value.items())
    return ((f"{pointer}/{position}", "", member) for position, member in enumerate(value))


def _token(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")


MOST_LISTED = 1_000
"""Maximum number of problems that are listed for a file."""

_SHOWN_LENGTH = 60
"""Maximum number of characters of a file's content in a message."""

SENTENCES = {
    "bom": "begins with a byte order mark, which is ignored: save the file as UTF-8 without it",
    "all-selected": 'is "all", which means the number of values: index check --fix-format writes it',
    "duplicate-attribute-id": "must be unique, but {found} is also the id at {first}",
    "duplicate-value-code": "must be unique, but {found} is also the code at {first}",
    "empty": "must be a JSON object, but the file is empty",
    "invalid": "cannot be used: {reason}; found {found}",
    "lone-surrogate": "must be valid text, but contains half of a surrogate pair: write the character itself",
    "many-problems": "has {count} problems; these are the first {listed}",
    "missing": "must be present: {field} is required",
    "no-value-codes": "get codes, the attribute's id and a number: index check --fix-format writes them",
    "not-finite": "must be a finite number below 1.8e308; found {found}",
    "not-json": "must be JSON, but has an error at line {line}, column {column}: {reason}",
    "not-object": "must be a JSON object, in braces; found {found}",
    "not-utf8": "must be UTF-8, but byte {byte} at offset {offset} is not: save the file as UTF-8",
    "nul-character": "must not contain the character NUL (\\u0000), which truncates text: remove it",
    "number-too-long": "must not contain a number of over 4,300 digits, as at line {line}, column {column}",
    "repeated-key": "is repeated, in lines {first} and {line}: the last one counts, remove the others",
    "short-code": "is accepted, but a code should have three characters or more; found {found}",
    "too-deep": "must not nest lists and objects more than {limit} deep, but {place} does",
    "too-big": "must be smaller: a file may contain up to {limit} values, and this one contains more",
    "too-few": "must have at least {min_length} items; found {actual_length}",
    "too-long": "must have at most {max_length} characters; found {length}: {found}",
    "too-short": "must have at least {min_length} characters; found {found}",
    "too-small": "must be at least {ge}; found {found}",
    "unknown-field": "is kept, but {field} is not a field of a finding model: check the spelling",
    "unknown-type": 'must be "choice" or "numeric"; found {found}',
    "wrong-format": "must be {expected}; found {found}",
    "wrong-type": "must be {expected}; found {found}",
}

_FORMATS = {
    "code": "three or four capital letters, such as ABCD",
    "email": "an e-mail address, such as name@example.org",
    "oifm_id": "an id such as OIFM_ABCD_123456, three or four letters and six digits",
    "oifma_id": "an id such as OIFMA_ABCD_123456, three or four letters and six digits",
    "organization_code": "three or four capital letters, such as ABCD",
    "url": "a web address that begins with http:// or https://",
    "value_code": "a code such as OIFMA_ABCD_123456.1, the attribute's id, a dot and a number",
}
"""The format of a field, by its name."""

_TYPES = {
    "bool_type": "true or false",
    "dict_type": "an object",
    "int_type": "a whole number",
    "list_type": "a list",
    "model_type": "an object",
    "number_type": "a number",
    "string_type": "text in quotes",
}
"""The type of a value, by the type of the validator's error."""

_CODES = {
    "greater_than_equal": "too-small",
    "missing": "missing",
    "string_pattern_mismatch": "wrong-format",
    "string_too_long": "too-long",
    "string_too_short": "too-short",
    "too_short": "too-few",
    "union_tag_invalid": "unknown-type",
    "union_tag_not_found": "missing",
    **dict.fromkeys(_TYPES, "wrong-type"),
}
"""Our codes, by the type of the validator's error."""


def problem(code: str, pointer: str, /, **facts: Any) -> Problem:
    """Return the problem *code* at *pointer*, with *facts* in its sentence."""
    return Problem(pointer, code, SENTENCES[code].format(**facts))


def first(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """Return *problems*, or the first `MOST_LISTED` and a problem that has the total."""
    if len(problems) <= MOST_LISTED:
        return tuple(problems)
    more = problem("many-problems", "", count=f"{len(problems):,}", listed=f"{MOST_LISTED:,}")
    return (*problems[:MOST_LISTED], more)


def shown(value: Any) -> str:
    """Return *value* as a short line that is safe to print: quoted, escaped and truncated.

    >>> shown("lung" * 99)
    "'lunglunglunglunglunglunglunglunglunglunglunglunglunglunglung'…"
    >>> shown(None), shown([1, 2]), shown(10**99)
    ('null', 'a list of 2', 'a number of 329 bits')
    """
    match value:
        case dict():
            return f"an object of {len(value)}"
        case list():
            return f"a list of {len(value)}"
        case None | bool():
            return {None: "null", True: "true", False: "false"}[value]
        case str():
            return repr(value[:_SHOWN_LENGTH]) + "…" * (len(value) > _SHOWN_LENGTH)
        case int() if value.bit_length() > 128:  # Python does not convert the longest
            return f"a number of {value.bit_length()} bits"
    return str(value).replace("inf", "Infinity").replace("nan", "NaN")


def explain(document: Any, errors: Iterable[ErrorDetails]) -> tuple[Problem, ...]:
    """Return all problems of *document*, in the order of the file.

    Args:
        document: the parsed JSON of the file.
        errors: the errors of the validator, except unknown fields.
    """
    problems = [*_unusable(document), *_duplicates(document)]
    explained = {found.pointer for found in problems}
    problems += [found for found in map(_translate, errors) if found.pointer not in explained]
    return first(_in_file_order(document, problems))


def unknown_field(error: ErrorDetails) -> Problem:
    """Return the warning for an unknown field."""
    path = _path(error)
    return problem("unknown-field", pointer_to(path), field=shown(path[-1]))


def older_form(error: ErrorDetails) -> Problem | None:
    """Return the warning if an error of the validator is about what only older files do; else None.

    `findingmodel.model.layout.completed` adds what such files leave out.
    """
    path = _path(error)
    if path[-1:] == ("value_code",) and (error["type"] == "missing" or error["input"] is None):
        return problem("no-value-codes", pointer_to(path[:-2]))
    if path[-1:] == ("max_selected",) and error["input"] == "all":
        return problem("all-selected", pointer_to(path))
    return None


USUAL_CODE_LENGTH = 3


def short_codes(document: Any) -> Iterator[Problem]:
    """Yield a warning for each ontology code in *document* that has fewer than three characters."""
    for pointer, key, value in walk(document):
        if key == "code" and isinstance(value, str) and len(value) < USUAL_CODE_LENGTH:
            yield problem("short-code", pointer, found=shown(value))


def is_plain(value: Any) -> bool:
    """Return whether all numbers in *value*, parsed JSON, are finite."""
    return all(isfinite(found) for _, _, found in walk(value) if isinstance(found, float))


def _unusable(document: Any) -> Iterator[Problem]:
    for pointer, key, value in walk(document):
        if "\0" in key or (isinstance(value, str) and "\0" in value):
            yield problem("nul-character", pointer)
        if isinstance(value, float) and not isfinite(value):
            yield problem("not-finite", pointer, found=shown(value))


def _duplicates(document: Any) -> Iterator[Problem]:
    attributes = list(_objects("", document, "attributes"))
    values = [found for pointer, attribute in attributes for found in _objects(pointer, attribute, "values")]
    yield from _repeated("duplicate-attribute-id", "oifma_id", attributes)
    yield from _repeated("duplicate-value-code", "value_code", values)


def _objects(pointer: str, holder: Any, field: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the objects in the list *field* of *holder*, with their pointers."""
    items = holder.get(field) if isinstance(holder, dict) else None
    for position, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield f"{pointer}/{field}/{position}", item


def _repeated(code: str, field: str, objects: list[tuple[str, dict[str, Any]]]) -> Iterator[Problem]:
    places: dict[str, str] = {}
    for pointer, item in objects:
        found = item.get(field)
        if isinstance(found, str):
            here = f"{pointer}/{field}"
            if places.setdefault(found, here) != here:
                yield problem(code, here, found=shown(found), first=places[found])


def _translate(error: ErrorDetails) -> Problem:
    kind, path, found = error["type"], _path(error), error["input"]
    if not path and kind == "model_type":
        return problem("not-object", "", found=shown(found))
    if kind.startswith("union_tag"):
        path = (*path, "type")
        found = found.get("type") if isinstance(found, dict) else None
    field = str(path[-1]) if path else ""
    facts: dict[str, Any] = {
        **error.get("ctx", {}),
        "expected": _TYPES.get(kind) or _FORMATS.get(field, "of another form"),
        "field": shown(field),
        "found": shown(found),
        "length": len(found) if isinstance(found, str) else 0,
        "reason": error["msg"],
    }
    return problem(_CODES.get(kind, "invalid"), pointer_to(path), **facts)


def _path(error: ErrorDetails) -> tuple[str | int, ...]:
    """Return the place in the file: the validator adds the class that it chose for an item of a list."""
    location = error["loc"]
    if len(location) > 2 and location[0] in ("attributes", "contributors"):
        return (*location[:2], *location[3:])
    return location


def _in_file_order(document: Any, problems: list[Problem]) -> list[Problem]:
    pointers = {place for found in problems for place in (found.pointer, found.pointer.rpartition("/")[0])}
    order = {pointer: n for n, (pointer, _, _) in enumerate(walk(document)) if pointer in pointers}

    def place(found: Problem) -> int:  # a missing field has the place of its parent
        return order.get(found.pointer) or order.get(found.pointer.rpartition("/")[0], 0)

    return sorted(problems, key=place)
