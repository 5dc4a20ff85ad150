"""coverage: which models lack what. A report for curators, and the filters of lists."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.model.draft import CHANGE, CHANGE_CORE, PLACEHOLDER
from findingmodel.stores.paging import iter_models
from findingmodel.stores.records import TermQuery
from findingmodel.text.normalize import fold
from findingmodel.text.terms import facet

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

    from findingmodel.stores.protocol import Store

    Model = Mapping[str, Any]

_PRESENCE = "presence"
MODALITIES: dict[str, tuple[str, ...]] = {
    "XR": ("XR", "x-ray", "xray", "radiography", "radiograph", "CR", "DX"),
    "CT": ("CT", "computed tomography"),
    "MR": ("MR", "MRI", "magnetic resonance imaging"),
    "US": ("US", "ultrasound", "sonography"),
    "NM": ("NM", "nuclear medicine", "scintigraphy"),
    "PET": ("PET", "PT", "PET/CT", "PET-CT"),
    "MG": ("MG", "mammography"),
    "RF": ("RF", "FL", "fluoroscopy"),
    "XA": ("XA", "angiography"),
}
"""The tags that name a modality, by its code in DICOM (PS3.3, C.7.3.1.1.1); XR and PET are usual instead."""
_MODALITY_TAGS = {fold(tag) for tags in MODALITIES.values() for tag in tags}


def _attributes(model: Model) -> Sequence[Model]:
    return model.get("attributes") or ()


def _own_attributes(model: Model) -> list[Model]:
    """Return the attributes that not every model has."""
    return [one for one in _attributes(model) if fold(one["name"]) not in (_PRESENCE, CHANGE)]


def _lacks_attribute(name: str) -> Callable[[Model], bool]:
    return lambda model: not any(fold(one["name"]) == name for one in _attributes(model))


def _lacks_core_change(model: Model) -> bool:
    for one in _attributes(model):
        if fold(one["name"]) == CHANGE:
            return not {fold(value["name"]) for value in one.get("values") or ()} >= set(CHANGE_CORE)
    return False


GAPS: dict[str, tuple[str, Callable[[Model], bool]]] = {
    "description": (
        "no description, or a placeholder",
        lambda model: not model.get("description") or model["description"] == PLACEHOLDER,
    ),
    "synonyms": ("no synonyms", lambda model: not model.get("synonyms")),
    "tags": ("no tags", lambda model: not model.get("tags")),
    "modality": (
        "no tag that names a modality",
        lambda model: not {fold(tag) for tag in model.get("tags") or ()} & _MODALITY_TAGS,
    ),
    "codes": ("no ontology code of the finding", lambda model: not model.get("index_codes")),
    "contributors": ("no contributors", lambda model: not model.get("contributors")),
    "presence": ("no attribute presence", _lacks_attribute(_PRESENCE)),
    "change": ("no attribute change from prior", _lacks_attribute(CHANGE)),
    "core-changes": ("change from prior without its core values", _lacks_core_change),
    "attributes": ("no attribute of its own", lambda model: not _own_attributes(model)),
    "attribute-descriptions": (
        "an attribute without a description",
        lambda model: not all(one.get("description") for one in _attributes(model)),
    ),
    "units": (
        "a number without a unit",
        lambda model: any(one["type"] == "numeric" and not one.get("unit") for one in _attributes(model)),
    ),
}
"""What a model can lack: a word for it, what it means, and whether the parsed JSON of a model lacks it."""


class Coverage(NamedTuple):
    """What the models of an index lack.

    Attributes:
        models: the number of models.
        lacking: the number of models by what they lack, in the order of `GAPS`.
        systems: the number of models that have a code of their own in each ontology, the most frequent first.
        modalities: the number of models by modality, likewise.
    """

    models: int
    lacking: dict[str, int]
    systems: dict[str, int]
    modalities: dict[str, int]

    def as_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return self._asdict()


def gaps_of(model: Model) -> list[str]:
    """Return what *model*, the parsed JSON of a valid model, lacks: keys of `GAPS`.

    >>> gaps_of({"name": "edema", "description": "Fluid.", "tags": ["CT"], "attributes": []})
    ['synonyms', 'codes', 'contributors', 'presence', 'change', 'attributes']
    """
    return [name for name, (_, lacks) in GAPS.items() if lacks(model)]


async def coverage(store: Store, *, progress: Callable[[int, int], None] | None = None) -> Coverage:
    """Return what the models of the index lack.

    Args:
        store: the index.
        progress: called with (models read, models).

    Raises:
        StoreError: the store failed.
    """
    ids = [state.oifm_id for state in await store.manifest()]
    lacking, systems, modalities = Counter[str](), Counter[str](), Counter[str]()
    models = 0
    async for texts in iter_models(store, ids):
        for text in texts.values():
            model = json.loads(text)
            lacking.update(gaps_of(model))
            systems.update({code["system"] for code in model.get("index_codes") or ()})
            tags = {fold(tag) for tag in model.get("tags") or ()}
            modalities.update(code for code, names in MODALITIES.items() if tags & set(map(fold, names)))
        models += len(texts)
        if progress:
            progress(models, len(ids))
    counts = {name: lacking[name] for name in GAPS}
    return Coverage(models, counts, dict(systems.most_common()), dict(modalities.most_common()))


async def select(
    store: Store,
    *,
    tags: Collection[str] = (),
    contributors: Collection[str] = (),
    modalities: Collection[str] = (),
    without: Collection[str] = (),
) -> list[str]:
    """Return the ids of the models that meet all conditions.

    Args:
        store: the index.
        tags: a model has each of these, in any case.
        contributors: a model has one of these, GitHub user names or codes of organizations.
        modalities: a model has a tag for each of these, keys of `MODALITIES`, under whatever name.
        without: a model lacks each of these, keys of `GAPS`.

    Raises:
        QueryError: a modality or a gap is unknown.
        StoreError: the store failed.
    """
    _refuse_unknown("modality", [code.upper() for code in modalities], MODALITIES)
    _refuse_unknown("without", without, GAPS)
    groups: list[tuple[str, ...]] = [(facet("tag", tag),) for tag in tags]
    groups += [tuple(facet("tag", tag) for tag in MODALITIES[code.upper()]) for code in modalities]
    groups += [tuple(facet("contributor", key) for key in contributors)] if contributors else []
    if groups:
        query = TermQuery((), facets=tuple(groups))
        ids = [one.oifm_id for one in await store.terms.candidates(query, limit=None)]
    else:
        ids = [state.oifm_id for state in await store.manifest()]
    if not without:
        return ids
    kept: list[str] = []
    async for texts in iter_models(store, ids):
        for oifm_id, text in texts.items():
            model = json.loads(text)
            if all(GAPS[name][1](model) for name in without):
                kept.append(oifm_id)
    return kept


def _refuse_unknown(kind: str, names: Collection[str], known: Collection[str]) -> None:
    for name in names:
        if name not in known:
            raise QueryError(f"{kind} cannot be {name!r}; choose one of {', '.join(known)}")
