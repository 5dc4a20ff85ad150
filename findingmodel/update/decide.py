"""UpdateDecisions: what one update has decided so far. It reads and writes nothing.

Loaded files come in, in path order; what can be written now comes out. Files that want an identity key of a
file that is not loaded yet wait until all files are loaded.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import Problem
from findingmodel.limits import MAX_IDS_IN_REPORT
from findingmodel.update.compare import may_differ
from findingmodel.update.contributors import Credits
from findingmodel.update.identity import Claim, KeyAssignment
from findingmodel.update.options import exceeds_wipe_guard
from findingmodel.update.report import Changes, FileReport, UpdateReport
from findingmodel.update.scan import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from findingmodel.stores.records import FileState, Owner, Record
    from findingmodel.update.compare import Comparison
    from findingmodel.update.load import Loaded
    from findingmodel.update.report import CreditConflict
    from findingmodel.update.write import Rejection

    Owners = Mapping[str, Sequence[Owner]]


class Step(NamedTuple):
    """The decisions on some loaded files.

    Attributes:
        upserts: records to write.
        touches: manifest rows to write, of files whose model is stored already.
        waiting: records that `UpdateDecisions.settle` will decide on.
        reparse: files that must be parsed after all: they have the bytes of a model whose file is gone, but
            that model moved to another file.
    """

    upserts: list[Record]
    touches: list[FileState]
    waiting: list[Record]
    reparse: list[SourceFile]


class UpdateDecisions:
    """The decisions of one update.

    Args:
        comparison: how the directory differs from the manifest.
        remove: whether models whose file no longer exists are removed.
    """

    def __init__(self, comparison: Comparison, *, remove: bool = True) -> None:
        self._comparison = comparison
        self._known = comparison.known
        self._by_id = {state.oifm_id: state for state in comparison.known.values()}
        self._keys = KeyAssignment(comparison, remove=remove)
        is_left_behind = comparison.left_behind.values()
        self._gone = [row for path, row in comparison.missing.items() if remove or path in is_left_behind]
        self._at_risk = len(comparison.missing) + sum(f.path in self._known for f in comparison.to_load)
        self._counts = Counter(unchanged=comparison.unchanged)
        self._changed: dict[str, list[str]] = {kind: [] for kind in Changes._fields}
        self._failed = list(comparison.scan.failed)
        self._warnings: dict[str, tuple[Problem, ...]] = {}
        self.credits = Credits()

    @property
    def failed(self) -> tuple[FileReport, ...]:
        """Files that cannot be indexed, sorted by path."""
        return tuple(sorted(self._failed))

    @property
    def warnings(self) -> tuple[FileReport, ...]:
        """Files that are indexed with warnings, sorted by path."""
        return tuple(FileReport(path, problems) for path, problems in sorted(self._warnings.items()))

    @property
    def may_exceed_wipe_guard(self) -> bool:
        """Whether the wipe guard would refuse if every model still undecided were removed."""
        return exceeds_wipe_guard(known=len(self._known), removed=self._at_risk)

    def report(self, conflicts: tuple[CreditConflict, ...]) -> UpdateReport:
        """Return the report, once everything is decided."""
        return UpdateReport(
            added=self._counts["added"],
            updated=self._counts["updated"],
            removed=self._counts["removed"],
            unchanged=self._counts["unchanged"],
            moved=self._counts["moved"],
            changes=Changes(**{kind: tuple(sorted(ids)) for kind, ids in self._changed.items()}),
            failed=self.failed,
            warnings=self.warnings,
            conflicts=conflicts,
            skipped=self._comparison.scan.skipped,
        )

    def take(self, loaded: Iterable[Loaded], owners: Owners) -> Step:
        """Decide on some loaded files, in path order, as far as that is possible now.

        Args:
            loaded: the files.
            owners: the stored owners of their records' identity keys.
        """
        step = Step([], [], [], [])
        for one in loaded:
            if self._moved_elsewhere(one):
                step.reparse.append(
                    SourceFile(one.file.path, one.file.size, one.file.mtime_ns, one.file.stamp)
                )
            elif one.same_as is not None:
                step.touches.extend(self._keep(one, one.same_as))
            elif one.record is not None:
                waits = self._judge(one, one.record, owners)
                if waits is not None:
                    (step.waiting if waits else step.upserts).append(one.record)
            else:
                self._keys.fail(one.file.path, one.file.oifm_id)
                self._failed.append(FileReport(one.file.path, one.problems))
        return step

    def doubt(self) -> list[SourceFile]:
        """Return the files that must be read after all, although their metadata have not changed.

        These are files for whose keys others would fail, and those that look like the file of a model that
        would be removed: renaming a file keeps its size and time, and some file systems show nothing else.
        """
        lost = {(s.size, s.mtime_ns) for s in self._gone if not self._keys.holds(s.oifm_id)}
        files = self._comparison.scan.files
        twins = [file.path for file in files if (file.size, file.mtime_ns) in lost] if lost else []
        doubted = self._keys.doubt(twins)
        self._counts["unchanged"] -= len(doubted)
        self._at_risk += len(doubted)
        return [file for file in files if file.path in doubted] if doubted else []

    def shelter(self) -> list[FileState]:
        """Keep models whose file was renamed and broken at the same time; return their new manifest rows.

        Call it when everything else is decided. The file that fails becomes the file of its model.
        """
        rows = {}
        for state in self._comparison.missing.values():
            path = self._keys.shelter_of(state.oifm_id)
            if path is not None:
                rows[state.oifm_id] = state._replace(path=path)
                self.credits.move(state, rows[state.oifm_id])
        self._gone = [state for state in self._gone if state.oifm_id not in rows]
        self._counts["moved"] += len(rows)
        return list(rows.values())

    def waiting_keys(self) -> set[str]:
        """Return the identity keys whose owners `settle` needs."""
        return self._keys.contested_keys()

    def settle(self, owners: Owners) -> frozenset[str]:
        """Decide on all waiting files together; return the paths whose records are to be granted and written.

        Args:
            owners: the stored owners of the `waiting_keys`, at this moment.
        """
        waiting = {claim.path for claim in self._keys.waiting}
        failures = self._keys.resolve(owners)
        for verdict in failures:
            self._warnings.pop(verdict.claim.path, None)
            self._failed.append(FileReport(verdict.claim.path, verdict.problems()))
        return frozenset(waiting - {verdict.claim.path for verdict in failures})

    def grant(self, record: Record) -> None:
        """Count *record*, which is going to be written."""
        oifm_id, path = record.oifm_id, record.file.path
        former = self._by_id.get(oifm_id)
        kind = _kind_of_change(former, record.file)
        self._counts[kind] += 1
        if kind != "unchanged" and len(self._changed[kind]) < MAX_IDS_IN_REPORT:
            self._changed[kind].append(oifm_id)
        if former is not None:
            self._at_risk -= 1
            self._counts["moved"] += former.path != path
        self._replace(path, oifm_id)
        self.credits.add(record.credits, former)

    def revoke(self, rejection: Rejection) -> None:
        """Undo the decision on a file that the store did not write: it keeps what it held before."""
        file = rejection.file
        former, before = self._by_id.get(file.oifm_id), self._known.get(file.path)
        kind = _kind_of_change(former, file)
        self._counts[kind] -= 1
        if file.oifm_id in self._changed.get(kind, ()):
            self._changed[kind].remove(file.oifm_id)
        if former is not None:
            self._counts["moved"] -= former.path != file.path
        if before in self._gone and before.oifm_id != file.oifm_id:
            self._gone.remove(before)
        self.credits.revoke(rejection.credits)
        self._warnings.pop(file.path, None)
        self._failed.append(FileReport(file.path, (Problem("", "not-written", rejection.reason),)))

    def removals(self) -> list[str]:
        """Return the sorted ids that no file holds any more; call it when everything else is decided."""
        gone = {s.oifm_id: s for s in self._gone if not self._keys.holds(s.oifm_id)}
        for state in gone.values():
            self.credits.remove(state)
        self._counts["removed"] = len(gone)
        ids = sorted(gone)
        self._changed["removed"] = ids[:MAX_IDS_IN_REPORT]
        return ids

    def _moved_elsewhere(self, loaded: Loaded) -> bool:
        """Return whether *loaded* looks like a moved file, but its model already moved to another path."""
        old = loaded.same_as
        return old in self._comparison.missing and not self._keys.move(old, loaded.file.path)

    def _keep(self, loaded: Loaded, old: str) -> Iterator[FileState]:
        """Count a file whose bytes are known from path *old*; yield its manifest row if it changes."""
        former, file = self._known[old], loaded.file
        if old == file.path:
            self._keys.unchanged(old)
            if file.mtime_ns != former.mtime_ns:
                self.credits.move(former, file)
        else:
            self._replace(file.path, former.oifm_id)
            self.credits.move(former, file)
        self._at_risk -= 1
        self._counts["unchanged"] += 1
        self._counts["moved"] += former.path != file.path
        if old != file.path or may_differ(file, former):
            yield file._replace(oifm_id=former.oifm_id, contributors=former.contributors)

    def _judge(self, loaded: Loaded, record: Record, owners: Owners) -> bool | None:
        """Return whether *record* must wait; None if it fails."""
        claim = Claim(record.file.path, record.oifm_id, record.identity)
        verdict = self._keys.judge(claim, owners)
        if verdict.conflicts:
            return None
        if loaded.warnings:
            self._warnings[claim.path] = loaded.warnings
        if not verdict.waits:
            self.grant(record)
        return verdict.waits

    def _replace(self, path: str, oifm_id: str) -> None:
        """Record that *path* now holds *oifm_id*; the model it held before may be gone."""
        before = self._known.get(path)
        if before is not None and before.oifm_id != oifm_id:
            self._gone.append(before)


def _kind_of_change(former: FileState | None, file: FileState) -> str:
    """Return how the model of *file* changes, which was known from *former*."""
    if former is None:
        return "added"
    return "unchanged" if former.sha256 == file.sha256 else "updated"
