"""preflight: is there anything to do? One scan and one look at the manifest; nothing is read or written.

The most frequent update of all has nothing to do, so this module imports as little as can be.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.drive import Offload, inline
from findingmodel.sync.compare import compare
from findingmodel.sync.guard import refusal
from findingmodel.sync.report import UpdateReport
from findingmodel.sync.scan import scan
from findingmodel.timing import untimed

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from findingmodel.sync.compare import Comparison
    from findingmodel.sync.options import UpdateOptions
    from findingmodel.timing import Timer

__all__ = ["Preflight", "nothing_to_do", "preflight", "survey"]


class Preflight(NamedTuple):
    """What a first look found.

    Attributes:
        comparison: the directory beside the index.
        report: that of an update which has nothing to do; None if there is something.
    """

    comparison: Comparison
    report: UpdateReport | None


async def preflight(
    store: Store, directory: Path, options: UpdateOptions, *, timer: Timer = untimed
) -> Preflight:
    """Find out whether an update has anything to do.

    Raises:
        DirectoryError: *directory* cannot be listed.
        StoreError: the store failed.
    """
    started = time.perf_counter()
    comparison = await survey(store, directory, rehash=options.rehash, timer=timer)
    if not comparison.is_clean or (not options.dry_run and await store.is_unfinished()):
        return Preflight(comparison, None)
    seconds = time.perf_counter() - started
    return Preflight(comparison, nothing_to_do(comparison, options, store.label, seconds))


async def survey(
    store: Store, directory: Path, *, rehash: bool, offload: Offload = inline, timer: Timer = untimed
) -> Comparison:
    """Return how *directory* differs from what *store* was made from."""
    with timer("sync.scan") as span:
        found = await offload(scan, directory)
        span.items = len(found.files)
    with timer("sync.manifest") as span:
        manifest = await store.manifest()
        span.items = len(manifest)
    with timer("sync.compare", items=len(found.files)):
        return compare(found, manifest, rehash=rehash)


def nothing_to_do(comparison: Comparison, options: UpdateOptions, label: str, seconds: float) -> UpdateReport:
    """Return the report of an update whose *comparison* is clean."""
    failed = comparison.scan.failed
    refused = refusal(known=0, removed=0, failed=len(failed), strict=options.strict, force=options.force)
    return UpdateReport(
        unchanged=0 if refused else comparison.unchanged,
        failed=failed,
        refused=refused,
        seconds=seconds,
        db=label,
        dry_run=options.dry_run,
    )
