"""Edits: small changes to the JSON of a model, by pointer. Everything else in the file stays as it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.model.layout import Digits, Members, canonical, indented, read

if TYPE_CHECKING:
    from collections.abc import Sequence


class SetValue(NamedTuple):
    """Replace the value at *pointer*, a text or a whole number, by another."""

    pointer: str
    value: str | int


class Remove(NamedTuple):
    """Remove the item at *pointer* from its list; a list that becomes empty is removed from its object."""

    pointer: str


class RenameField(NamedTuple):
    """Rename the field at *pointer*."""

    pointer: str
    name: str


class MoveItem(NamedTuple):
    """Move the item at *pointer* to another position of its list."""

    pointer: str
    position: int


Edit = SetValue | Remove | RenameField | MoveItem


def apply_edits(data: bytes, edits: Sequence[Edit]) -> bytes:
    """Return the JSON *data* with *edits* applied, in canonical layout.

    Pointers refer to *data* as given. An item is moved only if nothing else is edited: otherwise the caller
    finds it again in the result.

    Args:
        data: the bytes of a file.
        edits: at most one for each place.

    Raises:
        ValueError: *data* is not JSON in UTF-8.
        LookupError: a pointer leads nowhere.

    >>> print(apply_edits(b'{"oifm_id": "X", "tags": ["", "CT "]}', [SetValue("/tags/1", "CT"), Remove("/tags/0")]).decode())
    {
      "oifm_id": "X",
      "tags": [
        "CT"
      ]
    }
    <BLANKLINE>
    """  # noqa: E501
    document = read(data)
    moves = [edit for edit in edits if isinstance(edit, MoveItem)]
    others = [edit for edit in edits if not isinstance(edit, MoveItem)]
    # Values and names first, because they move nothing; then removals from the last place to the first.
    for edit in sorted(others, key=_order):
        _apply(document, edit)
    if not others:
        for move in moves[:1]:
            items, position = _place(document, move.pointer)
            items.insert(move.position, items.pop(position))
    return canonical(indented(document).encode())


def _order(edit: Edit) -> tuple[bool, bool, list[int]]:
    numbers = [-int(number) for number in re.findall(r"\d+", edit.pointer)]
    return isinstance(edit, Remove), isinstance(edit, RenameField), numbers


def _apply(document: Any, edit: Edit) -> None:
    holder, position = _place(document, edit.pointer)
    if isinstance(edit, SetValue):
        value = edit.value if isinstance(edit.value, str) else Digits(edit.value)
        holder[position] = (holder[position][0], value) if isinstance(holder, Members) else value
    elif isinstance(edit, RenameField):
        holder[position] = (edit.name, holder[position][1])
    elif isinstance(edit, Remove):
        del holder[position]
        if not holder:
            _apply(document, Remove(edit.pointer.rpartition("/")[0]))


def _place(document: Any, pointer: str) -> tuple[list[Any], int]:
    """Return the object or list that holds the place, and the position in it."""
    holder, position = [document], 0
    for token in pointer.split("/")[1:]:
        holder = holder[position][1] if isinstance(holder, Members) else holder[position]
        position = _position(holder, token.replace("~1", "/").replace("~0", "~"))
    return holder, position


def _position(holder: list[Any], token: str) -> int:
    if not isinstance(holder, Members):
        return int(token)
    places = [place for place, (name, _) in enumerate(holder) if name == token]
    return places[-1]  # of repeated fields the last counts, as for every JSON parser
