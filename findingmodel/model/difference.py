"""Differences between two versions of a finding model, by field, attribute and value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_KEYS: dict[str, tuple[str, ...]] = {
    "attributes": ("oifma_id",),
    "contributors": ("github_username", "code"),
    "index_codes": ("system", "code"),
    "values": ("value_code",),
}
"""The fields that identify the items of a list, by the list's name."""

_MISSING = object()

_Key = tuple[str, int]


class Difference(NamedTuple):
    """A difference between two versions of a finding model.

    Attributes:
        place: the place, by names: ``attributes[size].values[large].description``.
        kind: "added" or "removed" for a field or an item of a list, "changed" for a value, "reordered" for a
            list with its items in another order.
        old: the old value; None if it was added; the names of the items of a reordered list.
        new: the new value; None if it was removed.
    """

    place: str
    kind: Literal["added", "removed", "changed", "reordered"]
    old: Any = None
    new: Any = None


def differences(old: Any, new: Any) -> list[Difference]:
    """Return the differences between two parsed finding model files, in the order of the new one.

    Attributes are matched by id and values by code, so moving or renaming one does not replace it. ``1`` and
    ``1.0`` are equal.

    >>> old = {"name": "cyst", "tags": ["CT", "MR"]}
    >>> [f"{d.kind} {d.place}" for d in differences(old, {"name": "Cyst", "tags": ["MR", "US"]})]
    ['changed name', 'removed tags', 'added tags']
    """
    return list(_between("", old, new))


def _between(place: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in (*new, *(name for name in old if name not in new)):
            inner = f"{place}.{name}" if place else name
            yield from _field(inner, old.get(name, _MISSING), new.get(name, _MISSING), name)
    elif old is not new and _form(old) != _form(new):
        yield Difference(place, "changed", old, new)


def _field(place: str, old: Any, new: Any, name: str) -> Iterator[Difference]:
    if old is _MISSING:
        yield Difference(place, "added", None, new)
    elif new is _MISSING:
        yield Difference(place, "removed", old, None)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _items(place, old, new, name)
    else:
        yield from _between(place, old, new)


def _items(place: str, old: Sequence[Any], new: Sequence[Any], name: str) -> Iterator[Difference]:
    """Compare lists; the n-th of equal items is matched with the n-th."""
    fields = _KEYS.get(name, ())
    before, after = _by_key(old, fields), _by_key(new, fields)
    for key, item in before.items():
        if key not in after:
            yield Difference(place, "removed", item, None)
    for key, item in after.items():
        if key not in before:
            yield Difference(place, "added", None, item)
        else:
            yield from _between(f"{place}[{_label(item, key)}]", before[key], item)
    old_order = [key for key in before if key in after]
    new_order = [key for key in after if key in before]
    if old_order != new_order:
        yield Difference(
            place,
            "reordered",
            [_label(before[key], key) for key in old_order],
            [_label(after[key], key) for key in new_order],
        )


def _by_key(items: Sequence[Any], fields: Sequence[str]) -> dict[_Key, Any]:
    keyed: dict[_Key, Any] = {}
    counts: dict[str, int] = {}
    for item in items:
        name = _name(item, fields)
        counts[name] = counts.get(name, 0) + 1
        keyed[name, counts[name]] = item
    return keyed


def _name(item: Any, fields: Sequence[str]) -> str:
    values = [item.get(field) for field in fields] if isinstance(item, dict) else []
    return " ".join(value for value in values if isinstance(value, str)) or _form(item)


def _label(item: Any, key: _Key) -> str:
    name = item.get("name") if isinstance(item, dict) else item
    return name if isinstance(name, str) else key[0]


def _form(value: Any) -> str:
    """Return a text that JSON values share if they are equal; ``true`` and ``1`` are not."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    """Replace each ``1.0`` in *value* by ``1``."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(_plain, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value
