"""Reconciliation: what one update has decided so far. It reads and writes nothing.

Loaded files come in, in path order; what may be written now comes out. What cannot be decided yet, because a
file that is still to be loaded has the older right to a name or an id, waits until all are loaded.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import Problem
from findingmodel.limits import MAX_IDS_IN_REPORT
from findingmodel.update.compare import may_differ
from findingmodel.update.contributors import Credits
from findingmodel.update.identity import Claim, Identity
from findingmodel.update.options import may_trip
from findingmodel.update.record import identity_pointer, identity_word
from findingmodel.update.report import Changes, FileReport, UpdateReport
from findingmodel.update.scan import SourceFile

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from findingmodel.stores.records import FileState, Owner, Record
    from findingmodel.update.compare import Comparison
    from findingmodel.update.identity import Conflict
    from findingmodel.update.load import Loaded
    from findingmodel.update.report import CreditConflict
    from findingmodel.update.write import Loss

    Owners = Mapping[str, Sequence[Owner]]

__all__ = ["UpdateDecisions", "Step", "conflict_problem"]


class Step(NamedTuple):
    """What came of some loaded files.

    Attributes:
        upserts: records to write.
        touches: manifest rows to write, of files whose model is stored already.
        waiting: records that `UpdateDecisions.settle` will decide on.
        again: files to be parsed and taken after all: each has the bytes of a model whose file is gone, but
            that model lives in yet another file.
    """

    upserts: list[Record]
    touches: list[FileState]
    waiting: list[Record]
    again: list[SourceFile]


class UpdateDecisions:
    """The decisions of one update.

    Args:
        comparison: scan and manifest.
        remove: whether models whose file is gone are removed.
    """

    def __init__(self, comparison: Comparison, *, remove: bool = True) -> None:
        self._comparison = comparison
        self._known = comparison.known
        self._by_id = {state.oifm_id: state for state in comparison.known.values()}
        self._identity = Identity(comparison, remove=remove)
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
        """Every file that cannot be indexed, by path."""
        return tuple(sorted(self._failed))

    @property
    def warnings(self) -> tuple[FileReport, ...]:
        """Files that are indexed although something in them is odd, by path."""
        return tuple(FileReport(path, found) for path, found in sorted(self._warnings.items()))

    def report(self, conflicts: tuple[CreditConflict, ...]) -> UpdateReport:
        """Return what was decided, once everything is."""
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
        )

    @property
    def may_trip(self) -> bool:
        """Whether the guard may still refuse, should all that is undecided turn out to be removed."""
        return may_trip(known=len(self._known), removed=self._at_risk)

    def take(self, loaded: Iterable[Loaded], owners: Owners) -> Step:
        """Decide on some loaded files, in path order, as far as that is possible now.

        Args:
            loaded: as they come.
            owners: who holds the identity keys of their records in the store.
        """
        step = Step([], [], [], [])
        for one in loaded:
            if self._is_elsewhere(one):
                step.again.append(SourceFile(one.file.path, one.file.size, one.file.mtime_ns))
            elif one.same_as is not None:
                step.touches.extend(self._keep(one, one.same_as))
            elif one.record is not None:
                waits = self._judge(one, one.record, owners)
                if waits is not None:
                    (step.waiting if waits else step.upserts).append(one.record)
            else:
                self._identity.fail(one.file.path)
                self._failed.append(FileReport(one.file.path, one.problems))
        return step

    def settle(self, owners: Owners) -> frozenset[str]:
        """Decide on all that waits, together; return the paths whose records are to be granted and written.

        Args:
            owners: who holds the `waiting_keys` in the store now.
        """
        waiting = {claim.path for claim in self._identity.waiting}
        losses = self._identity.resolve(owners)
        for loss in losses:
            self._fail(loss.claim, loss.conflicts)
        return frozenset(waiting - {loss.claim.path for loss in losses})

    def waiting_keys(self) -> set[str]:
        """Return the identity keys that `settle` must know the owners of."""
        return self._identity.contested_keys()

    def grant(self, record: Record) -> None:
        """Count *record*, which is going to be written."""
        oifm_id, path = record.oifm_id, record.file.path
        former = self._by_id.get(oifm_id)
        word = _word_for(former, record.file)
        self._count(word)
        if word != "unchanged" and len(self._changed[word]) < MAX_IDS_IN_REPORT:
            self._changed[word].append(oifm_id)
        if former is not None:
            self._at_risk -= 1
            self._count_move(former, path)
        self._replace(path, oifm_id)
        self.credits.add(record.credits, former)

    def revoke(self, loss: Loss) -> None:
        """Take back that a file is indexed, because the store did not take it: what it held before stays."""
        file = loss.file
        former, before = self._by_id.get(file.oifm_id), self._known.get(file.path)
        word = _word_for(former, file)
        self._count(word, -1)
        if file.oifm_id in self._changed.get(word, ()):
            self._changed[word].remove(file.oifm_id)
        if former is not None:
            self._count_move(former, file.path, -1)
        if before is not None and before.oifm_id != file.oifm_id:
            self._gone.remove(before)
        self.credits.revoke(loss.credits)
        self._warnings.pop(file.path, None)
        self._failed.append(FileReport(file.path, (Problem("", "not-written", loss.reason),)))

    def removals(self) -> list[str]:
        """Return the ids that no file holds any more, sorted; call it when everything else is decided."""
        gone = {s.oifm_id: s for s in self._gone if not self._identity.holds(s.oifm_id)}
        for state in gone.values():
            self.credits.remove(state)
        self._counts["removed"] = len(gone)
        ids = sorted(gone)
        self._changed["removed"] = ids[:MAX_IDS_IN_REPORT]
        return ids

    def _is_elsewhere(self, loaded: Loaded) -> bool:
        """Return whether *loaded*, a moved file to judge by its bytes, is none."""
        old = loaded.same_as
        return old in self._comparison.missing and not self._identity.move(old, loaded.file.path)

    def _keep(self, loaded: Loaded, old: str) -> Iterator[FileState]:
        """Take in a file whose bytes the index knows; yield its manifest row where that changes."""
        former, path = self._known[old], loaded.file.path
        if old == path:
            self._identity.unchanged(path)
            if loaded.file.mtime_ns != former.mtime_ns:
                self.credits.move(former, loaded.file)
        else:
            self._replace(path, former.oifm_id)
            self.credits.move(former, loaded.file)
        self._at_risk -= 1
        self._count("unchanged")
        self._count_move(former, path)
        if old != path or may_differ(loaded.file, former):
            yield loaded.file.state(former.oifm_id, former.contributors)

    def _judge(self, loaded: Loaded, record: Record, owners: Owners) -> bool | None:
        """Return whether *record* must wait; None if it fails."""
        claim = Claim(record.file.path, record.oifm_id, record.identity)
        verdict = self._identity.judge(claim, owners)
        if verdict.conflicts:
            return None
        if loaded.warnings:
            self._warnings[claim.path] = loaded.warnings
        if not verdict.waits:
            self.grant(record)
        return verdict.waits

    def _fail(self, claim: Claim, conflicts: Sequence[Conflict]) -> None:
        self._warnings.pop(claim.path, None)
        problems = tuple(conflict_problem(claim.keys, conflict) for conflict in conflicts)
        self._failed.append(FileReport(claim.path, problems))

    def _replace(self, path: str, oifm_id: str) -> None:
        """Take note that *path* holds *oifm_id* now; what it held before may be gone."""
        before = self._known.get(path)
        if before is not None and before.oifm_id != oifm_id:
            self._gone.append(before)

    def _count_move(self, former: FileState, path: str, by: int = 1) -> None:
        if former.path != path:
            self._count("moved", by)

    def _count(self, what: str, by: int = 1) -> None:
        self._counts[what] += by


def _word_for(former: FileState | None, file: FileState) -> str:
    """Return what it is that a file is indexed whose model was that of *former*."""
    if former is None:
        return "added"
    return "unchanged" if former.sha256 == file.sha256 else "updated"


def conflict_problem(keys: Sequence[str], conflict: Conflict) -> Problem:
    """Return the problem of a file that wants the identity *keys*, one of which another holds."""
    word, value = identity_word(conflict.key)
    holder = conflict.path if word == "id" else f"{conflict.oifm_id} in {conflict.path}"
    return Problem(
        identity_pointer(keys, conflict.key),
        f"duplicate-{word.replace(' ', '-')}",
        f"the {word} {value!r} already belongs to {holder}: change it here, or remove one of the two",
    )
