"""What a directory holds beside what the store knows of it. Nothing is read."""

from __future__ import annotations

import time
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.runtime.run_without_loop import Offload, inline
from findingmodel.runtime.timing import untimed
from findingmodel.update.options import refusal
from findingmodel.update.report import UpdateReport
from findingmodel.update.scan import scan

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from findingmodel.runtime.timing import Timer
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import FileState
    from findingmodel.update.options import UpdateOptions
    from findingmodel.update.record import Fingerprint
    from findingmodel.update.scan import Scan, SourceFile

__all__ = ["Comparison", "Preflight", "compare", "may_differ", "nothing_to_do", "preflight", "survey"]

_RACY_NS = 2_000_000_000


class Comparison(NamedTuple):
    """Scan and manifest, side by side.

    Attributes:
        scan: what is in the directory.
        known: the manifest by path.
        to_load: files that are new or may have changed, sorted by path.
        missing: manifest rows whose file is gone, by path; never below an unreadable directory.
        unchanged: how many known files need not be read.
        left_behind: by id, the path under which a model is in *known* and *missing* whose place another has
            taken: an update that was killed had no time to remove it, or to write where it is now. No file
            has such a path.
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
    """Return what differs.

    A file is unchanged if its size and modification time are those of the manifest, unless it was modified
    within two seconds of being indexed: a later edit in the same tick of the clock would not show, which git
    calls racy.

    Args:
        scan: what is in the directory.
        manifest: what the index was made from.
        rehash: whether to read every file, whatever its times say.
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
    """Return the manifest by path, and the paths of those that were left behind, by id."""
    known = {state.path: state for state in manifest}
    if len(known) == len(manifest):
        return known, {}
    found = {file.path: file for file in files}

    def right(state: FileState) -> tuple[bool, int, str]:
        file = found.get(state.path)
        is_the_file = file is not None and (file.size, file.mtime_ns) == (state.size, state.mtime_ns)
        return is_the_file, state.indexed_ns, state.oifm_id

    known = {state.path: state for state in sorted(manifest, key=right)}
    rest = [state for state in manifest if known[state.path].oifm_id != state.oifm_id]
    left_behind = {state.oifm_id: f"{state.path}\0{state.oifm_id}" for state in rest}
    return known | {left_behind[state.oifm_id]: state for state in rest}, left_behind


def may_differ(file: SourceFile | Fingerprint, state: FileState | None) -> bool:
    """Return whether *file* may be another than *state* says, going by its size and time alone."""
    if state is None or file.mtime_ns != state.mtime_ns or file.size != state.size:
        return True
    return abs(state.indexed_ns - file.mtime_ns) < _RACY_NS


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
    if not comparison.is_clean or (not options.dry_run and await store.needs_recovery()):
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
