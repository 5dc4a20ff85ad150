"""Places in a JSON document: pointers (RFC 6901), and a walk that meets every place without recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["pointer_to", "walk"]


def pointer_to(path: Iterable[str | int]) -> str:
    """Write *path*, the keys and positions from the top down, as a JSON pointer.

    >>> pointer_to(["attributes", 0, "a/b~"])
    '/attributes/0/a~1b~0'
    """
    return "".join(f"/{_token(step)}" for step in path)


def walk(document: Any) -> Iterator[tuple[str, str, Any]]:
    """Yield pointer, key ("" in lists) and value of each place in *document*, in the order of the file.

    >>> list(walk({"a": [7]}))
    [('', '', {'a': [7]}), ('/a', 'a', [7]), ('/a/0', '', 7)]
    """
    yield "", "", document
    open_places = [_members("", document)]
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
        for key, member in value.items():
            yield f"{pointer}/{_token(key)}", key, member
    elif isinstance(value, list):
        for position, member in enumerate(value):
            yield f"{pointer}/{position}", "", member


def _token(step: str | int) -> str:
    return str(step).replace("~", "~0").replace("/", "~1")
