"""find: entries by an exact key: an id, a name, a slug or a synonym in any case, or a code of an ontology."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.search.codes import find_by_key, is_code_key
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["find", "find_many", "match_field", "order_matches"]

_FIELDS = ("id", "name", "slug", "synonym", None)


async def find(store: Store, key: str) -> list[EntryRow]:
    """Return every entry that has *key* as its id, name, slug or synonym, best first, by one command.

    A key like ``code:RADLEX:RID1301`` stands for the entries of all models that carry the code.

    Raises:
        QueryError: *key* begins so and names no system and code.
    """
    if is_code_key(key):
        rows = await find_by_key(store, key)
        return list({row.entry["oifm_id"]: row.entry for row in rows}.values())
    folded = fold(key)
    return order_matches(folded, await store.lookup([folded])) if folded else []


async def find_many(store: Store, keys: Iterable[str]) -> dict[str, list[EntryRow]]:
    """Return for each of *keys* what `find` would, by one command for all; keys as given, in their order."""
    folded = {key: fold(key) for key in keys}
    wanted = {key for key in folded.values() if key}
    holders: dict[str, list[EntryRow]] = {key: [] for key in wanted}
    for entry in await store.lookup(sorted(wanted)) if wanted else ():
        for key in _keys(entry) & wanted:
            holders[key].append(entry)
    return {given: order_matches(key, holders.get(key, ())) for given, key in folded.items()}


def order_matches(key: str, entries: Iterable[EntryRow]) -> list[EntryRow]:
    """Order entries that share the folded *key*: whose id it is, whose name, slug, synonym; then by id."""
    return sorted(entries, key=lambda entry: (_FIELDS.index(match_field(key, entry)), entry["oifm_id"]))


def match_field(key: str, entry: EntryRow) -> str | None:
    """Return which field of *entry* the folded *key* is: "id", "name", "slug", "synonym" or None."""
    if fold(entry["oifm_id"]) == key:
        return "id"
    if fold(entry["name"]) == key:
        return "name"
    if entry["slug_name"] == key:
        return "slug"
    return "synonym" if any(fold(synonym) == key for synonym in entry["synonyms"] or ()) else None


def _keys(entry: EntryRow) -> set[str]:
    texts: Sequence[str] = (entry["oifm_id"], entry["name"], entry["slug_name"], *(entry["synonyms"] or ()))
    return {fold(text) for text in texts}
