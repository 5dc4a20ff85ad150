"""What an update may do: its options, what it calls as it goes along, and when it is refused."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.limits import BATCH_SIZE, CONCURRENCY, LEASE_SECONDS, MAX_FILE_BYTES, MAX_NESTING
from findingmodel.runtime.timing import untimed
from findingmodel.update.report import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from findingmodel.runtime.timing import Timer
    from findingmodel.settings import Settings
    from findingmodel.stores.records import Lease, WriteBatch

__all__ = ["UpdateHooks", "UpdateOptions", "WriteCounts", "may_trip", "refusal"]


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
        max_nesting: files that are nested deeper fail.
        lease_seconds: how long another update waits for this one if it dies.
        wait_seconds: how long this one waits for another that is at work.
    """

    dry_run: bool = False
    rehash: bool = False
    remove: bool = True
    force: bool = False
    strict: bool = False
    concurrency: int = CONCURRENCY
    batch_size: int = BATCH_SIZE
    max_file_bytes: int = MAX_FILE_BYTES
    max_nesting: int = MAX_NESTING
    lease_seconds: float = LEASE_SECONDS
    wait_seconds: float = 0.0

    @classmethod
    def of(cls, settings: Settings, **chosen: Any) -> UpdateOptions:
        """Return what was *chosen*, and for the rest what *settings* say."""
        return cls(
            concurrency=settings.concurrency,
            batch_size=settings.batch_size,
            max_file_bytes=settings.max_file_bytes,
            max_nesting=settings.max_nesting,
            lease_seconds=settings.lease_seconds,
            **chosen,
        )


class WriteCounts:
    """How much an update has written so far, whatever becomes of the rest.

    Attributes:
        models: added, updated or moved ones.
        removals: models that were removed.
    """

    def __init__(self) -> None:
        self.models = 0
        self.removals = 0

    def __bool__(self) -> bool:
        return bool(self.models or self.removals)

    def __str__(self) -> str:
        return f"{self.models:,} written and {self.removals:,} removed"


class UpdateHooks(NamedTuple):
    """What an update calls as it goes along.

    Attributes:
        progress: called with (files done, files to load).
        timer: measures each stage.
        begun: awaited once, before a model or a contributor is written or removed.
        sink: awaited with each batch before it is written; in a dry run, with what would be written.
        written: adds up what is written, for those who want to know although the update fails.
        waiting: called with whose end this update waits for, once for each.
    """

    progress: Callable[[int, int], None] | None = None
    timer: Timer = untimed
    begun: Callable[[], Awaitable[None]] | None = None
    sink: Callable[[WriteBatch], Awaitable[None]] | None = None
    written: WriteCounts | None = None
    waiting: Callable[[Lease], None] | None = None


_SMALL_INDEX = 20


def refusal(*, known: int, removed: int, failed: int, strict: bool, force: bool) -> Refusal | None:
    """Return why an update must not write, or None.

    Args:
        known: models in the index now.
        removed: models that it would remove; moved ones are none of them.
        failed: files that cannot be indexed.
        strict: whether any failure forbids writing.
        force: whether removing nearly everything is meant.
    """
    if strict and failed:
        files = "1 file" if failed == 1 else f"{failed:,} files"
        return Refusal("strict", removed, f"{files} failed and --strict was given, so nothing was written")
    if force or not may_trip(known=known, removed=removed):
        return None
    if removed == known:
        reason, what = "would-empty", f"all {known:,} models"
    else:
        reason, what = "would-remove-most", f"{removed:,} of {known:,} models"
    return Refusal(
        reason,
        removed,
        f"this would remove {what} from the index, so nothing was written; "
        "check that the directory is the right one, or update with --force",
    )


def may_trip(*, known: int, removed: int) -> bool:
    """Return whether removing so many models must be meant: all, or more than half of 20 or more."""
    return 0 < known <= removed or (known >= _SMALL_INDEX and 2 * removed > known)
