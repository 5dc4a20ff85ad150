"""Entries by an exact key: an id, a name, a slug, a synonym, or a code of an ontology."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.stores.records import TermQuery
from findingmodel.text.normalize import fold
from findingmodel.text.terms import code_facets, facet

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow
    from findingmodel.text.query import Query

__all__ = [
    "CodedElement",
    "CodeRow",
    "HeldCode",
    "carriers",
    "code_facets_of",
    "codes_of",
    "distinct_entries",
    "find",
    "find_by_attribute",
    "find_by_code",
    "find_by_key",
    "find_many",
    "is_code_key",
    "match_field",
]

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


_PREFIX = "code:"  # of keys, and of facets


class CodedElement(NamedTuple):
    """What carries a code in a model.

    Attributes:
        place: "model", "attribute" or "value".
        id: its ``oifm_id``, ``oifma_id`` or ``value_code``.
        name: its name.
    """

    place: str
    id: str
    name: str


class HeldCode(NamedTuple):
    """A code as a part of a model has it.

    Attributes:
        system, code: as they are written there.
        facet: the same for each spelling of one code at one place.
    """

    system: str
    code: str
    facet: str


class CodeRow(NamedTuple):
    """A place that carries a code.

    Attributes:
        entry: the model.
        place: "model", "attribute" or "value".
        id: the ``oifm_id``, the ``oifma_id`` or the ``value_code`` of what carries the code.
        name: its name.
    """

    entry: EntryRow
    place: str
    id: str
    name: str


async def find_by_code(
    store: Store, system: str, code: str, *, limit: int = 100, offset: int = 0
) -> list[CodeRow]:
    """Return where the code is carried: models that do so themselves first, then attributes, then values.

    Args:
        store: the index.
        system: "RADLEX", say; case and punctuation do not matter, nor which name of SNOMED CT it is.
        code: "RID1301", say; case does not matter.
        limit, offset: of models. One that carries the code in several places has a row for each.

    Raises:
        QueryError: *limit* or *offset* is out of range.
    """
    if limit < 1 or offset < 0:
        raise QueryError(f"limit is {limit} and offset {offset}: ask for at least one model, from 0 on")
    facets = code_facets(system, code)
    ids = await _holders(store, facets, offset + limit)
    page = ids[offset : offset + limit]
    entries = await store.get(page)
    found = await carriers(store, page, facets)
    return [
        CodeRow(entries[oifm_id], *carrier)
        for oifm_id in page
        if oifm_id in entries
        for carrier in found.get(oifm_id, ())
    ]


def is_code_key(key: str) -> bool:
    """Return whether *key* asks for a code instead of an id or a name."""
    return key.lower().startswith(_PREFIX)


async def find_by_key(store: Store, key: str) -> list[CodeRow]:
    """Return what `find_by_code` does for *key*, written ``code:SYSTEM:CODE``; of 100 models at most.

    Raises:
        QueryError: it is not.
    """
    system, _, code = key[len(_PREFIX) :].partition(":")
    if not (system and code):
        raise QueryError(f"{key} names no system and code: write it as in code:RADLEX:RID1301")
    return await find_by_code(store, system, code)


def code_facets_of(query: Query) -> list[str]:
    """Return the facets of *query* that ask for a code."""
    return [name for group in query.facets for name in group if name.startswith(_PREFIX)]


def distinct_entries(rows: Iterable[CodeRow]) -> list[EntryRow]:
    """Return the models of *rows*, each once, in their order."""
    return list({row.entry["oifm_id"]: row.entry for row in rows}.values())


def codes_of(place: str, part: dict[str, Any]) -> Iterator[HeldCode]:
    """Yield the codes that *part* itself carries, a "model", "attribute" or "value" as *place* says."""
    for one in part.get("index_codes") or ():
        system, code = one["system"], one["code"]
        yield HeldCode(system, code, facet("code", f"{system}:{code}@{place}"))


async def carriers(
    store: Store, ids: Collection[str], facets: Collection[str]
) -> dict[str, list[CodedElement]]:
    """Return by model, of those with these *ids*, what carries a code that one of *facets* asks for."""
    texts = await store.models(ids)
    found: dict[str, list[CodedElement]] = {}
    for oifm_id, text in texts.items():
        for carrier, held in _carriers(json.loads(text)):
            if held in facets:
                found.setdefault(oifm_id, []).append(carrier)
    return found


async def _holders(store: Store, facets: Sequence[str], wanted: int) -> list[str]:
    """Return ids of models that carry the code, those that carry it themselves first."""
    found: dict[str, None] = {}
    for held in facets:
        if len(found) < wanted:
            query = TermQuery((), facets=((held,),))
            found.update((one.oifm_id, None) for one in await store.candidates(query, limit=wanted))
    return list(found)


def _carriers(model: dict[str, Any]) -> Iterator[tuple[CodedElement, str]]:
    """Yield what carries a code in *model*, with the facet of that code."""
    yield from _carried("model", model, "oifm_id")
    for attribute in model.get("attributes") or ():
        yield from _carried("attribute", attribute, "oifma_id")
        for value in attribute.get("values") or ():
            yield from _carried("value", value, "value_code")


def _carried(place: str, part: dict[str, Any], id_field: str) -> Iterator[tuple[CodedElement, str]]:
    for held in codes_of(place, part):
        yield CodedElement(place, part.get(id_field, ""), part.get("name", "")), held.facet
