"""Isolation of tests from the settings and data of the user who runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.settings import Settings

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

__all__ = ["isolate"]


def isolate(patch: pytest.MonkeyPatch, home: Path) -> None:
    """Unset all variables of findingmodel, and move the directories for data and state below *home*."""
    for view in Settings().describe():
        for name in view.variables:
            patch.delenv(name, raising=False)
    patch.setenv("XDG_DATA_HOME", str(home / "data"))
    patch.setenv("XDG_STATE_HOME", str(home / "state"))
