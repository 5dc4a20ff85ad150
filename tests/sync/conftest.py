"""A directory for the tests of the write path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import write_model
from tests.sync.update_rules import age

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    """Thirty models in two directories."""
    directory = tmp_path / "defs"
    for number in range(1, 31):
        write_model(directory, f"{'chest' if number % 2 else 'neck/deep'}/model_{number:02}.fm.json", number)
    age(directory)
    return directory
