"""The beginning of a finding model: what every finding has, for a curator to go on from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from findingmodel.errors import DocumentError
from findingmodel.model.finding import FindingModelBase, add_ids
from findingmodel.model.rules import explain

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from findingmodel.model.finding import FindingModelFull

__all__ = ["PLACEHOLDER", "make_stub"]

PLACEHOLDER = "TODO: say in one or two sentences what the finding is."
"""The description of a stub that was given none."""

_Codes = tuple[tuple[str, str, str], ...]

_PRESENCE: tuple[tuple[str, _Codes], ...] = (
    ("absent", (("RADLEX", "RID28473", "absent"), ("SNOMED", "2667000", "Absent (qualifier value)"))),
    ("present", (("RADLEX", "RID28472", "present"), ("SNOMED", "52101004", "Present (qualifier value)"))),
    (
        "indeterminate",
        (
            ("RADLEX", "RID39110", "indeterminate"),
            ("SNOMED", "82334004", "Indeterminate (qualifier value)"),
        ),
    ),
    ("unknown", (("RADLEX", "RID5655", "unknown"), ("SNOMED", "261665006", "Unknown (qualifier value)"))),
)
_CHANGES: tuple[tuple[str, _Codes], ...] = (
    (
        "unchanged",
        (
            ("RADLEX", "RID39268", "unchanged"),
            ("SNOMED", "260388006", "No status change (qualifier value)"),
        ),
    ),
    ("stable", (("RADLEX", "RID5734", "stable"), ("SNOMED", "58158008", "Stable (qualifier value)"))),
    ("new", (("RADLEX", "RID5720", "new"), ("SNOMED", "7147002", "New (qualifier value)"))),
    ("resolved", ()),
    (
        "increased",
        (("RADLEX", "RID36043", "increased"), ("SNOMED", "35105006", "Increased (qualifier value)")),
    ),
    (
        "decreased",
        (("RADLEX", "RID36044", "decreased"), ("SNOMED", "1250004", "Decreased (qualifier value)")),
    ),
    ("larger", (("RADLEX", "RID5791", "enlarged"), ("SNOMED", "263768009", "Greater (qualifier value)"))),
    ("smaller", (("RADLEX", "RID38669", "diminished"), ("SNOMED", "263796003", "Lesser (qualifier value)"))),
)
_SAYINGS = {
    "indeterminate": "Presence of {name} cannot be determined",
    "unknown": "Presence of {name} is unknown",
    "resolved": "{Name} seen on a prior exam has resolved",
    "increased": "{Name} has increased",
    "decreased": "{Name} has decreased",
}
"""What a value means, in the words of the collections; of others "NAME is VALUE"."""

_PRESENCE_CODES: _Codes = (("SNOMED", "705057003", "Presence (property) (qualifier value)"),)
_CHANGE_CODES: _Codes = (
    ("RADLEX", "RID49896", "change"),
    ("SNOMED", "263703002", "Changed status (qualifier value)"),
)


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
    """Make a finding model that has ids and the two attributes of nearly every finding.

    Those are whether the finding is present, and how it has changed since the examination before, with the
    codes of RadLex and SNOMED CT for the attributes and their values.

    Args:
        name, description, synonyms, tags: of the finding.
        source: the code of the organization that gives the ids, three or four letters A-Z in any case.
        contributor: the fields of the person or organization that is named as contributor.
        taken: ids in use elsewhere, which are not given again.

    Raises:
        ConfigError: *source* is no organization code.
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
            _attribute(name, "presence", "Presence or absence of {name}", _PRESENCE, _PRESENCE_CODES),
            _attribute(
                name,
                "change from prior",
                "Whether and how {name} has changed over time",
                _CHANGES,
                _CHANGE_CODES,
            ),
        ],
    }
    if contributor is not None:
        draft["contributors"] = [dict(contributor)]
    try:
        return add_ids(FindingModelBase.model_validate(draft), source, taken=taken)
    except ValidationError as error:
        raise DocumentError(name, explain(draft, error.errors(include_url=False))) from error


def _attribute(
    finding: str, name: str, meaning: str, values: tuple[tuple[str, _Codes], ...], codes: _Codes
) -> dict[str, Any]:
    said = {"name": finding, "Name": finding[:1].upper() + finding[1:]}
    listed = [
        {
            "name": value,
            "description": _SAYINGS.get(value, f"{{Name}} is {value}").format(**said),
            **_coded(value_codes),
        }
        for value, value_codes in values
    ]
    return {
        "name": name,
        "description": meaning.format(**said),
        "type": "choice",
        "values": listed,
        "required": False,
        "max_selected": 1,
        **_coded(codes),
    }


def _coded(codes: _Codes) -> dict[str, Any]:
    listed = [{"system": system, "code": code, "display": display} for system, code, display in codes]
    return {"index_codes": listed} if listed else {}
