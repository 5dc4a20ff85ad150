"""An environment without settings or data, whatever is set where the tests run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.config import Settings

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["bare_environment", "isolate"]


def isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Unset every variable of ours, and put what programs keep for their user below *home*."""
    for view in Settings().describe():
        for name in view.variables:
            patch.delenv(name, raising=False)
    patch.setenv("XDG_DATA_HOME", str(home / "data"))
    patch.setenv("XDG_STATE_HOME", str(home / "state"))


@pytest.fixture(autouse=True)
def bare_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """For every test of a module that has this name: no settings, no data, and a directory of its own."""
    isolate(monkeypatch, tmp_path)
    monkeypatch.chdir(tmp_path)
