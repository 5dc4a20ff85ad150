"""compare: which files of a directory are new, changed or gone, by their metadata. No file is read."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.runtime.run_without_loop import Offload, inline
from findingmodel.runtime.timing import untimed
from findingmodel.update.report import UpdateReport
from findingmodel.update.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from findingmodel.runtime.timing import Timer
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import FileState
    from findingmodel.update.options import UpdateOptions
    from findingmodel.update.scan import Scan, SourceFile

_RACY_NS = 2_000_000_000


class Comparison(NamedTuple):
    """How a scanned directory differs from the manifest of an index.

    Attributes:
        scan: the files of the directory.
        known: the manifest by path.
        to_load: files that are new or may have changed, sorted by path.
        missing: manifest rows whose file is gone, by path; never below an unreadable directory.
        unchanged: the number of known files that need not be read.
        left_behind: by id, the key in *known* and *missing* of models whose path another model has taken: an
            update that was killed did not remove them or write their new path. Such a key is not a path.
    """

    scan: Scan
    known: dict[str, FileState]
    to_load: list[SourceFile]
    missing: dict[str, FileState]
    unchanged: int
    left_behind: Mapping[str, str] = MappingProxyType({})

    @property
    def is_clean(self) -> bool:
        """True if an update would have nothing to do."""
        return not self.to_load and not self.missing


def compare(scan: Scan, manifest: Iterable[FileState], *, rehash: bool = False) -> Comparison:
    """Return how *scan* differs from *manifest*.

    A file is unchanged if its size, modification time and stamp are those of the manifest, unless it was
    modified within two seconds of being indexed: a later edit in the same clock tick would not show ("racy"
    in git). The stamp is of the inode and the change time: archives, container images and Nix give all files
    one modification time, which an edit or a replacement keeps.

    Args:
        scan: the files of the directory.
        manifest: the rows of the index, one for each model.
        rehash: whether to load every file.
    """
    known, left_behind = _by_path(list(manifest), scan.files)
    to_load = [file for file in scan.files if rehash or may_differ(file, known.get(file.path))]
    present = {file.path for file in scan.files}
    present.update(report.path for report in scan.failed)
    hidden = scan.unreadable
    missing = {
        path: state
        for path, state in known.items()
        if path not in present and not (hidden and path.startswith(hidden))
    }
    return Comparison(scan, known, to_load, missing, len(scan.files) - len(to_load), left_behind)


def _by_path(
    manifest: Sequence[FileState], files: Iterable[SourceFile]
) -> tuple[dict[str, FileState], dict[str, str]]:
    """Return the manifest by path, and by id the keys of rows that were left behind."""
    known = {state.path: state for state in manifest}
    if len(known) == len(manifest):
        return known, {}
    by_path = {file.path: file for file in files}

    def rank(state: FileState) -> tuple[bool, int, str]:
        file = by_path.get(state.path)
        is_the_file = file is not None and _facts(file) == _facts(state)
        return is_the_file, state.indexed_ns, state.oifm_id

    known = {state.path: state for state in sorted(manifest, key=rank)}
    rest = [state for state in manifest if known[state.path].oifm_id != state.oifm_id]
    left_behind = {state.oifm_id: f"{state.path}\0{state.oifm_id}" for state in rest}
    return known | {left_behind[state.oifm_id]: state for state in rest}, left_behind


def may_differ(file: SourceFile | FileState, state: FileState | None) -> bool:
    """Return whether *file* may differ from what *state* was made from, without reading it."""
    if state is None or _facts(file) != _facts(state):
        return True
    return abs(state.indexed_ns - file.mtime_ns) < _RACY_NS


def _facts(file: SourceFile | FileState) -> tuple[int, int, int]:
    return file.mtime_ns, file.size, file.stamp


async def compare_with_store(
    store: Store, directory: Path, *, rehash: bool, offload: Offload = inline, timer: Timer = untimed
) -> Comparison:
    """Scan *directory* and return how it differs from the manifest of *store*."""
    with timer("sync.scan") as span:
        scanned = await offload(scan, directory)
        span.items = len(scanned.files)
    with timer("sync.manifest") as span:
        manifest = await store.manifest()
        span.items = len(manifest)
    with timer("sync.compare", items=len(scanned.files)):
        return compare(scanned, manifest, rehash=rehash)


class Preflight(NamedTuple):
    """The result of `preflight`.

    Attributes:
        comparison: how the directory differs from the index.
        report: the report of an update that has nothing to do; None if there is something to do.
    """

    comparison: Comparison
    report: UpdateReport | None


async def preflight(
    store: Store, directory: Path, options: UpdateOptions, *, timer: Timer = untimed
) -> Preflight:
    """Return whether an update has anything to do. An embedded store needs no event loop for this.

    Raises:
        DirectoryError: *directory* cannot be listed.
        StoreError: the store failed.
    """
    started = time.perf_counter()
    comparison = await compare_with_store(store, directory, rehash=options.rehash, timer=timer)
    if not comparison.is_clean or (not options.dry_run and await store.leases.needs_recovery()):
        return Preflight(comparison, None)
    seconds = time.perf_counter() - started
    return Preflight(comparison, unchanged_report(comparison, options, store.label, seconds))


def unchanged_report(comparison: Comparison, options: UpdateOptions, db: str, seconds: float) -> UpdateReport:
    """Return the report of an update whose *comparison* is clean."""
    failed = comparison.scan.failed
    refused = options.refusal(known=0, removed=0, failed=len(failed))
    return UpdateReport(
        unchanged=0 if refused else comparison.unchanged,
        failed=failed,
        skipped=comparison.scan.skipped,
        refused=refused,
        seconds=seconds,
        db=db,
        dry_run=options.dry_run,
    )
