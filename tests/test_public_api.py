"""What `findingmodel` offers: every name is there, in order, and none costs anything before it is used."""

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
"""Names of findingmodel 0.3 and 0.4 that people import."""


def test_the_names_are_sorted_and_each_is_there_once() -> None:
    assert findingmodel.__all__ == sorted(set(findingmodel.__all__))


@pytest.mark.parametrize("name", findingmodel.__all__)
def test_every_name_can_be_imported(name: str) -> None:
    namespace: dict[str, object] = {}
    exec(f"from findingmodel import {name}", namespace)  # as a user does
    assert namespace[name] is getattr(findingmodel, name)


def test_every_error_is_among_them() -> None:
    assert set(errors.__all__) <= set(findingmodel.__all__)


def test_the_names_of_the_predecessor_are_among_them() -> None:
    assert set(COMPATIBLE) <= set(findingmodel.__all__)


def test_dir_shows_what_can_be_imported() -> None:
    assert dir(findingmodel) == findingmodel.__all__


def test_another_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"'findingmodel.*' has no attribute 'Nothing'"):
        findingmodel.Nothing  # noqa: B018


def test_every_name_that_a_module_offers_is_there() -> None:
    root = Path(findingmodel.__file__).parent
    files = [path.relative_to(root.parent) for path in sorted(root.rglob("*.py"))]
    modules = [import_module(".".join(file.with_suffix("").parts)) for file in files if file.stem[0] != "_"]
    offered = [(module, name) for module in modules for name in getattr(module, "__all__", ())]
    assert len(offered) > len(modules)
    assert [f"{module.__name__}.{name}" for module, name in offered if not hasattr(module, name)] == []


@pytest.mark.parametrize(
    "statement", ["import findingmodel", "from findingmodel import __version__, DocumentError, Problem"]
)
def test_importing_the_package_imports_nothing_heavy(statement: str) -> None:
    code = f"import sys; before = set(sys.modules); {statement}; print(*set(sys.modules) - before)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "findingmodel" in loaded
    assert loaded.isdisjoint(HEAVY)


def test_an_index_in_a_file_needs_no_driver_of_a_server() -> None:
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
