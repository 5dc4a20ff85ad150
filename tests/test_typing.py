"""Types of the package: mypy infers for a user's file the types that the file asserts."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def test_a_users_file_has_the_types_that_it_asserts() -> None:
    out, err, code = api.run(["--strict", "--warn-unreachable", str(ROOT / "tests" / "typing" / "user.py")])
    assert (out.splitlines()[:-1], err, code) == ([], "", 0)


def test_the_package_is_marked_as_typed() -> None:
    assert (ROOT / "findingmodel" / "py.typed").is_file()
