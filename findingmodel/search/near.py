"""near: what there is that is spelt like what was asked for."""

from __future__ import annotations

from difflib import get_close_matches
from typing import TYPE_CHECKING

from findingmodel.text.terms import facet

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["near_tags"]

_TAG = "tag:"
_MOST = 5
_LIKE = 0.5  # of difflib: tags are short, so that one letter of two counts


def near_tags(wanted: str, tags: Iterable[str]) -> list[str] | None:
    """Return those of *tags* that are spelt like *wanted*, the nearest first; None if it is one of them.

    They are compared as filters are, in which spaces are underscores.

    >>> near_tags("x-ray", ["XR", "chest"]), near_tags("Soft_tissue", ["soft tissue"])
    (['XR'], None)
    """
    known = {facet("tag", tag): tag for tag in tags}
    filtered = facet("tag", wanted)
    if filtered in known:
        return None
    bare = {one.removeprefix(_TAG): tag for one, tag in known.items()}
    near = get_close_matches(filtered.removeprefix(_TAG), list(bare), _MOST, _LIKE)
    return [bare[one] for one in near]
