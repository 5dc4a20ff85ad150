"""The architecture: which part may import which, where other packages are imported, and sizes."""

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
    {"_version", "limits"},
    {"errors"},
    {"variables"},
    {"settings"},
    {"runtime"},
    {"render"},
    {"model"},
    {"text"},
    {"stores"},
    {"update", "search"},  # writing and reading do not import each other
    {"reports"},
    {"batch"},
    {"author"},
    {"export"},
    {"observe"},
    {"legacy"},
    {"index"},
    {"agents"},
    {"cli"},
    {"__init__", "__main__"},
)
"""The parts of the package; each may import itself and the parts of earlier lines."""

PURE = {"render": {"errors"}, "model": {"errors", "limits", "render"}, "text": {"errors", "limits"}}
"""Parts without settings, stores or threads, and the parts that they may import."""

ALLOWED_FILES = {
    "sqlite3": ("stores/sqlite/*.py",),
    "motor": ("stores/mongo/pool.py",),
    "pymongo": ("stores/mongo/*.py",),
    "bson": ("stores/mongo/*.py",),
    "click": ("cli/*.py",),
    "rich": ("cli/screen.py",),
    "pydantic": (
        "model/*.py",
        "index/results.py",
        "agents/*.py",
        "author/edit_contributors.py",
        "export/*.py",
    ),
    "pydantic_core": ("model/*.py", "stores/records.py"),
    "Stemmer": ("text/stem.py",),
    "aiofiles": ("observe/ledger*.py",),
    "dotenv": ("variables.py",),
    "isal": ("stores/records.py",),
    "platformdirs": ("settings.py",),
    "prometheus_client": ("observe/prometheus.py",),
    "lark": ("author/lint/codes.py",),
    "mcp": ("agents/server.py",),
    "ucumvert": ("author/lint/codes.py",),
    "uvicorn": ("agents/server.py",),
    "tenacity": ("stores/mongo/retry.py",),
    "watchfiles": ("update/watch.py",),
    "yaml": ("author/edit_contributors.py",),
}
"""The only files that import these packages, be it lazily or for types."""

MOST_LINES = 400
FEWEST_LINES = 80
MOST_PUBLIC_METHODS = 20

SMALL: dict[str, str] = {
    "author/lint/rule.py": "the types of the table of rules, which fills its own module",
    "author/not_duplicates.py": "one file format, which has nothing to do with lint",
    "_version.py": "the build reads the version from a file of its own",
    "variables.py": "what settings are read from",
    "limits.py": "a table of numbers that nothing else belongs to",
    "model/schema.py": "pydantic generates the schema; few programs need it",
    "author/merge.py": "edits of two models, where all others have one",
    "runtime/run_without_loop.py": "must not import asyncio, as threads.py does",
    "runtime/single_flight.py": "must not import asyncio, as tasks.py does",
    "legacy/attributes.py": "a mixin of Index, which must not import what archives an old index",
    "stores/mongo/live.py": "change streams, and what replaces them",
    "update/follow.py": "reads only; nothing that writes needs it",
    "stores/mongo/server.py": "lease, transactions and live changes depend on it, and on nothing else",
    "stores/mongo/timed.py": "a proxy of the driver's collections, which nothing else should know of",
    "stores/paging.py": "loops over any store, for exports, facets and duplicates",
    "stores/transactions.py": "the tasks of a transaction, for both stores and the sessions of an Index",
    "text/normalize.py": "everything else in text builds on it",
    "text/tables.py": "the format of all tables, for text and search",
    "reports/spelling.py": "one job, apart from the reading of sentences",
    "reports/plain.py": "one of the forms in which readings are shown",
    "index/reports.py": "a mixin of Index, as searches.py is",
    "text/sentences.py": "reports are read by it, queries are not",
    "agents/bearer.py": "knows HTTP and nothing of agents",
    "cli/config.py": "one command",
    "observe/logs.py": "logging is imported only if a setting turns it on",
    "cli/timings.py": "shared by search, update, watch and stats",
}
"""Modules of fewer lines, and why each stands alone. A package's ``__init__`` needs no reason."""

LARGE_CLASSES: dict[str, str] = {
    "Index": "the facade, with the method names of findingmodel 0.3",
    "SyncIndex": "the same methods",
    "Store": "the whole contract of a store, on one screen",
}
"""Classes with more public methods, and why."""


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def imports_of(path: Path) -> Iterator[str]:
    """Every module that a file imports, lazily or not."""
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports relatively, which hides the part that it uses"
            module = node.module or ""
            yield module
            yield from (f"{module}.{alias.name}" for alias in node.names)


