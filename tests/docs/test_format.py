"""The page on the file format: its example has every field, and it states every limit of the schema."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from findingmodel import parse_model
from findingmodel.model.layout import Members, read
from findingmodel.model.schema import json_schema
from tests.docs.documents import blocks

if TYPE_CHECKING:
    from collections.abc import Iterator

PAGE = (Path(__file__).parent.parent.parent / "docs/reference/format.md").read_text(encoding="utf-8")
LIMITS = ("minLength", "maxLength", "minItems", "minimum")


def walk(schema: Any) -> Iterator[tuple[str, Any]]:
    """Yield each keyword of *schema* with its value."""
    for keyword, value in schema.items() if isinstance(schema, dict) else ():
        yield keyword, value
        yield from walk(value)
    for item in schema if isinstance(schema, list) else ():
        yield from walk(item)


def fields(value: Any) -> Iterator[str]:
    if isinstance(value, Members):
        for name, member in value:
            yield name
            yield from fields(member)
    elif isinstance(value, list):
        for item in value:
            yield from fields(item)


def example() -> bytes:
    (text,) = [block.text for block in blocks(PAGE) if block.language == "json"]
    return text.encode()


def test_the_example_is_valid_and_has_every_field() -> None:
    parsed = parse_model(example())
    assert parsed.model is not None, parsed.problems
    assert parsed.warnings == ()
    parts = [json_schema(), *json_schema()["$defs"].values()]
    known = {name for part in parts for name in part["properties"]}
    assert set(fields(read(example()))) == known


def test_every_field_and_every_limit_is_explained() -> None:
    explained = PAGE.partition("## The finding")[2]
    schema = json_schema()
    names = {name for part in (schema, *schema["$defs"].values()) for name in part["properties"]}
    assert names == {name for name in names if f"`{name}`" in explained}
    numbers = set(re.findall(r"\d+", explained))
    stated = {str(value) for keyword, value in walk(schema) if keyword in LIMITS and isinstance(value, int)}
    assert stated <= numbers | {"0"}
