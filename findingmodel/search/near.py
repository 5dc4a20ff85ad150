"""near: what there is that is spelt like what was asked for."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from findingmodel.text.terms import facet

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["id_slips", "near_tags"]

_ID = re.compile(r"(OIFMA?)_([A-Z]+)_([0-9]+)")
_DIGITS = "0123456789"
_ID_DIGITS = 6
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


def id_slips(wanted: str, sources: Iterable[str]) -> list[str]:
    """Return the ids for which *wanted* may be a slip of the keyboard; most of them nothing has.

    The first is *wanted* as ids are written, with zeros in front. The others differ by one digit, or by one
    digit too many or too few, by two neighbours that are swapped, or by another of *sources*, the codes of
    organizations.

    >>> slips = id_slips("OIFM_SMLP_000021", ["SMPL"])
    >>> "OIFM_SMPL_000021" in slips, "OIFM_SMLP_000012" in slips, id_slips("pleural plaque", [])
    (True, True, [])
    """
    found = _ID.fullmatch(wanted.strip().upper().replace("-", "_").replace(" ", "_"))
    if found is None:
        return []
    kind, source, number = found.groups()
    numbers = [one for one in (number, *_slips(number)) if len(one.lstrip("0")) <= _ID_DIGITS]
    padded = [one.lstrip("0").rjust(_ID_DIGITS, "0") for one in numbers]
    others = [other for other in (*_swapped(source), *sources) if other != source]
    pairs = [*((source, one) for one in padded), *((other, one) for other in others for one in padded[:1])]
    return list(dict.fromkeys(f"{kind}_{code}_{one}" for code, one in pairs))


def _slips(number: str) -> Iterator[str]:
    yield from _swapped(number)
    for place in range(len(number)):
        yield from (number[:place] + digit + number[place + 1 :] for digit in _DIGITS)
        yield number[:place] + number[place + 1 :]
    for place in range(len(number) + 1):
        yield from (number[:place] + digit + number[place:] for digit in _DIGITS)


def _swapped(text: str) -> Iterator[str]:
    for place in range(len(text) - 1):
        yield text[:place] + text[place + 1] + text[place] + text[place + 2 :]
