"""find: entries by an exact key: an id, a name, a slug or a synonym in any case, or a code of an ontology."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from findingmodel.search.codes import distinct_entries, find_by_key, is_code_key
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterable

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["find", "find_by_attribute", "find_many", "match_field"]

_FIELDS = ("id", "name", "slug", "synonym")
"""From the best match to the weakest."""


async def find(store: Store, key: str) -> list[EntryRow]:
    """Return every entry that has *key* as its id, name, slug or synonym, best first, by one command.

    A key like ``code:RADLEX:RID1301`` stands for the models, 100 at most, that carry the code.

    Raises:
        QueryError: *key* begins so and names no system and code.
    """
    if is_code_key(key):
        return distinct_entries(await find_by_key(store, key))
    return (await find_many(store, [key]))[key]


async def find_by_attribute(store: Store, oifma_id: str) -> EntryRow | None:
    """Return the entry of the model that has the attribute *oifma_id*; None if there is none."""
    wanted = oifma_id.strip().upper()
    owners = [owner for owner in await store.owners([wanted]) if owner.oifm_id != wanted] if wanted else []
    if not owners:
        return None
    return (await store.get([owners[0].oifm_id])).get(owners[0].oifm_id)


async def find_many(store: Store, keys: Iterable[str]) -> dict[str, list[EntryRow]]:
    """Return by key what `find` would for each of *keys*, by one command for all; a code is no such key."""
    folded = {key: fold(key) for key in keys}
    wanted = {key for key in folded.values() if key}
    holders: dict[str, list[tuple[int, str, EntryRow]]] = {key: [] for key in folded.values()}
    for entry in await store.lookup(sorted(wanted)) if wanted else ():
        fields = _fields_by_key(entry)
        for key in fields.keys() & wanted:
            holders[key].append((_FIELDS.index(fields[key]), entry["oifm_id"], entry))
    return {
        given: [entry for *_, entry in sorted(holders[key], key=itemgetter(0, 1))]
        for given, key in folded.items()
    }


def match_field(key: str, entry: EntryRow) -> str | None:
    """Return which field of *entry* the folded *key* is: "id", "name", "slug", "synonym" or None."""
    return _fields_by_key(entry).get(key)


def _fields_by_key(entry: EntryRow) -> dict[str, str]:
    """Return by folded key of *entry* which field it is, the foremost of `_FIELDS` if it is several."""
    fields = {fold(synonym): "synonym" for synonym in entry["synonyms"] or ()}
    fields[entry["slug_name"]] = "slug"
    fields[fold(entry["name"])] = "name"
    fields[fold(entry["oifm_id"])] = "id"
    return fields
