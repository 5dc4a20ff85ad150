"""RadElement common data elements: sets as the registry's API gives them, to models and back.

A set is a finding, its elements are attributes (https://api3.rsna.org/radelement/v1/sets/RDES1, as of 2024;
dates are MM/DD/YYYY). What one side says and the other cannot is listed, not dropped in silence.

The organization CDE assigns ids by the number in the registry: RDES195 is OIFM_CDE_000195, and RDE1474.0 is
OIFMA_CDE_001474.0. An import for it is therefore the same every time; other organizations get new ids.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from pydantic import ValidationError

from findingmodel.errors import DocumentError, EditError, Problem
from findingmodel.model.draft import PLACEHOLDER
from findingmodel.model.finding import (
    ChoiceAttributeIded,
    FindingModelBase,
    FindingModelFull,
    Organization,
    add_ids,
)
from findingmodel.model.rules import ORGANIZATION_CODE_PATTERN, explain

if TYPE_CHECKING:
    from collections.abc import Container, Iterator, Mapping, Sequence

REGISTRY = "CDE"
"""The organization whose ids carry the numbers of the registry."""

_SYSTEM = "RADELEMENT"
_SET = re.compile(r"RDES(\d{1,6})", re.IGNORECASE)
_ELEMENT = re.compile(r"RDE(\d{1,6})", re.IGNORECASE)
_VALUE = re.compile(r"RDE(\d{1,6})\.(\d+)", re.IGNORECASE)
_OWN_ATTRIBUTE = re.compile(rf"OIFMA_{REGISTRY}_0*(\d+)")
_OWN_VALUE = re.compile(rf"OIFMA_{REGISTRY}_0*(\d+)\.(\d+)")
_NUMBERS = ("integer", "float", "decimal", "numeric")


class Converted(NamedTuple):
    """A document in another format, or a model from one.

    Attributes:
        document: plain JSON.
        lost: what the source says and *document* does not, in words.
    """

    document: Any
    lost: tuple[str, ...]


# to a set


def to_set(model: FindingModelFull) -> Converted:
    """Return *model* as a RadElement set, wrapped in ``data`` as the API does.

    Parts that the registry does not know keep our ids, so that `from_set` finds them again.
    """
    codes = [_code(code) for code in model.index_codes or ()]
    own = [code["code"] for code in codes if code["system"] == _SYSTEM and _SET.fullmatch(code["code"])]
    lists = {field: getattr(model, field) for field in ("synonyms", "tags", "replaces")}
    lost = [f"{field}: {', '.join(texts)}" for field, texts in lists.items() if texts]
    document = {
        "id": own[0].upper() if own else model.oifm_id,
        "name": model.name,
        "description": model.description,
        "version": _version(),
        "url": "",
        "index_codes": [code for code in codes if code["code"] not in own],
        "body_parts": [],
        "authors": _authors(model, lost),
        "history": [],
        "specialty": [],
        "elements": [_element(attribute, lost) for attribute in model.attributes],
        "references": [],
    }
    return Converted({"data": document}, tuple(lost))


def _code(code: Any) -> dict[str, Any]:
    return {"system": code.system, "code": code.code, "display": code.display or ""}


def _version() -> dict[str, Any]:
    return {"name": "", "version_date": None, "status_date": None, "status": "Proposed"}


def _authors(model: FindingModelFull, lost: list[str]) -> dict[str, Any]:
    people, organizations = [], []
    for one in model.contributors or ():
        if isinstance(one, Organization):
            organizations.append({"name": one.name, "abbreviation": one.code, "url": one.url})
        else:
            people.append({"name": one.name, "orcid_id": None, "url": one.url, "role": None})
            lost.append(f"contributor {one.github_username}: user name, e-mail and organization")
    return {"person": people, "organization": organizations}


def _element(attribute: Any, lost: list[str]) -> dict[str, Any]:
    found = _OWN_ATTRIBUTE.fullmatch(attribute.oifma_id)
    is_choice = isinstance(attribute, ChoiceAttributeIded)
    most = attribute.max_selected if is_choice else 1
    minimum, maximum = (None, None) if is_choice else (attribute.minimum, attribute.maximum)
    return {
        "id": f"RDE{found[1]}" if found else attribute.oifma_id,
        "name": attribute.name,
        "short_name": "",
        "definition": attribute.description or "",
        "question": "",
        "instructions": "",
        "synonyms": "",
        "version": _version(),
        "index_codes": [_code(code) for code in attribute.index_codes or ()],
        "value_set": {
            "cardinality": {"min_cardinality": int(attribute.required), "max_cardinality": most},
            "value_min_max": {"value_min": minimum, "value_max": maximum},
            "step_value": None,
            "unit": "" if is_choice else attribute.unit or "",
            "value_type": "valueSet" if is_choice else "float",
            "values": [_value(value) for value in attribute.values] if is_choice else [],
        },
    }


def _value(value: Any) -> dict[str, Any]:
    found = _OWN_VALUE.fullmatch(value.value_code)
    return {
        "value": f"RDE{found[1]}.{found[2]}" if found else value.value_code,
        "name": value.name,
        "definition": value.description or "",
        "index_codes": [_code(code) for code in value.index_codes or ()],
    }


# from a set


def from_set(document: Any, source: str, *, taken: Container[str] = ()) -> Converted:
    """Return a RadElement set as a finding model, with the code of the set.

    Args:
        document: the parsed JSON, with or without the API's ``data`` around it.
        source: the code of the organization that assigns the ids; CDE takes the registry's numbers.
        taken: ids in use, which are not assigned.

    Returns:
        The model as plain JSON, and what it cannot say.

    Raises:
        EditError: *document* is not a set.
        ConfigError: *source* is not the code of an organization.
        DocumentError: the set breaks a rule of the format.
    """
    data = document.get("data", document) if isinstance(document, dict) else None
    if not isinstance(data, dict) or not isinstance(data.get("elements"), list):
        raise EditError("this is not a RadElement set: it has no list of elements")
    lost: list[str] = list(_unsaid("set", data, _SET_FIELDS))
    is_own = source.upper() == REGISTRY
    draft: dict[str, Any] = {
        "name": _text(data, "name"),
        "description": _text(data, "description"),
        "attributes": [
            made for one in data["elements"] if (made := _attribute(one, lost, is_own=is_own)) is not None
        ],
    }
    if len(draft["description"]) < 5:
        draft["description"] = PLACEHOLDER
        lost.append("the set has no description: write one")
    number = _SET.fullmatch(_text(data, "id"))
    codes = _codes(data)
    if number:
        code = f"RDES{int(number[1])}"
        codes = [{"system": _SYSTEM, "code": code, "display": draft["name"]}, *codes]
        if is_own:
            draft["oifm_id"] = f"OIFM_{REGISTRY}_{int(number[1]):06d}"
    draft |= {"index_codes": codes} if codes else {}
    draft |= {"contributors": credited} if (credited := _organizations(data, lost)) else {}
    try:
        full = add_ids(FindingModelBase.model_validate(draft), source, taken=taken)
    except ValidationError as error:
        raise DocumentError("the set", explain(draft, error.errors(include_url=False))) from error
    except KeyError as error:
        raise DocumentError("the set", [Problem("", "missing", f"{error} is missing")]) from error
    return Converted(full.model_dump(mode="json", exclude_none=True), tuple(lost))


def _organizations(data: Mapping[str, Any], lost: list[str]) -> list[dict[str, Any]]:
    """Return the organizations among the authors that have a code; people lack what a contributor needs."""
    authors = data.get("authors") or {}
    found = []
    for one in authors.get("organization") or ():
        code, name = _text(one, "abbreviation"), _text(one, "name")
        if re.fullmatch(ORGANIZATION_CODE_PATTERN, code) and len(name) >= 5:
            url = _text(one, "url")
            found.append({"name": name, "code": code} | ({"url": url} if url.startswith("http") else {}))
        else:
            lost.append(f"author {name!r}, an organization without a code")
    lost += [f"author {_text(one, 'name')!r}" for one in authors.get("person") or ()]
    return found


_SET_FIELDS = {"id", "name", "description", "index_codes", "elements", "url", "authors"}
_ELEMENT_FIELDS = {"id", "parent_id", "name", "definition", "index_codes", "value_set"}
_VALUE_SET_FIELDS = {"cardinality", "value_min_max", "unit", "value_type", "value_size", "values"}
_VALUE_FIELDS = {"value", "code", "name", "definition", "index_codes"}


def _unsaid(what: str, part: Mapping[str, Any], known: set[str]) -> Iterator[str]:
    """Yield the fields of *part* that say something and that a model has no place for."""
    for field, value in part.items():
        if field not in known and _says_something(value):
            yield f"{field} of {what}"


def _says_something(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_says_something, value.values()))
    if isinstance(value, list):
        return any(map(_says_something, value))
    return value not in (None, "", 0, "01/01/0001", "Proposed")


def _text(part: Mapping[str, Any], name: str) -> str:
    value = part.get(name)
    return " ".join(value.split()) if isinstance(value, str) else ""


def _attribute(element: Any, lost: list[str], *, is_own: bool) -> dict[str, Any] | None:
    if not isinstance(element, dict):
        raise EditError("this is not a RadElement set: an element is not an object")
    name, value_set = _text(element, "name"), element.get("value_set") or {}
    what = f"element {name!r}"
    lost.extend(_unsaid(what, element, _ELEMENT_FIELDS))
    lost.extend(_unsaid(f"the values of {what}", value_set, _VALUE_SET_FIELDS))
    cardinality = value_set.get("cardinality") or {}
    attribute: dict[str, Any] = {"name": name, "required": (cardinality.get("min_cardinality") or 0) >= 1}
    if len(definition := _text(element, "definition")) >= 5:
        attribute["description"] = definition[:500]
        lost.extend([f"the end of the definition of {what}"] if len(definition) > 500 else [])
    attribute |= {"index_codes": codes} if (codes := _codes(element)) else {}
    number = _ELEMENT.fullmatch(_text(element, "id"))
    if is_own and number:
        attribute["oifma_id"] = f"OIFMA_{REGISTRY}_{int(number[1]):06d}"
    values = [value for value in value_set.get("values") or () if isinstance(value, dict)]
    kind = str(value_set.get("value_type") or "").lower()
    if len(values) >= 2:
        most = cardinality.get("max_cardinality")
        attribute |= {"type": "choice", "max_selected": min(max(most or len(values), 1), len(values))}
        attribute["values"] = [_choice(value, lost, what, is_own=is_own) for value in values]
    elif kind in _NUMBERS:
        limits = value_set.get("value_min_max") or {}
        numbers = {"minimum": limits.get("value_min"), "maximum": limits.get("value_max")}
        attribute |= {"type": "numeric", **{name: n for name, n in numbers.items() if n is not None}}
        attribute |= {"unit": unit} if (unit := _text(value_set, "unit")) else {}
    else:
        lost.append(f"{what}: neither a number nor a choice of two values, but {kind or 'of no type'}")
        return None
    return attribute


def _choice(value: Mapping[str, Any], lost: list[str], what: str, *, is_own: bool) -> dict[str, Any]:
    name = _text(value, "name")
    lost.extend(_unsaid(f"value {name!r} of {what}", value, _VALUE_FIELDS))
    made: dict[str, Any] = {"name": name}
    made |= {"description": definition} if (definition := _text(value, "definition")) else {}
    made |= {"index_codes": codes} if (codes := _codes(value)) else {}
    found = _VALUE.fullmatch(_text(value, "value") or _text(value, "code"))
    if is_own and found:
        made["value_code"] = f"OIFMA_{REGISTRY}_{int(found[1]):06d}.{found[2]}"
    return made


def _codes(part: Mapping[str, Any]) -> Sequence[dict[str, str]]:
    """Return the ontology codes of *part*, without those that are too short to be codes."""
    codes = []
    for code in part.get("index_codes") or ():
        if isinstance(code, dict) and len(_text(code, "system")) >= 3 and len(_text(code, "code")) >= 3:
            made = {"system": _text(code, "system").upper(), "code": _text(code, "code")}
            codes.append(made | ({"display": text} if len(text := _text(code, "display")) >= 3 else {}))
    return codes
