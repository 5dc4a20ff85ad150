"""Stubs of finding models: the attributes that nearly every finding has, for curators to extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from findingmodel.errors import DocumentError
from findingmodel.model.finding import FindingModelBase, add_ids
from findingmodel.model.rules import explain

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from findingmodel.model.finding import FindingModelFull

PLACEHOLDER = "TODO: say in one or two sentences what the finding is."
"""The description of a stub if the caller passes none."""

# Name, RadLex code and its display, SNOMED CT code and its display; "" without a code.
_PRESENCE = ("presence", "", "", "705057003", "Presence (property) (qualifier value)")
_PRESENCE_VALUES = (
    ("absent", "RID28473", "absent", "2667000", "Absent (qualifier value)"),
    ("present", "RID28472", "present", "52101004", "Present (qualifier value)"),
    ("indeterminate", "RID39110", "indeterminate", "82334004", "Indeterminate (qualifier value)"),
    ("unknown", "RID5655", "unknown", "261665006", "Unknown (qualifier value)"),
)
_CHANGE = ("change from prior", "RID49896", "change", "263703002", "Changed status (qualifier value)")
_CHANGE_VALUES = (
    ("unchanged", "RID39268", "unchanged", "260388006", "No status change (qualifier value)"),
    ("stable", "RID5734", "stable", "58158008", "Stable (qualifier value)"),
    ("new", "RID5720", "new", "7147002", "New (qualifier value)"),
    ("resolved", "", "", "", ""),
    ("increased", "RID36043", "increased", "35105006", "Increased (qualifier value)"),
    ("decreased", "RID36044", "decreased", "1250004", "Decreased (qualifier value)"),
    ("larger", "RID5791", "enlarged", "263768009", "Greater (qualifier value)"),
    ("smaller", "RID38669", "diminished", "263796003", "Lesser (qualifier value)"),
)
PRESENCE_VALUES = tuple(value[0] for value in _PRESENCE_VALUES)
"""The names of the values of "presence"."""

CHANGE_VALUES = tuple(value[0] for value in _CHANGE_VALUES)
"""The names of the values of "change from prior" in a stub; the first four belong to every model."""

_DESCRIPTIONS = {
    "presence": "Presence or absence of {name}",
    "indeterminate": "Presence of {name} cannot be determined",
    "unknown": "Presence of {name} is unknown",
    "change from prior": "Whether and how {name} has changed over time",
    "resolved": "{Name} seen on a prior exam has resolved",
    "increased": "{Name} has increased",
    "decreased": "{Name} has decreased",
}
"""Descriptions of attributes and values, as the public collection words them; of others, "NAME is VALUE"."""


def make_stub(
    name: str,
    source: str,
    *,
    description: str = PLACEHOLDER,
    synonyms: Sequence[str] = (),
    tags: Sequence[str] = (),
    contributor: Mapping[str, Any] | None = None,
    taken: Container[str] = (),
) -> FindingModelFull:
    """Return a new finding model with ids and the attributes "presence" and "change from prior".

    The attributes and their values carry RadLex and SNOMED CT codes.

    Args:
        name, description, synonyms, tags: of the finding.
        source: the code of the organization that assigns the ids, three or four letters A-Z in any case.
        contributor: the fields of a person or organization.
        taken: ids in use, which are not assigned.

    Raises:
        ConfigError: *source* is not an organization code.
        DocumentError: *name*, *description* or another argument breaks a rule of the format.

    >>> [attribute.name for attribute in make_stub("pleural plaque", "ABCD").attributes]
    ['presence', 'change from prior']
    """
    draft = {
        "name": name,
        "description": description,
        "synonyms": list(synonyms) or None,
        "tags": list(tags) or None,
        "attributes": [
            _attribute(name, _PRESENCE, _PRESENCE_VALUES),
            _attribute(name, _CHANGE, _CHANGE_VALUES),
        ],
    }
    if contributor is not None:
        draft["contributors"] = [dict(contributor)]
    try:
        return add_ids(FindingModelBase.model_validate(draft), source, taken=taken)
    except ValidationError as error:
        raise DocumentError(name, explain(draft, error.errors(include_url=False))) from error


def _attribute(finding: str, term: Sequence[str], values: Sequence[Sequence[str]]) -> dict[str, Any]:
    listed = [_described(finding, value) for value in values]
    about = {"type": "choice", "values": listed, "required": False, "max_selected": 1}
    return _described(finding, term) | about


def _described(finding: str, term: Sequence[str]) -> dict[str, Any]:
    """Return the name, the description and the codes of an attribute or a value."""
    name, radlex, radlex_display, snomed, snomed_display = term
    template = _DESCRIPTIONS.get(name, f"{{Name}} is {name}")
    description = template.format(name=finding, Name=finding[:1].upper() + finding[1:])
    codes = [
        {"system": system, "code": code, "display": display}
        for system, code, display in (("RADLEX", radlex, radlex_display), ("SNOMED", snomed, snomed_display))
        if code
    ]
    return {"name": name, "description": description, "index_codes": codes or None}
