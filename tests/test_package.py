"""The package: its version, its requirements, and its data files.

`scripts/package` builds and tests the wheel; these tests need no build.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tomllib
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from findingmodel._version import __version__

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
PACKAGE = ROOT / "findingmodel"
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = (ROOT / "constraints.txt").read_text(encoding="utf-8")
MODULES = {
    "pyyaml": "yaml",
    "prometheus-client": "prometheus_client",
    "pystemmer": "Stemmer",
    "python-dotenv": "dotenv",
    "typing-extensions": "typing_extensions",
}
"""Packages with a module of another name."""


def requirements(*, dev: bool = False) -> list[Requirement]:
    project = PROJECT["project"]
    texts = [*project["dependencies"], *(project["optional-dependencies"]["dev"] if dev else [])]
    return [Requirement(text) for text in texts]


def pinned() -> dict[str, str]:
    lines = [line for line in CONSTRAINTS.splitlines() if not line.startswith("#")]
    return {canonicalize_name(name): number for name, _, number in (line.partition("==") for line in lines)}


def test_the_version_is_written_in_one_place() -> None:
    assert "version" in PROJECT["project"]["dynamic"]
    assert PROJECT["tool"]["hatch"]["version"]["path"] == "findingmodel/_version.py"
    written = re.compile(rf"__version__\s*=|(?<![\w.]){re.escape(__version__)}(?![\w.])")
    found = [path.name for path in PACKAGE.rglob("*.py") if written.search(path.read_text(encoding="utf-8"))]
    assert found == ["_version.py"]


def test_the_installed_package_has_the_version() -> None:
    try:
        installed = version("findingmodel")
    except PackageNotFoundError:
        pytest.skip("findingmodel is not installed here, it is imported from its sources")
    assert installed == __version__


def test_data_files_are_in_the_wheel() -> None:
    wheel = PROJECT["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert wheel == {"packages": ["findingmodel"]}  # all of it
    beside = [path for path in PACKAGE.rglob("*") if path.is_file() and path.suffix not in {".py", ".pyc"}]
    assert {path.name for path in beside} >= {"py.typed", "importance.txt", "abbreviations.txt"}
    if (ROOT / ".git").exists():  # the build omits what git ignores
        command = ["git", "check-ignore", "--no-index", *map(str, beside)]
        assert subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout == ""


def test_every_requirement_is_bounded_and_pinned_within_its_bounds() -> None:
    for requirement in requirements(dev=True):
        pin = pinned().get(canonicalize_name(requirement.name))
        assert pin is not None, f"constraints.txt lacks {requirement.name}"
        assert requirement.specifier.contains(pin, prereleases=True), requirement
    assert all(requirement.specifier for requirement in requirements())


def test_constraints_contain_only_names_and_versions() -> None:
    for line in CONSTRAINTS.splitlines():
        assert re.fullmatch(r"#.*|[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line
    assert "findingmodel" not in pinned()


def test_all_imported_packages_are_required() -> None:
    extras = PROJECT["project"]["optional-dependencies"]
    optional = [Requirement(text) for name in extras.keys() - {"dev"} for text in extras[name]]
    names = (canonicalize_name(requirement.name) for requirement in [*requirements(), *optional])
    required = {MODULES.get(name, name) for name in names} | {"bson", "findingmodel", "pydantic_core"}
    imported = {
        name.partition(".")[0]
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert imported - sys.stdlib_module_names - required == set()


@pytest.mark.parametrize("name", [canonicalize_name(requirement.name) for requirement in requirements()])
def test_every_requirement_can_be_imported(name: str) -> None:
    assert find_spec(MODULES.get(name, name)) is not None


def test_the_supported_python_versions_are_the_same_everywhere() -> None:
    supported = SpecifierSet(PROJECT["project"]["requires-python"])
    stated = re.findall(r"Python :: (3\.\d+)", "\n".join(PROJECT["project"]["classifiers"]))
    assert stated == [f"3.{minor}" for minor in range(11, 15)]
    assert all(supported.contains(number) for number in stated)
    assert not supported.contains("3.10")
    oldest = stated[0]
    assert PROJECT["tool"]["mypy"]["python_version"] == oldest
    assert PROJECT["tool"]["ruff"]["target-version"] == "py" + oldest.replace(".", "")
    assert f"Python {oldest} or newer" in (ROOT / "README.md").read_text(encoding="utf-8")


def test_docker_compose_offers_mongodb_to_this_machine_only() -> None:
    compose = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    assert re.findall(r'- "([\d.:]+)"', compose) == ["127.0.0.1:27017:27017"]
    assert "image: mongo:8\n" in compose
    assert "rs.initiate(" in compose