def files() -> dict[str, Path]:
    return {path.relative_to(PACKAGE).as_posix(): path for path in sorted(PACKAGE.rglob("*.py"))}


def part_of(name: str) -> str:
    return name.partition("/")[0].removesuffix(".py")


def module_name(name: str) -> str:
    return "findingmodel." + name.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def part_imports() -> dict[str, dict[str, set[str]]]:
    """The parts that each part imports, with the files that import them."""
    parts = {part_of(name) for name in files()}
    imports: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for name, path in files().items():
        for module in imports_of(path):
            if module.startswith("findingmodel.") and module.split(".")[1] in parts:
                imports[part_of(name)][module.split(".")[1]].add(name)
    return imports


def test_every_part_is_on_the_ladder() -> None:
    known = set().union(*LADDER)
    assert {part_of(name) for name in files()} == known


@pytest.mark.parametrize("part", sorted(set().union(*LADDER)))
def test_a_part_imports_only_what_stands_above_it(part: str) -> None:
    line = next(number for number, parts in enumerate(LADDER) if part in parts)
    allowed = {part}.union(*LADDER[:line])
    wrong = {other: by for other, by in part_imports()[part].items() if other not in allowed}
    assert wrong == {}


@pytest.mark.parametrize("part", sorted(PURE))
def test_pure_parts_import_no_stores_or_settings(part: str) -> None:
    assert part_imports()[part].keys() <= {part, *PURE[part]}


def test_there_are_no_import_cycles_not_even_lazily_or_for_types() -> None:
    modules = {module_name(name): path for name, path in files().items()}
    edges = {
        module: {other for other in imports_of(path) if other in modules and other != module}
        for module, path in modules.items()
    }
    while loose := [
        module
        for module, others in edges.items()
        if not others & edges.keys() or not any(module in edges[user] for user in edges)
    ]:
        for module in loose:
            del edges[module]
    assert {module: others & edges.keys() for module, others in edges.items()} == {}


@pytest.mark.parametrize("package", sorted(ALLOWED_FILES))
def test_another_package_is_imported_only_where_it_is_listed(package: str) -> None:
    users = {name for name, path in files().items() if package in {m.split(".")[0] for m in imports_of(path)}}
    assert {
        name for name in users if not any(fnmatch(name, allowed) for allowed in ALLOWED_FILES[package])
    } == set()
    assert users, f"no module imports {package}: is it still a dependency?"


def test_the_documents_show_these_layers() -> None:
    layers = (ROOT / "docs/architecture.md").read_text(encoding="utf-8").partition("## The layers")[2]
    heads = re.findall(r"^\| (`.+?) \|", layers.partition("\n## ")[0], re.MULTILINE)
    documented = [set(re.findall(r"`(\w+)`", head)) for head in heads]
    undocumented = {"_version", "__init__", "__main__"}
    assert documented == [parts - undocumented for parts in LADDER if parts - undocumented]


def test_contributing_lists_every_folder() -> None:
    places = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Where things are")[2]
    documented = re.findall(r"^\| `findingmodel/(\w+)` \|", places.partition("\n## ")[0], re.MULTILINE)
    assert sorted(documented) == sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))


def line_counts() -> dict[str, int]:
    return {name: len(path.read_text(encoding="utf-8").splitlines()) for name, path in files().items()}


def test_no_module_is_too_long() -> None:
    assert {name: lines for name, lines in line_counts().items() if lines > MOST_LINES} == {}


def test_a_short_module_has_a_reason() -> None:
    short = {name for name, lines in line_counts().items() if lines < FEWEST_LINES}
    assert {name for name in short if not name.endswith(("__init__.py", "__main__.py"))} == SMALL.keys()


def test_a_class_has_few_public_methods() -> None:
    large = {
        f"{name}: {node.name}"
        for name, path in files().items()
        for node in ast.walk(tree_of(path))
        if isinstance(node, ast.ClassDef)
        and len(public_methods(node)) > MOST_PUBLIC_METHODS
        and node.name not in LARGE_CLASSES
    }
    assert large == set()


def public_methods(node: ast.ClassDef) -> list[str]:
    functions = [item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef)]
    return [function.name for function in functions if not function.name.startswith("_")]
