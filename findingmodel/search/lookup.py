"""Look up entries by an exact key: an id, a name, a slug, a synonym, or a code of an ontology."""

from __future__ import annotations

import json
from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.errors import NotFoundError, QueryError
from findingmodel.stores.records import TermQuery
from findingmodel.text.normalize import fold
from findingmodel.text.terms import code_facet, code_facets, is_code_facet, parse_code_key

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow
    from findingmodel.text.query import Query

_FIELDS = ("id", "former id", "name", "slug", "synonym")
"""From the best match to the weakest."""


async def find(store: Store, key: str) -> list[EntryRow]:
    """Return every entry that has *key* as its id, name, slug or synonym, best first, by one command.

    A key such as ``code:RADLEX:RID1301`` finds the models, 100 at most, that carry the code.

    Raises:
        QueryError: the system or the code is missing after ``code:``.
    """
    if code := parse_code_key(key):
        return distinct_entries(await find_by_code(store, *code))
    return (await find_many(store, [key]))[key]


async def find_many(store: Store, keys: Iterable[str]) -> dict[str, list[EntryRow]]:
    """Return by key what `find` would for each of *keys*, by one command for all; codes are not looked up."""
    folded = {key: fold(key) for key in keys}
    distinct = {key for key in folded.values() if key}
    holders: dict[str, list[tuple[int, str, EntryRow]]] = {key: [] for key in folded.values()}
    for entry in await store.lookup(sorted(distinct)) if distinct else ():
        fields = _fields_by_key(entry)
        for key in fields.keys() & distinct:
            holders[key].append((_FIELDS.index(fields[key]), entry["oifm_id"], entry))
    return {
        key: [entry for *_, entry in sorted(holders[folded_key], key=itemgetter(0, 1))]
        for key, folded_key in folded.items()
    }


async def find_one(store: Store, key: str) -> EntryRow:
    """Return the entry that has *key* as its id, name or slug, or as the only one as a synonym.

    Raises:
        NotFoundError: there is none.
        QueryError: several models have it as a synonym.
    """
    found = await find(store, key)
    if not found:
        raise NotFoundError(f"nothing in the index has the id, name or synonym {key!r}")
    if len(found) > 1 and match_field(fold(key), found[0]) in (None, "synonym"):
        ids = ", ".join(entry["oifm_id"] for entry in found)
        raise QueryError(f"several models have the synonym {key!r}, so name one by its id: {ids}")
    return found[0]


async def find_by_attribute(store: Store, oifma_id: str) -> EntryRow | None:
    """Return the entry of the model that has the attribute *oifma_id*; None if there is none."""
    key = oifma_id.strip().upper()
    owners = [owner for owner in await store.owners([key]) if owner.oifm_id != key] if key else []
    if not owners:
        return None
    return (await store.get([owners[0].oifm_id])).get(owners[0].oifm_id)


def match_field(key: str, entry: EntryRow) -> str | None:
    """Return which field of *entry*, one of `_FIELDS`, equals the folded *key*; None if none does."""
    return _fields_by_key(entry).get(key)


def _fields_by_key(entry: EntryRow) -> dict[str, str]:
    """Return the field of each folded key of *entry*; the first of `_FIELDS` if a key is in several."""
    fields = {fold(synonym): "synonym" for synonym in entry["synonyms"] or ()}
    fields[entry["slug_name"]] = "slug"
    fields[fold(entry["name"])] = "name"
    fields.update((fold(oifm_id), "former id") for oifm_id in entry.get("replaces", ()))
    fields[fold(entry["oifm_id"])] = "id"
    return fields


class CodedElement(NamedTuple):
    """The part of a model that carries a code.

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


async def find_by_code(
    store: Store, system: str, code: str, *, limit: int = 100, offset: int = 0
) -> list[tuple[EntryRow, CodedElement]]:
    """Return the parts of models that carry a code, each with the entry of its model.

    Models that carry the code themselves come first, then attributes, then values.

    Args:
        store: the index.
        system: such as "RADLEX"; case, punctuation and the various names of SNOMED CT do not matter.
        code: such as "RID1301"; case does not matter.
        limit, offset: of models. A model that carries the code in several places has an item for each.

    Raises:
        QueryError: *limit* or *offset* is out of range.
    """
    if limit < 1 or offset < 0:
        raise QueryError(f"limit is {limit} and offset {offset}: ask for at least one model, from 0 on")
    facets = code_facets(system, code)
    page = (await _holders(store, facets, offset + limit))[offset : offset + limit]
    entries = await store.get(page)
    elements = await find_coded_elements(store, page, facets)
    return [
        (entries[oifm_id], element)
        for oifm_id in page
        if oifm_id in entries
        for element in elements.get(oifm_id, ())
    ]


def distinct_entries(found: Iterable[tuple[EntryRow, CodedElement]]) -> list[EntryRow]:
    """Return the entries of what `find_by_code` *found*, each once, in their order."""
    return list({entry["oifm_id"]: entry for entry, _ in found}.values())


def code_facets_of(query: Query) -> list[str]:
    """Return the filters of *query* by code."""
    return [name for group in query.facets for name in group if is_code_facet(name)]


def codes_of(place: str, part: dict[str, Any]) -> Iterator[HeldCode]:
    """Yield the codes that *part* itself carries, a "model", "attribute" or "value" as *place* says."""
    for one in part.get("index_codes") or ():
        system, code = one["system"], one["code"]
        yield HeldCode(system, code, code_facet(system, code, place))


async def find_coded_elements(
    store: Store, ids: Collection[str], facets: Collection[str]
) -> dict[str, list[CodedElement]]:
    """Return by id, of the models with these *ids*, the parts that carry a code of *facets*."""
    texts = await store.models(ids)
    found: dict[str, list[CodedElement]] = {}
    for oifm_id, text in texts.items():
        for element, facet in _coded_elements(json.loads(text)):
            if facet in facets:
                found.setdefault(oifm_id, []).append(element)
    return found


async def _holders(store: Store, facets: Sequence[str], limit: int) -> list[str]:
    """Return ids of models that carry the code, those that carry it themselves first."""
    found: dict[str, None] = {}
    for facet in facets:
        if len(found) < limit:
            query = TermQuery((), facets=((facet,),))
            found.update((one.oifm_id, None) for one in await store.terms.candidates(query, limit=limit))
    return list(found)


def _coded_elements(model: dict[str, Any]) -> Iterator[tuple[CodedElement, str]]:
    """Yield the parts of *model* that carry a code, with the filter for that code."""
    yield from _with_facets("model", model, "oifm_id")
    for attribute in model.get("attributes") or ():
        yield from _with_facets("attribute", attribute, "oifma_id")
        for position, value in enumerate(attribute.get("values") or ()):
            code = f"{attribute.get('oifma_id', '')}.{position}"  # of values in older files, which have none
            yield from _with_facets("value", {"value_code": code, **value}, "value_code")


def _with_facets(place: str, part: dict[str, Any], id_field: str) -> Iterator[tuple[CodedElement, str]]:
    for held in codes_of(place, part):
        yield CodedElement(place, part.get(id_field, ""), part.get("name", "")), held.facet
