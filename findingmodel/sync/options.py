"""How an update goes about it."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["UpdateOptions"]


class UpdateOptions(NamedTuple):
    """What the caller of an update may choose.

    Attributes:
        dry_run: find out, write nothing.
        rehash: read every file, whatever its size and times say.
        remove: remove models whose file is gone.
        force: do it even if most models would be removed.
        strict: write nothing if any file fails.
        concurrency: most chunks of files being loaded at once.
        batch_size: most models in one write.
        max_file_bytes: larger files fail.
        lease_seconds: how long another update waits for this one if it dies.
    """

    dry_run: bool = False
    rehash: bool = False
    remove: bool = True
    force: bool = False
    strict: bool = False
    concurrency: int = 2
    batch_size: int = 1_000
    max_file_bytes: int = 20_000_000
    lease_seconds: float = 60.0
