"""Finding models for tests: valid unless changed; different numbers make different models."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path


def make_model(number: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return the JSON of a valid finding model.

    Its name, ids and value codes derive from *number* (below 100,000), so that two models never conflict.
    *changes* replace whole fields; ``...`` removes a field.
    """
    model = {
        "oifm_id": f"OIFM_TEST_{number:06d}",
        "name": f"pulmonary nodule of type {number}",
        "description": "A rounded opacity in the lung, at most three centimetres across.",
        "synonyms": [f"lung nodule of type {number}", f"PN{number}"],
        "tags": ["CT", "chest"],
        "contributors": [make_organization()],
        "attributes": [make_choice(10 * number), make_number(10 * number + 1)],
        "index_codes": [{"system": "RADLEX", "code": "RID50149", "display": "pulmonary nodule"}],
    }
    return _changed(model, changes)


def make_choice(number: int = 10, /, **changes: Any) -> dict[str, Any]:
    """Return the JSON of a choice attribute; its id and its value codes derive from *number*."""
    oifma_id = f"OIFMA_TEST_{number:06d}"
    attribute = {
        "oifma_id": oifma_id,
        "name": "margin",
        "description": "How the edge of the nodule looks",
        "type": "choice",
        "values": [
            {"value_code": f"{oifma_id}.0", "name": "smooth"},
            {"value_code": f"{oifma_id}.1", "name": "lobulated", "description": "with shallow waves"},
            {
                "value_code": f"{oifma_id}.2",
                "name": "spiculated",
                "index_codes": [{"system": "RADLEX", "code": "RID5713", "display": "spiculated margin"}],
            },
        ],
        "required": False,
        "max_selected": 1,
    }
    return _changed(attribute, changes)


def make_number(number: int = 11, /, **changes: Any) -> dict[str, Any]:
    """Return the JSON of a numeric attribute; its id derives from *number*."""
    attribute = {
        "oifma_id": f"OIFMA_TEST_{number:06d}",
        "name": "diameter",
        "type": "numeric",
        "minimum": 0,
        "maximum": 30.5,
        "unit": "mm",
        "required": True,
    }
    return _changed(attribute, changes)


def make_person(**changes: Any) -> dict[str, Any]:
    """Return the JSON of a person."""
    person = {
        "github_username": "test-reader",
        "email": "reader@example.org",
        "name": "Test Reader",
        "organization_code": "TEST",
        "url": "https://example.org/reader",
    }
    return _changed(person, changes)


def make_organization(**changes: Any) -> dict[str, Any]:
    """Return the JSON of an organization."""
    return _changed({"name": "Test Radiology Group", "code": "TEST", "url": "https://example.org/"}, changes)


def model_bytes(number: int = 1, /, **changes: Any) -> bytes:
    """Return `make_model` as the bytes of a file."""
    return json.dumps(make_model(number, **changes), indent=2, ensure_ascii=False).encode()


def write_model(directory: Path, filename: str, number: int = 1, /, **changes: Any) -> Path:
    """Write `make_model` to *filename* below *directory*, and return the path."""
    path = directory / filename
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model_bytes(number, **changes))
    return path


def _changed(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in (document | changes).items() if value is not ...}
