"""The table "Where do I find" in CONTRIBUTING.md: each row names a place, and a name defined there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FEWEST_ROWS = 25


def table_lines() -> list[str]:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    section = text.partition("\n## Where do I find")[2].partition("\n## ")[0]
    return [line for line in section.splitlines() if line.startswith("|")][2:]


def parsed(line: str) -> tuple[str, str]:
    """The place and the name of a row."""
    row = re.fullmatch(r"\| .+ \| `([\w/.]+)` \| `(\w+)` \|", line)
    assert row is not None, f"not a row of behaviour, place and name: {line}"
    return row[1], row[2]


def definitions(place: Path) -> set[str]:
    """The names of all functions and classes in a file or below a folder."""
    return {
        node.name
        for path in ([place] if place.is_file() else place.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
    }


def test_the_table_has_enough_rows_and_none_twice() -> None:
    names = [parsed(line)[1] for line in table_lines()]
    assert len(names) >= FEWEST_ROWS
    assert len(names) == len(set(names))


@pytest.mark.parametrize("line", table_lines(), ids=lambda line: parsed(line)[1])
def test_the_name_is_defined_at_the_place(line: str) -> None:
    place, name = parsed(line)
    assert (ROOT / place).exists()
    assert name in definitions(ROOT / place)
