"""The collection in which the examples of the rules are tried: three models that break no rule."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

from findingmodel.author.lint.run import lint
from findingmodel.model.draft import CHANGE_CORE, PRESENCE_VALUES
from findingmodel.model.layout import canonical
from tests.builders import make_choice, make_model, make_number

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.author.lint.rule import Level, Violation


CHANGE_VALUES = (*CHANGE_CORE, "increased", "decreased", "larger", "smaller")


def make_choice_of(number: int, name: str, *values: str) -> dict[str, Any]:
    """Return a choice attribute with these values."""
    attribute = make_choice(number, name=name, description=...)
    code = attribute["oifma_id"]
    listed = [{"value_code": f"{code}.{place}", "name": value} for place, value in enumerate(values)]
    return attribute | {"values": listed}


def tidy_model(number: int = 1, /, **changes: Any) -> dict[str, Any]:
    """Return a model that breaks no rule; its ids derive from *number*."""
    start = 10 * number
    attributes = [
        make_choice_of(start, "presence", *PRESENCE_VALUES),
        make_choice_of(start + 1, "change from prior", *CHANGE_VALUES),
        make_number(start + 2, name="size"),
        make_choice_of(start + 3, "side", "left", "right"),
        make_choice_of(start + 4, "associated findings", "infarct", "effusion"),
    ]
    model = {
        "name": "pulmonary embolism",
        "description": "A clot in an artery of the lung.",
        "synonyms": ["PE", "lung embolus"],
        "tags": ["CT", "chest"],
        "attributes": attributes,
        "index_codes": [{"system": "SNOMED", "code": "59282003"}],
    }
    return make_model(number, **(model | changes))


def others() -> list[dict[str, Any]]:
    """Return two more models of the collection."""
    return [
        tidy_model(2, name="deep vein thrombosis", synonyms=["DVT"]),
        tidy_model(3, name="pulmonary infarct", synonyms=["lung infarct"]),
    ]


def changed(model: dict[str, Any], pointer: str, value: Any) -> dict[str, Any]:
    """Return *model* with *value* merged into the place *pointer*: fields of objects, item by item."""
    document = copy.deepcopy(model)
    if not pointer:
        return document | value
    *path, last = pointer.split("/")[1:]
    holder: Any = document
    for token in path:
        holder = holder[int(token)] if isinstance(holder, list) else holder[token]
    key = int(last) if isinstance(holder, list) else last
    holder[key] = _merged(holder[key], value)
    return document


def _merged(old: Any, new: Any) -> Any:
    if isinstance(old, dict) and isinstance(new, dict):
        return old | new
    if isinstance(old, list) and isinstance(new, list):
        both = [_merged(one, other) for one, other in zip(old, new, strict=False)]
        return [*both, *new[len(both) :], *old[len(both) :]]
    return new


def write_collection(directory: Path, *models: dict[str, Any]) -> Path:
    """Write *models* to ``1.fm.json`` and so on in *directory*, in canonical layout."""
    directory.mkdir(parents=True, exist_ok=True)
    for number, model in enumerate(models, start=1):
        (directory / f"{number}.fm.json").write_bytes(as_file(model))
    return directory


def as_file(model: dict[str, Any]) -> bytes:
    """Return *model* as the bytes of a file in canonical layout."""
    return canonical(json.dumps(model, ensure_ascii=False).encode())


def violations(directory: Path, filename: str = "1.fm.json") -> list[tuple[Level, Violation]]:
    """Lint *directory*, and return what was found in one file."""
    return [found for file in lint(directory).files if file.path == filename for found in file.violations]


def codes(directory: Path, filename: str = "1.fm.json") -> set[str]:
    """Lint *directory*, and return the rules that one file breaks."""
    return {found.code for _, found in violations(directory, filename)}
