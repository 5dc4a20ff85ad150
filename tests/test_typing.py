"""The package is typed throughout: what mypy infers for a user's file is what that file says."""

from __future__ import annotations

from pathlib import Path

import pytest
from mypy import api

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent


def test_a_users_file_is_typed_as_it_says() -> None:
    out, err, code = api.run(["--strict", "--warn-unreachable", str(ROOT / "tests" / "typing" / "user.py")])
    assert (out.splitlines()[:-1], err, code) == ([], "", 0)


def test_the_package_says_that_it_is_typed() -> None:
    assert (ROOT / "findingmodel" / "py.typed").is_file()
