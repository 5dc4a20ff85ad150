"""What differs between two versions of a finding model, by field, attribute and value."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Difference", "differences"]

_KEYS: dict[str, tuple[str, ...]] = {
    "attributes": ("oifma_id",),
    "contributors": ("github_username", "code"),
    "index_codes": ("system", "code"),
    "values": ("value_code",),
}
"""By which of their fields the items of a list are told apart, by the list's name."""

_MISSING = object()

_Key = tuple[str, int]


class Difference(NamedTuple):
    """One thing that is not as it was.

    Attributes:
        place: where, in words: ``attributes[size].values[large].description``.
        kind: "added" and "removed" for a field or an item of a list, "changed" for a value, "reordered" for a
            list whose items are in another order.
        old: the value before; None where it was added. Of a list in another order: the names of its items.
        new: the value now; None where it was removed.
    """

    place: str
    kind: Literal["added", "removed", "changed", "reordered"]
    old: Any = None
    new: Any = None


def differences(old: Any, new: Any) -> list[Difference]:
    """Return what differs between two parsed finding model files, in the order of the new one.

    Attributes are told apart by their ids, values by their codes; so one that was moved or renamed is not
    taken for another. ``1`` and ``1.0`` are the same number.

    >>> old = {"name": "cyst", "tags": ["CT", "MR"]}
    >>> [str(one.kind) + " " + one.place for one in differences(old, {"name": "Cyst", "tags": ["MR", "US"]})]
    ['changed name', 'removed tags', 'added tags']
    """
    return list(_between("", old, new))


def _between(place: str, old: Any, new: Any) -> Iterator[Difference]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name in (*new, *(name for name in old if name not in new)):
            inner = f"{place}.{name}" if place else name
            yield from _field(inner, old.get(name, _MISSING), new.get(name, _MISSING), name)
    elif not _is_same(old, new):
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
    """Compare lists; equal items are told apart by how often they came before."""
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
    kept = [key for key in before if key in after]
    now = [key for key in after if key in before]
    if kept != now:
        yield Difference(
            place,
            "reordered",
            [_label(before[key], key) for key in kept],
            [_label(after[key], key) for key in now],
        )


def _by_key(items: Sequence[Any], fields: Sequence[str]) -> dict[_Key, Any]:
    found: dict[_Key, Any] = {}
    counts: dict[str, int] = {}
    for item in items:
        name = _name(item, fields)
        counts[name] = counts.get(name, 0) + 1
        found[name, counts[name]] = item
    return found


def _name(item: Any, fields: Sequence[str]) -> str:
    values = [item.get(field) for field in fields] if isinstance(item, dict) else []
    return " ".join(value for value in values if isinstance(value, str)) or _form(item)


def _label(item: Any, key: _Key) -> str:
    name = item.get("name") if isinstance(item, dict) else item
    return name if isinstance(name, str) else key[0]


def _is_same(old: Any, new: Any) -> bool:
    return old is new or _form(old) == _form(new)


def _form(value: Any) -> str:
    """Return *value* in a form that equal values share, as JSON has it: not so ``true`` and ``1``."""
    return json.dumps(_plain(value), sort_keys=True)


def _plain(value: Any) -> Any:
    """Return *value* with ``1`` for each ``1.0``."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return list(map(_plain, value))
    return int(value) if isinstance(value, float) and value.is_integer() else value
