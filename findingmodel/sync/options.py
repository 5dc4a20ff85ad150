"""How an update goes about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.timing import untimed

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from findingmodel.config import Settings
    from findingmodel.stores.records import Lease, WriteBatch
    from findingmodel.timing import Timer

__all__ = ["UpdateHooks", "UpdateOptions", "Written"]


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
    concurrency: int = 2
    batch_size: int = 1_000
    max_file_bytes: int = 20_000_000
    max_nesting: int = 200
    lease_seconds: float = 60.0
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


class Written:
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
    written: Written | None = None
    waiting: Callable[[Lease], None] | None = None
