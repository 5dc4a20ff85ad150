"""The JSON Schema of a finding model file, for editors and for programs in other languages.

https://json-schema.org/draft/2020-12/schema. It states all limits of single fields. What no schema can
express is checked by `findingmodel.model.parse`: attribute ids and value codes are unique within a file.
"""

from __future__ import annotations

from typing import Any

from findingmodel.model.finding import FindingModelFull

DIALECT = "https://json-schema.org/draft/2020-12/schema"
IDENTIFIER = "urn:findingmodel:schema:1"
"""The ``$id``, which changes with what is valid."""

_UNSTATED = ("title", "default")
"""Keywords that pydantic adds and that say nothing about a file."""


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a finding model file, ready for JSON.

    Unknown fields are allowed, as in files; null stands for an absent field.

    >>> json_schema()["properties"]["oifm_id"]["pattern"]
    '^OIFM_[A-Z]{3,4}_[0-9]{6}$'
    """
    generated = FindingModelFull.model_json_schema()
    schema = {"$schema": DIALECT, "$id": IDENTIFIER, "title": "Finding model", **_cleaned(generated)}
    for part in schema["$defs"].values():
        if "type" in part["properties"] and "const" in part["properties"]["type"]:
            part["required"] = ["type", *part["required"]]  # it decides which fields there are
    return schema


def _cleaned(schema: Any) -> Any:
    """Return *schema* without titles, defaults and the examples in descriptions."""
    if isinstance(schema, list):
        return [_cleaned(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    kept: dict[str, Any] = {}
    for keyword, value in schema.items():
        if keyword == "description" and isinstance(value, str):
            kept[keyword] = " ".join(value.partition("\n\n")[0].split())
        elif keyword in ("properties", "$defs"):  # their members are names, not keywords
            kept[keyword] = {name: _cleaned(member) for name, member in value.items()}
        elif keyword not in _UNSTATED:
            kept[keyword] = _cleaned(value)
    return kept
