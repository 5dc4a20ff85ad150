"""Stubs of finding models: the attributes that nearly every finding has, for curators to extend."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from findingmodel.errors import DocumentError, EditError
from findingmodel.model.finding import FindingModelBase, add_ids
from findingmodel.model.rules import explain

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Mapping, Sequence

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
CHANGE = "change from prior"
"""The name of the attribute that compares with an earlier exam."""
CHANGE_CORE = ("unchanged", "stable", "new", "resolved")
"""Its values that every model has."""
CHANGE_PAIRS = (("larger", "smaller"), ("increased", "decreased"), ("worsened", "improved"))
"""Its values that a model has if they make sense for the finding."""
_CHANGE = (CHANGE, "RID49896", "change", "263703002", "Changed status (qualifier value)")
_CHANGE_VALUES = (
    ("unchanged", "RID39268", "unchanged", "260388006", "No status change (qualifier value)"),
    ("stable", "RID5734", "stable", "58158008", "Stable (qualifier value)"),
    ("new", "RID5720", "new", "7147002", "New (qualifier value)"),
    ("resolved", "", "", "", ""),
    ("increased", "RID36043", "increased", "35105006", "Increased (qualifier value)"),
    ("decreased", "RID36044", "decreased", "1250004", "Decreased (qualifier value)"),
    ("larger", "RID5791", "enlarged", "263768009", "Greater (qualifier value)"),
    ("smaller", "RID38669", "diminished", "263796003", "Lesser (qualifier value)"),
    ("worsened", "", "", "", ""),
    ("improved", "", "", "", ""),
)
PRESENCE_VALUES = tuple(value[0] for value in _PRESENCE_VALUES)
"""The values of "presence"."""
CHANGE_WORDS = tuple(value[0] for value in _CHANGE_VALUES)
"""All its values, in the order of a file."""
USUAL_CHANGES = ("increased", "decreased", "larger", "smaller")
"""The values besides the core values that a stub has by default."""
_DESCRIPTIONS = {
    "presence": "Presence or absence of {name}",
    "indeterminate": "Presence of {name} cannot be determined",
    "unknown": "Presence of {name} is unknown",
    "change from prior": "Whether and how {name} has changed over time",
    "resolved": "{Name} seen on a prior exam has resolved",
    "increased": "{Name} has increased",
    "decreased": "{Name} has decreased",
    "worsened": "{Name} has worsened",
    "improved": "{Name} has improved",
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
    attributes: Sequence[Mapping[str, Any]] = (),
    changes: Container[str] = USUAL_CHANGES,
    taken: Container[str] = (),
) -> FindingModelFull:
    """Return a new finding model with ids and the attributes "presence" and "change from prior".

    The attributes and their values carry RadLex and SNOMED CT codes.

    Args:
        name, description, synonyms, tags: of the finding.
        source: the code of the organization that assigns the ids, three or four letters A-Z in any case.
        contributor: the fields of a person or organization.
        attributes: more attributes, as in a file, without ids.
        changes: the values of "change from prior" besides its core values, of `CHANGE_PAIRS`.
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
            change_from_prior_attribute(name, changes),
            *map(dict, attributes),
        ],
    }
    if contributor is not None:
        draft["contributors"] = [dict(contributor)]
    try:
        return add_ids(FindingModelBase.model_validate(draft), source, taken=taken)
    except ValidationError as error:
        raise DocumentError(name, explain(draft, error.errors(include_url=False))) from error


def changes_named(words: Iterable[str]) -> list[str]:
    """Return the values of the pairs that *words* name: pairs such as "larger/smaller", or a value of each.

    Raises:
        EditError: a word is one of the core values, or names no pair.

    >>> changes_named(["larger", "worsened/improved"])
    ['larger', 'smaller', 'worsened', 'improved']
    """
    found: list[str] = []
    for word in words:
        names = [part.strip().casefold() for part in word.split("/")]
        for name in names:
            if name in CHANGE_CORE:
                raise EditError(f"{name!r} is one of the core values, which every model keeps")
        pair = next((pair for pair in CHANGE_PAIRS if set(names) <= set(pair)), None)
        if pair is None:
            listed = ", ".join("/".join(pair) for pair in CHANGE_PAIRS)
            raise EditError(f"{word!r} is not a pair of changes; the pairs are {listed}")
        found += [value for value in pair if value not in found]
    return found


def change_from_prior_attribute(finding: str, changes: Container[str] = ()) -> dict[str, Any]:
    """Return the attribute "change from prior" without an id: its core values, and those in *changes*.

    >>> attribute = change_from_prior_attribute("pleural plaque", ["larger", "smaller"])
    >>> [value["name"] for value in attribute["values"]]
    ['unchanged', 'stable', 'new', 'resolved', 'larger', 'smaller']
    """
    values = [value for value in _CHANGE_VALUES if value[0] in CHANGE_CORE or value[0] in changes]
    return _without_none(_attribute(finding, _CHANGE, values))


def change_value(finding: str, word: str) -> dict[str, Any]:
    """Return the value *word*, one of `CHANGE_WORDS`, of "change from prior", without a code of its own."""
    return _without_none(_described(finding, next(value for value in _CHANGE_VALUES if value[0] == word)))


def _without_none(part: dict[str, Any]) -> dict[str, Any]:
    filled = {name: value for name, value in part.items() if value is not None}
    if "values" in filled:
        filled["values"] = list(map(_without_none, filled["values"]))
    return filled


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
