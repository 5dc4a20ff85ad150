"""Run a block as an ordinary user: tests often run as root, which no permission stops."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["as_ordinary_user"]

_NOBODY = 65_534


@contextlib.contextmanager
def as_ordinary_user(directory: Path) -> Iterator[None]:
    """Run the block as a user whom permissions stop, and who owns *directory* and all below it."""
    if os.geteuid() != 0:
        yield
        return
    for parent in directory.parents:
        if not parent.stat().st_mode & stat.S_IXOTH:
            parent.chmod(parent.stat().st_mode | stat.S_IXGRP | stat.S_IXOTH)
    for path in [directory, *directory.rglob("*")]:
        os.chown(path, _NOBODY, _NOBODY)
    os.seteuid(_NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)
