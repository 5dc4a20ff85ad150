"""From the validator's errors to problems that a curator understands, with pointers into the file."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from findingmodel.model.pointers import pointer_to, walk
from findingmodel.model.rules import EXPECTED_FORMATS, EXPECTED_TYPES, first, problem, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from pydantic_core import ErrorDetails

    from findingmodel.errors import Problem

__all__ = ["explain", "is_plain", "unknown_field"]

_CODES = {
    "greater_than_equal": "too-small",
    "missing": "missing",
    "string_pattern_mismatch": "wrong-format",
    "string_too_long": "too-long",
    "string_too_short": "too-short",
    "too_short": "too-few",
    "union_tag_invalid": "unknown-type",
    "union_tag_not_found": "missing",
    **dict.fromkeys(EXPECTED_TYPES, "wrong-type"),
}


def explain(document: Any, errors: Iterable[ErrorDetails]) -> tuple[Problem, ...]:
    """Return everything that is wrong with *document*, in the order of the file.

    Args:
        document: the parsed JSON of the file.
        errors: what the validator said of it; unknown fields are not among them.
    """
    problems = [*_unusable(document), *_duplicates(document)]
    explained = {found.pointer for found in problems}
    problems += [found for found in map(_translate, errors) if found.pointer not in explained]
    return first(_in_file_order(document, problems))


def unknown_field(error: ErrorDetails) -> Problem:
    """Return the warning for a field that no finding model has."""
    path = _path(error)
    return problem("unknown-field", pointer_to(path), field=shown(path[-1]))


def is_plain(value: Any) -> bool:
    """Tell whether *value*, parsed JSON, holds no number that is not finite."""
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
    """The objects in the list *field* of *holder*, with their pointers, so far as there are any."""
    items = holder.get(field) if isinstance(holder, dict) else None
    for position, item in enumerate(items if isinstance(items, list) else ()):
        if isinstance(item, dict):
            yield f"{pointer}/{field}/{position}", item


def _repeated(code: str, field: str, objects: list[tuple[str, dict[str, Any]]]) -> Iterator[Problem]:
    first: dict[str, str] = {}
    for pointer, item in objects:
        found = item.get(field)
        if isinstance(found, str):
            here = f"{pointer}/{field}"
            if first.setdefault(found, here) != here:
                yield problem(code, here, found=shown(found), first=first[found])


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
        "expected": EXPECTED_TYPES.get(kind) or EXPECTED_FORMATS.get(field, "of another form"),
        "field": shown(field),
        "found": shown(found),
        "length": len(found) if isinstance(found, str) else 0,
        "reason": error["msg"],
    }
    return problem(_CODES.get(kind, "invalid"), pointer_to(path), **facts)


def _path(error: ErrorDetails) -> tuple[str | int, ...]:
    """Where the error is in the file, which knows nothing of the class that was chosen for a list's item."""
    location = error["loc"]
    if len(location) > 2 and location[0] in ("attributes", "contributors"):
        return (*location[:2], *location[3:])
    return location


def _in_file_order(document: Any, problems: list[Problem]) -> list[Problem]:
    wanted = {place for found in problems for place in (found.pointer, found.pointer.rpartition("/")[0])}
    order = {pointer: n for n, (pointer, _, _) in enumerate(walk(document)) if pointer in wanted}

    def place(found: Problem) -> int:  # what is missing stands where its parent does
        return order.get(found.pointer) or order.get(found.pointer.rpartition("/")[0], 0)

    return sorted(problems, key=place)
