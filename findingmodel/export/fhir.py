"""FHIR R4: models as a CodeSystem, their choices as ValueSets, a model as a Questionnaire.

https://hl7.org/fhir/R4/codesystem.html, valueset.html and questionnaire.html. The resources depend on the
models alone: they have no dates. Ontology codes keep their meaning as codings of the systems that FHIR names
(https://hl7.org/fhir/R4/terminologies-systems.html).
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from findingmodel.errors import EditError
from findingmodel.model.finding import ChoiceAttributeIded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from findingmodel.model.finding import FindingModelFull, IndexCode

DEFAULT_URL = "urn:findingmodel"
"""The start of canonical URLs of resources, if the caller has no better one."""

_SYSTEMS = {
    "SNOMED": "http://snomed.info/sct",
    "SNOMEDCT": "http://snomed.info/sct",
    "LOINC": "http://loinc.org",
    "RADLEX": "http://radlex.org",
    "RADELEMENT": "http://radelement.org",
    "GAMUTS": "http://gamuts.net",
    "UCUM": "http://unitsofmeasure.org",
    "ICD10": "http://hl7.org/fhir/sid/icd-10",
    "ICD10CM": "http://hl7.org/fhir/sid/icd-10-cm",
}
_UCUM = {
    **{unit: unit for unit in ("mm", "cm", "m", "mm2", "cm2", "mm3", "cm3", "mL", "L", "ms", "s", "%", "g")},
    **{unit: unit for unit in ("kg", "mg", "Pa", "kPa", "Hz", "cm/s", "mL/min")},
    **dict.fromkeys(("cc", "cm^3", "cm\u00b3"), "cm3"),
    **dict.fromkeys(("mm^3", "mm\u00b3"), "mm3"),
    **dict.fromkeys(("degree", "degrees", "Degrees", "\u00b0"), "deg"),
    **dict.fromkeys(("percent", "percentage"), "%"),
    **dict.fromkeys(("year", "years"), "a"),
    **dict.fromkeys(("month", "months"), "mo"),
    **dict.fromkeys(("day", "days"), "d"),
    "ml": "mL",
    "HU": "[hnsf'U]",
    "Fr": "[Ch]",
    "mmHg": "mm[Hg]",
}
"""UCUM codes by unit (https://ucum.org/ucum)."""
_SYNONYM = {"system": "http://snomed.info/sct", "code": "900000000000013009", "display": "Synonym"}
_STRUCTURE = "http://hl7.org/fhir/StructureDefinition"


def code_system(models: Iterable[FindingModelFull], *, url: str = DEFAULT_URL) -> dict[str, Any]:
    """Return a CodeSystem in which findings contain their attributes, and attributes their values.

    The codes are our ids. Synonyms are designations; ontology codes are the property ``mapping``.
    """
    concepts = [_finding(model) for model in models]
    return {
        "resourceType": "CodeSystem",
        "id": "finding-models",
        "url": _system(url),
        "name": "FindingModels",
        "title": "Radiology finding models",
        "status": "draft",
        "caseSensitive": True,
        "hierarchyMeaning": "part-of",
        "compositional": False,
        "content": "complete",
        "count": sum(1 for concept in concepts for _ in each_concept(concept)),
        "property": [
            {"code": "mapping", "description": "The same concept in another system", "type": "Coding"},
            {"code": "tag", "description": "A word to group findings by", "type": "string"},
            {"code": "replaces", "description": "A retired code that this one replaces", "type": "string"},
        ],
        "concept": concepts,
    }


def _system(url: str) -> str:
    return f"{url.rstrip('/')}{':' if url.startswith('urn:') else '/CodeSystem/'}finding-models"


def each_concept(concept: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield *concept* of a CodeSystem, and all concepts in it."""
    yield concept
    for part in concept.get("concept", ()):
        yield from each_concept(part)


def _finding(model: FindingModelFull) -> dict[str, Any]:
    concept = _concept(model.oifm_id, model)
    if model.synonyms:
        concept["designation"] = [
            {"language": "en", "use": _SYNONYM, "value": text} for text in model.synonyms if text.strip()
        ]
    more = [{"code": "tag", "valueString": tag} for tag in model.tags or () if tag.strip()]
    more += [{"code": "replaces", "valueString": oifm_id} for oifm_id in model.replaces or ()]
    if more:
        concept["property"] = [*concept.get("property", ()), *more]
    concept["concept"] = [_attribute(attribute) for attribute in model.attributes]
    return concept


def _attribute(attribute: Any) -> dict[str, Any]:
    concept = _concept(attribute.oifma_id, attribute)
    if isinstance(attribute, ChoiceAttributeIded):
        concept["concept"] = [_concept(value.value_code, value) for value in attribute.values]
    return concept


def _concept(code: str, part: Any) -> dict[str, Any]:
    concept: dict[str, Any] = {"code": code, "display": part.name.strip() or code}
    if part.description and part.description.strip():
        concept["definition"] = part.description
    if part.index_codes:
        concept["property"] = [{"code": "mapping", "valueCoding": coding(one)} for one in part.index_codes]
    return concept


def coding(code: IndexCode) -> dict[str, Any]:
    """Return an ontology code as a Coding; a system that FHIR does not name gets a URN.

    >>> from findingmodel import IndexCode
    >>> coding(IndexCode(system="SNOMED", code="2667000", display="Absent"))
    {'system': 'http://snomed.info/sct', 'code': '2667000', 'display': 'Absent'}
    """
    key = re.sub(r"[^A-Z0-9]", "", code.system.upper())
    system = _SYSTEMS.get(key, f"urn:findingmodel:system:{key or 'unknown'}")
    return {"system": system, "code": " ".join(code.code.split())} | (
        {"display": code.display} if code.display else {}
    )


def value_sets(model: FindingModelFull, *, url: str = DEFAULT_URL) -> list[dict[str, Any]]:
    """Return a ValueSet for each choice attribute of *model*."""
    return [
        {
            "resourceType": "ValueSet",
            "id": attribute.oifma_id.replace("_", "-"),
            "url": f"{url.rstrip('/')}{':' if url.startswith('urn:') else '/ValueSet/'}{attribute.oifma_id}",
            "name": attribute.oifma_id,
            "title": f"{model.name}: {attribute.name}",
            "status": "draft",
            **({"description": attribute.description} if attribute.description else {}),
            "compose": {
                "include": [
                    {
                        "system": _system(url),
                        "concept": [
                            {"code": value.value_code, "display": value.name.strip() or value.value_code}
                            for value in attribute.values
                        ],
                    }
                ]
            },
        }
        for attribute in model.attributes
        if isinstance(attribute, ChoiceAttributeIded)
    ]


def bundle(resources: Iterable[dict[str, Any]]) -> dict[str, Any]:
    """Return *resources* in a Bundle of type collection."""
    entries = [{"fullUrl": resource["url"], "resource": resource} for resource in resources]
    return {"resourceType": "Bundle", "type": "collection", **({"entry": entries} if entries else {})}


def questionnaire(model: FindingModelFull, *, url: str = DEFAULT_URL) -> dict[str, Any]:
    """Return *model* as a Questionnaire: an item for each attribute, with our ids as link ids.

    A choice has the values as answer options; a number with a unit is a quantity, in UCUM where that has the
    unit. An attribute that allows several values repeats, up to its maximum.
    """
    return {
        "resourceType": "Questionnaire",
        "id": model.oifm_id.replace("_", "-"),
        "url": f"{url.rstrip('/')}{':' if url.startswith('urn:') else '/Questionnaire/'}{model.oifm_id}",
        "name": model.oifm_id,
        "title": model.name,
        "status": "draft",
        "description": model.description,
        "code": [
            {"system": _system(url), "code": model.oifm_id, "display": model.name},
            *map(coding, model.index_codes or ()),
        ],
        "item": [_item(attribute, _system(url)) for attribute in model.attributes],
    }


def _item(attribute: Any, system: str) -> dict[str, Any]:
    item: dict[str, Any] = {
        "linkId": attribute.oifma_id,
        "text": attribute.name.strip() or attribute.oifma_id,
    }
    if attribute.index_codes:
        item["code"] = list(map(coding, attribute.index_codes))
    if isinstance(attribute, ChoiceAttributeIded):
        item |= {"type": "choice", "required": attribute.required, "repeats": attribute.max_selected > 1}
        if attribute.max_selected > 1:
            item["extension"] = [_extension("questionnaire-maxOccurs", valueInteger=attribute.max_selected)]
        item["answerOption"] = [
            {"valueCoding": {"system": system, "code": value.value_code, "display": value.name.strip()}}
            for value in attribute.values
        ]
        return item
    extensions = [
        _extension(name, valueDecimal=number)
        for name, number in (("minValue", attribute.minimum), ("maxValue", attribute.maximum))
        if number is not None
    ]
    if attribute.unit:
        extensions.append(_extension("questionnaire-unit", valueCoding=_unit(attribute.unit)))
    item |= {"extension": extensions} if extensions else {}
    return item | {"type": "quantity" if attribute.unit else "decimal", "required": attribute.required}


def _extension(name: str, **value: Any) -> dict[str, Any]:
    return {"url": f"{_STRUCTURE}/{name}", **value}


def _unit(unit: str) -> dict[str, Any]:
    if unit not in _UCUM:
        return {"display": unit}
    return {"system": _SYSTEMS["UCUM"], "code": _UCUM[unit], "display": unit}


# from a questionnaire


def from_questionnaire(document: Any) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return a Questionnaire as the draft of a model, and what the draft cannot say.

    Items of type choice, open-choice and boolean become choices, integer, decimal and quantity numbers; those
    of groups are taken out of them. Ids that are ours are kept.

    Raises:
        EditError: *document* is not a Questionnaire.
    """
    if not isinstance(document, dict) or document.get("resourceType") != "Questionnaire":
        raise EditError("this is not a FHIR Questionnaire")
    lost: list[str] = []
    attributes = [made for item in _items(document) if (made := _from_item(item, lost)) is not None]
    draft: dict[str, Any] = {
        "name": document.get("title") or document.get("name") or "",
        "description": document.get("description") or "",
        "attributes": attributes,
    }
    codes = [code for one in document.get("code") or () if (code := _index_code(one)) is not None]
    own = [code["code"] for code in codes if re.fullmatch(r"OIFM_[A-Z]{3,4}_\d{6}", code["code"])]
    draft |= {"oifm_id": own[0]} if own else {}
    codes = [code for code in codes if code["code"] not in own]
    return draft | ({"index_codes": codes} if codes else {}), tuple(lost)


def _items(holder: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for item in holder.get("item") or ():
        if item.get("type") in ("group", "display"):
            yield from _items(item)
        else:
            yield item
            yield from _items(item)


def _from_item(item: dict[str, Any], lost: list[str]) -> dict[str, Any] | None:
    name, kind = str(item.get("text") or item.get("linkId") or ""), item.get("type")
    attribute: dict[str, Any] = {"name": name, "required": bool(item.get("required"))}
    if re.fullmatch(r"OIFMA_[A-Z]{3,4}_\d{6}", str(item.get("linkId"))):
        attribute["oifma_id"] = item["linkId"]
    codes = [code for one in item.get("code") or () if (code := _index_code(one)) is not None]
    attribute |= {"index_codes": codes} if codes else {}
    if item.get("enableWhen"):
        lost.append(f"{name!r}: the condition under which it is asked")
    if kind in ("choice", "open-choice", "boolean"):
        values = [{"name": "yes"}, {"name": "no"}] if kind == "boolean" else list(_options(item))
        if len(values) < 2:
            lost.append(f"{name!r}: its values, which are in {item.get('answerValueSet') or 'no list'}")
            return None
        most = _extended(item, "questionnaire-maxOccurs", "valueInteger")
        repeats = len(values) if most is None else most
        return attribute | {
            "type": "choice",
            "values": values,
            "max_selected": min(repeats, len(values)) if item.get("repeats") else 1,
        }
    if kind in ("integer", "decimal", "quantity"):
        unit = _extended(item, "questionnaire-unit", "valueCoding") or {}
        facts = {
            "minimum": _number(item, "minValue"),
            "maximum": _number(item, "maxValue"),
            "unit": unit.get("display") or unit.get("code"),
        }
        return attribute | {"type": "numeric", **{key: one for key, one in facts.items() if one is not None}}
    lost.append(f"{name!r}: {kind}, which is neither a number nor a choice")
    return None


def _options(item: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for option in item.get("answerOption") or ():
        found = option.get("valueCoding") or {}
        name = found.get("display") or option.get("valueString") or found.get("code")
        if name is None:
            name = next((str(value) for key, value in option.items() if key.startswith("value")), None)
        if name is not None:
            made = {"name": name}
            if re.fullmatch(r"OIFMA_[A-Z]{3,4}_\d{6}\.\d+", str(found.get("code"))):
                made["value_code"] = found["code"]
            elif (code := _index_code(found)) is not None:
                made["index_codes"] = [code]
            yield made


def _extended(item: dict[str, Any], name: str, field: str) -> Any:
    for extension in item.get("extension") or ():
        if extension.get("url") == f"{_STRUCTURE}/{name}":
            return extension.get(field)
    return None


def _number(item: dict[str, Any], name: str) -> Any:
    found = _extended(item, name, "valueDecimal")
    return _extended(item, name, "valueInteger") if found is None else found


def _index_code(one: dict[str, Any]) -> dict[str, str] | None:
    names = {url: name for name, url in reversed(_SYSTEMS.items())}
    system, code = str(one.get("system") or ""), str(one.get("code") or "")
    name = names.get(system) or system.rpartition(":")[2].rpartition("/")[2].upper()
    if len(name) < 3 or len(code) < 3:
        return None
    display = str(one.get("display") or "")
    return {"system": name, "code": code} | ({"display": display} if len(display) >= 3 else {})
