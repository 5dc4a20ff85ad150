"""The public names of `findingmodel`: complete, sorted, and imported on first use."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import findingmodel
from findingmodel import errors

HEAVY = (
    "aiofiles",
    "asyncio",
    "bson",
    "click",
    "dataclasses",
    "motor",
    "pydantic",
    "pymongo",
    "rich",
    "sqlite3",
)

COMPATIBLE = [
    "AttributeInfo",
    "ChoiceAttribute",
    "ChoiceAttributeIded",
    "ChoiceValue",
    "ChoiceValueIded",
    "FindingModelBase",
    "FindingModelFull",
    "Index",
    "IndexCode",
    "IndexEntry",
    "IndexReturnType",
    "MongoDBIndex",
    "NumericAttribute",
    "NumericAttributeIded",
    "Organization",
    "Person",
]
"""Public names of findingmodel 0.3 and 0.4."""


def test_the_names_are_sorted_and_unique() -> None:
    assert findingmodel.__all__ == sorted(set(findingmodel.__all__))


@pytest.mark.parametrize("name", findingmodel.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"from findingmodel import {name}", namespace)  # as users do
    assert namespace[name] is getattr(findingmodel, name)


def test_every_error_is_public() -> None:
    assert set(errors.__all__) <= set(findingmodel.__all__)


def test_the_names_of_earlier_versions_are_public() -> None:
    assert set(COMPATIBLE) <= set(findingmodel.__all__)


def test_dir_lists_the_public_names() -> None:
    assert dir(findingmodel) == findingmodel.__all__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'findingmodel.*' has no attribute 'Nothing'"):
        findingmodel.Nothing  # noqa: B018


def test_every_module_can_be_imported_and_only_public_ones_have_an_all() -> None:
    root = Path(findingmodel.__file__).parent
    files = [path.relative_to(root.parent) for path in sorted(root.rglob("*.py"))]
    modules = [import_module(".".join(file.with_suffix("").parts)) for file in files if file.stem[0] != "_"]
    assert [module.__name__ for module in modules if hasattr(module, "__all__")] == ["findingmodel.errors"]


@pytest.mark.parametrize(
    "statement", ["import findingmodel", "from findingmodel import __version__, DocumentError, Problem"]
)
def test_importing_the_package_imports_no_heavy_module(statement: str) -> None:
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "findingmodel" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_an_index_in_a_file_imports_no_mongodb_driver() -> None:
    code = (
        "import asyncio, sys\n"
        "from findingmodel import Index\n"
        "async def main():\n"
        "    async with Index('sqlite://') as index:\n"
        "        return await index.search('pulmonary embolism')\n"
        "print(asyncio.run(main()), {'pymongo', 'motor', 'bson', 'click', 'rich'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[] set()\n"
