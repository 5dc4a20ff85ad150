"""Who may import whom: a module imports only what stands above it, and drivers stay where they belong."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from fnmatch import fnmatch
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "findingmodel"

LADDER = (
    {"_version"},
    {"errors"},
    {"config"},
    {"background", "drive", "threads", "timing"},
    {"model"},
    {"text"},
    {"stores"},
    {"sync", "search"},  # writing and reading do not know each other
    {"observe"},
    {"answers", "driver_objects", "listing"},
    {"opening"},
    {"blocking"},
    {"index"},
    {"agents"},
    {"cli"},
    {"__init__", "__main__"},
)
"""The parts of the package; each may import those of earlier lines, and itself."""

PURE = {"model": {"errors"}, "text": {"errors"}}
"""What a finding model is and what words are: they know nothing else of us."""

AT_HOME = {
    "sqlite3": ("stores/sqlite*.py",),
    "motor": ("stores/pool.py",),
    "pymongo": ("stores/mongo*.py", "stores/pool.py"),
    "bson": ("stores/mongo*.py",),
    "click": ("cli/*.py",),
    "rich": ("cli/draw.py",),
    "pydantic": ("model/*.py", "agents/arguments.py", "agents/shapes.py", "agents/tools.py"),
    "pydantic_core": ("model/*.py",),
    "Stemmer": ("text/stem.py",),
    "aiofiles": ("observe/ledger_writer.py",),
    "dotenv": ("config.py",),
    "isal": ("stores/packing.py",),
    "platformdirs": ("config.py",),
    "mcp": ("agents/ser*.py",),
    "uvicorn": ("agents/serve.py",),
    "tenacity": ("stores/mongo_calls.py",),
    "watchfiles": ("sync/watch.py",),
}
"""The only files that import these packages, wherever in the file and be it for the type checker alone."""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


MOST_LINES = 30
LONG = {
    "search/scoring.py": (
        "score",
    ),  # a loop over every candidate, in which a call would cost more than it does
    "stores/sqlite_core.py": ("_upsert",),  # one statement for each table, nothing else
    "sync/batch.py": ("map_stream",),  # a generator and the two tasks that it ends share their state
}
"""Functions that are longer, and why."""


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, anywhere in it."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively, which hides the part that it imports from"
            whole = node.module or ""
            names = [alias.name for alias in node.names] if whole == "findingmodel" else [""]
            yield from (f"{whole}.{name}".rstrip(".") for name in names)


def files() -> dict[str, Path]:
    return {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


def part_of(name: str) -> str:
    return name.partition("/")[0].removesuffix(".py")


def part_imports() -> dict[str, dict[str, set[str]]]:
    """By part, the other parts that it imports, and the files that do so."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, path in files().items():
        for module in imports_of(path):
            if module.startswith("findingmodel."):
                found[part_of(name)][module.split(".")[1]].add(name)
    return found


def test_every_part_has_its_place() -> None:
    known = set().union(*LADDER)
    assert {part_of(name) for name in files()} <= known


@pytest.mark.parametrize("part", sorted(set().union(*LADDER)))
def test_a_part_imports_only_what_stands_above_it(part: str) -> None:
    line = next(number for number, parts in enumerate(LADDER) if part in parts)
    allowed = {part}.union(*LADDER[:line])
    wrong = {other: by for other, by in part_imports()[part].items() if other not in allowed}
    assert wrong == {}


@pytest.mark.parametrize("part", sorted(PURE))
def test_models_and_words_know_nothing_else(part: str) -> None:
    assert part_imports()[part].keys() <= {part, *PURE[part]}


@pytest.mark.parametrize("package", sorted(AT_HOME))
def test_a_foreign_package_is_imported_at_its_home_only(package: str) -> None:
    users = {name for name, path in files().items() if package in {m.split(".")[0] for m in imports_of(path)}}
    assert {name for name in users if not any(fnmatch(name, home) for home in AT_HOME[package])} == set()
    assert users, f"nothing imports {package} any more: is it still a dependency?"


def test_the_layers_of_the_documents_are_these() -> None:
    layers = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## The layers")[2]
    heads = re.findall(r"^\| (`.+?) \|", layers.partition("\n## ")[0], re.MULTILINE)
    told = [set(re.findall(r"`(\w+)`", head)) for head in heads]
    unsaid = {"_version", "__init__", "__main__"}
    assert told == [parts - unsaid for parts in LADDER if parts - unsaid]


def test_who_works_on_it_is_told_of_every_folder() -> None:
    places = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Where things are")[2]
    told = re.findall(r"^\| `findingmodel/(\w+)` \|", places.partition("\n## ")[0], re.MULTILINE)
    there = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert sorted(told) == sorted(there)


def test_function_bodies_can_be_read_at_a_glance() -> None:
    long = [
        f"{name}:{node.lineno} {node.name}: {length(node)} lines"
        for name, path in files().items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and node.name not in LONG.get(name, ())
        and length(node) > MOST_LINES
    ]
    assert long == []


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of the body, without its docstring."""
    body = function.body[1:] if ast.get_docstring(function) is not None else function.body
    return (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
