"""What the caller of an update chooses, what the caller can follow, and when an update is refused."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.limits import BATCH_SIZE, CONCURRENCY, LEASE_SECONDS, MAX_FILE_BYTES, MAX_NESTING
from findingmodel.runtime.timing import untimed
from findingmodel.update.report import Refusal

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from findingmodel.runtime.timing import Timer
    from findingmodel.settings import Settings
    from findingmodel.stores.lease import Lease
    from findingmodel.stores.records import WriteBatch

_SMALL_INDEX = 20


class UpdateOptions(NamedTuple):
    """What an update may do, and within which limits.

    Attributes:
        dry_run: report what would change, and write nothing.
        rehash: read every file, even if its size and times have not changed.
        remove: remove models whose file no longer exists.
        force: update even if most models would be removed.
        strict: write nothing if any file fails.
        concurrency: the maximum number of chunks of files loaded at the same time.
        batch_size: the maximum number of models in one write.
        max_file_bytes: larger files fail.
        max_nesting: files that are nested deeper fail.
        lease_seconds: how long other writers wait for this one after it died.
        wait_seconds: how long to wait for another writer to end.
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
        """Return options with the limits of *settings*, and the *chosen* values."""
        return cls(
            concurrency=settings.concurrency,
            batch_size=settings.batch_size,
            max_file_bytes=settings.max_file_bytes,
            max_nesting=settings.max_nesting,
            lease_seconds=settings.lease_seconds,
            **chosen,
        )

    def refusal(self, *, known: int, removed: int, failed: int) -> Refusal | None:
        """Return why an update with these options must not write; None if it may.

        Args:
            known: the number of models in the index.
            removed: the number of models the update would remove, without those that moved.
            failed: the number of files that cannot be indexed.
        """
        if self.strict and failed:
            files = "1 file" if failed == 1 else f"{failed:,} files"
            return Refusal(
                "strict", removed, f"{files} failed and --strict was given, so nothing was written"
            )
        if self.force or not exceeds_wipe_guard(known=known, removed=removed):
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


def exceeds_wipe_guard(*, known: int, removed: int) -> bool:
    """Return whether an update removes all models, or more than half of 20 or more."""
    return 0 < known <= removed or (known >= _SMALL_INDEX and 2 * removed > known)


class WriteCounts:
    """How many models an update has written so far, even if it fails later.

    Attributes:
        models: models that were added, updated or moved.
        removals: models that were removed.
    """

    def __init__(self) -> None:
        self.models = 0
        self.removals = 0

    def __bool__(self) -> bool:
        return bool(self.models or self.removals)

    def __str__(self) -> str:
        return f"{self.models:,} written and {self.removals:,} removed"


@dataclass(eq=False, repr=False, kw_only=True)
class UpdateObserver:
    """Follows one update: everything that an update reports while it runs.

    Attributes:
        progress: called with (files loaded, files to load).
        timer: measures each stage.
        on_wait: called with the lease of each writer that the update waits for.
        before_writing: awaited once, before the first model or contributor is written or removed.
        on_batch: awaited with each batch before it is written; in a dry run, instead.
        counts: what was written so far.
    """

    progress: Callable[[int, int], None] | None = None
    timer: Timer = untimed
    on_wait: Callable[[Lease], None] | None = None
    before_writing: Callable[[], Awaitable[None]] | None = None
    on_batch: Callable[[WriteBatch], Awaitable[None]] | None = None
    counts: WriteCounts = field(default_factory=WriteCounts)
