"""Light parts of the package, such as ids and `Match`, do not import pydantic."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize(
    "statement",
    [
        "import findingmodel.model",
        "from findingmodel import generate_oifm_id, Match",
        "import findingmodel.model.rules, findingmodel.search.hits",
    ],
)
def test_light_parts_do_not_import_pydantic(statement: str) -> None:
    code = f"{statement}; import sys; print('pydantic' in sys.modules, 'dataclasses' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
