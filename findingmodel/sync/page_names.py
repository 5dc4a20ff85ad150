"""What the page of each model is called: after its file, and never like another's."""

from __future__ import annotations

import re
from collections import Counter
from posixpath import basename
from typing import TYPE_CHECKING

from findingmodel.sync.scan import SUFFIX
from findingmodel.text.normalize import slug

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["page_names"]

_PLAIN = re.compile(r"[a-z0-9_]+")
_LONGEST = 180  # a name and an id must fit where file names have at most 255 bytes


def page_names(files: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return by id the name of each model's page, without ending: small ASCII letters, digits, underscores.

    It is the name of the model's file; one with other characters is made plain. Models whose files are called
    alike get their ids behind the name. So a name depends on no order.

    Args:
        files: id and path of each model.

    >>> page_names([("OIFM_T_1", "chest/Mass.fm.json"), ("OIFM_T_2", "neck/mass.fm.json"), ("OIFM_T_3", "x")])
    {'OIFM_T_1': 'mass_oifm_t_1', 'OIFM_T_2': 'mass_oifm_t_2', 'OIFM_T_3': 'x'}
    """
    stems = {oifm_id: _stem(basename(path).removesuffix(SUFFIX)) for oifm_id, path in files}
    holders = Counter(stems.values())
    ids = set(map(slug, stems))  # a file that is called like a model's id could be taken for its page
    return {
        oifm_id: stem if stem and holders[stem] == 1 and not _ends_in(stem, ids) else _with_id(stem, oifm_id)
        for oifm_id, stem in stems.items()
    }


def _stem(name: str) -> str:
    return (name if _PLAIN.fullmatch(name) else slug(name))[:_LONGEST]


def _with_id(stem: str, oifm_id: str) -> str:
    return f"{stem}_{slug(oifm_id)}".lstrip("_")


def _ends_in(stem: str, ids: set[str]) -> bool:
    return "oifm_" in stem and stem[stem.rindex("oifm_") :] in ids
