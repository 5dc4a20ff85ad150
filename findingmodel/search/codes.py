"""find_by_code: the models, attributes and values that carry a code of an ontology."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.stores.records import TermQuery
from findingmodel.text.terms import code_facets, facet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["CodeRow", "find_by_code"]


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
    """
    ids = await _holders(store, code_facets(system, code), offset + limit)
    page = ids[offset : offset + limit]
    entries = await store.get(page)
    texts = await store.models(page)
    wanted = facet("code", f"{system}:{code}")
    found = [(oifm_id, place) for oifm_id in page if oifm_id in texts for place in _places(texts[oifm_id])]
    return [
        CodeRow(entries[oifm_id], place, identifier, name)
        for oifm_id, (place, identifier, name, held) in found
        if held == wanted and oifm_id in entries
    ]


async def _holders(store: Store, facets: tuple[str, ...], wanted: int) -> list[str]:
    """Return ids of models that carry the code, those that carry it themselves first."""
    found: dict[str, None] = {}
    for held in facets:
        if len(found) < wanted:
            query = TermQuery((), facets=((held,),))
            found.update((one.oifm_id, None) for one in await store.candidates(query, limit=wanted))
    return list(found)


def _places(text: bytes) -> Iterator[tuple[str, str, str, str]]:
    """Yield what carries a code in a model: its kind, its id, its name, and the code as a facet."""
    model = json.loads(text)
    yield from _carried("model", model, "oifm_id")
    for attribute in model.get("attributes") or ():
        yield from _carried("attribute", attribute, "oifma_id")
        for value in attribute.get("values") or ():
            yield from _carried("value", value, "value_code")


def _carried(place: str, part: dict[str, Any], id_field: str) -> Iterator[tuple[str, str, str, str]]:
    for code in part.get("index_codes") or ():
        yield (
            place,
            part.get(id_field, ""),
            part.get("name", ""),
            facet("code", f"{code['system']}:{code['code']}"),
        )
