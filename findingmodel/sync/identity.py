"""Who may hold which identity. Pure: decides from values, reads nothing.

An id, a folded name and an attribute id belong to one model only, in the directory as it will be after the
update. A file that already holds a key keeps it; among files that are new to a key the first path wins. Files
come in path order and in pieces, so a key whose holder is still to be loaded makes a file wait; those that
wait are resolved together at the end, where swaps, chains and cycles come out right. If a waiting file fails,
its old keys are its own again, which may fail others that wanted them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from findingmodel.stores.records import Owner
    from findingmodel.sync.compare import Comparison

__all__ = ["Claim", "Conflict", "Identity", "Verdict"]

_Standing = Literal["unchanged", "pending", "waiting", "settled", "failed", "missing"]


class Claim(NamedTuple):
    """What one loaded file wants to hold."""

    path: str
    oifm_id: str
    keys: tuple[str, ...]


class Conflict(NamedTuple):
    """A key that a file may not have, and the path and id of the model that holds it."""

    key: str
    path: str
    oifm_id: str


class Verdict(NamedTuple):
    """What becomes of a claim: it waits, it fails for its conflicts, or else it is granted."""

    waits: bool = False
    conflicts: tuple[Conflict, ...] = ()


class Identity:
    """The keys that one update hands out.

    Args:
        comparison: which files are to be loaded, which are gone.
        remove: whether models whose file is gone are removed, which frees their keys.
    """

    def __init__(self, comparison: Comparison, *, remove: bool = True) -> None:
        known = comparison.known
        self._missing = {path: state.oifm_id for path, state in comparison.missing.items()}
        self._remove = remove
        self._pending = {file.path for file in comparison.to_load if file.path in known}
        self._settled: dict[str, str] = {}
        self._failed: set[str] = set()
        self._lost: dict[Claim, Sequence[Conflict]] = {}
        self._taken: dict[str, str] = {}
        self._waiting: dict[str, Claim] = {}
        self._reserved: set[str] = set()
        self._moved: dict[str, str] = {}
        self._moved_here: dict[str, str] = {}

    @property
    def waiting(self) -> Sequence[Claim]:
        """The claims that `resolve` will decide, in path order."""
        return list(self._waiting.values())

    def contested_keys(self) -> set[str]:
        """Return the keys that `resolve` must know the owners of."""
        claims = (*self._waiting.values(), *self._lost)
        return {key for claim in claims for key in claim.keys}

    def holds(self, oifm_id: str) -> bool:
        """Return whether a file of this update was granted *oifm_id*."""
        return oifm_id in self._taken

    def unchanged(self, path: str) -> None:
        """Take note that the file at *path* turned out to be as the manifest says."""
        self._pending.discard(path)

    def fail(self, path: str) -> None:
        """Take note that the file at *path* cannot be indexed: what it held stays its own."""
        self._pending.discard(path)
        self._failed.add(path)

    def move(self, old: str, new: str) -> bool:
        """Let the model of the missing path *old* live on at *new*; False if it already does elsewhere."""
        oifm_id = self._missing[old]
        if oifm_id in self._taken or oifm_id in self._reserved:
            return False
        self._moved[old] = new
        self._moved_here[new] = oifm_id
        self._grant(Claim(new, oifm_id, (oifm_id,)))
        return True

    def judge(self, claim: Claim, owners: Mapping[str, Sequence[Owner]]) -> Verdict:
        """Decide on *claim* as far as that is possible now.

        Args:
            claim: of a file that was just loaded; files come in path order.
            owners: who holds the claim's keys in the store.
        """
        waits = not self._reserved.isdisjoint(claim.keys)
        conflicts = []
        for key in claim.keys:
            if key in self._taken:
                conflicts.append(self._taken_by(key))
                continue
            for owner in owners.get(key, ()):
                standing = self._standing(owner)
                if owner.path == claim.path or standing == "settled":
                    continue
                if standing in ("unchanged", "failed"):
                    conflicts.append(self._held_by(key, owner))
                elif standing != "missing" or owner.oifm_id != claim.oifm_id:
                    waits = True
        if conflicts:
            self._lose(claim, conflicts)
        elif waits:
            self._pending.discard(claim.path)
            self._waiting[claim.path] = claim
            self._reserved.update(claim.keys)
        else:
            self._grant(claim)
        return Verdict(waits and not conflicts, tuple(conflicts))

    def resolve(self, owners: Mapping[str, Sequence[Owner]]) -> dict[Claim, tuple[Conflict, ...]]:
        """Decide on all claims that wait, together.

        Args:
            owners: who holds the `contested_keys` in the store now.

        Returns:
            Every claim that fails, be it now or before, with all the keys that it may not have.
        """
        alive = self._waiting
        while losers := self._losers(alive, owners):
            for path, conflicts in losers.items():
                self._lose(alive.pop(path), conflicts)
        for claim in alive.values():
            self._grant(claim)
        self._waiting, self._reserved = {}, set()
        # Where a winner has failed in turn, only what was said at first is left to be told.
        return {
            claim: tuple(self._against_settled(claim, owners, set())) or tuple(conflicts)
            for claim, conflicts in self._lost.items()
        }

    def _lose(self, claim: Claim, conflicts: Sequence[Conflict]) -> None:
        self.fail(claim.path)
        self._lost[claim] = conflicts

    def _grant(self, claim: Claim) -> None:
        self._pending.discard(claim.path)
        self._settled[claim.path] = claim.oifm_id
        self._taken.update(dict.fromkeys(claim.keys, claim.path))

    def _taken_by(self, key: str) -> Conflict:
        path = self._taken[key]
        return Conflict(key, path, self._settled[path])

    def _standing(self, owner: Owner) -> _Standing:
        """Return what became of the file that *owner* comes from.

        A model that was only moved has not been loaded: all that is known of its keys is that it owns them.
        """
        path = owner.path
        if path in self._settled:
            return "unchanged" if self._moved_here.get(path) == owner.oifm_id else "settled"
        if path in self._failed:
            return "failed"
        if path in self._pending:
            return "pending"
        if path in self._waiting:
            return "waiting"
        return "missing" if path in self._missing and path not in self._moved else "unchanged"

    def _held_by(self, key: str, owner: Owner) -> Conflict:
        return Conflict(key, self._moved.get(owner.path, owner.path), owner.oifm_id)

    def _losers(
        self, alive: Mapping[str, Claim], owners: Mapping[str, Sequence[Owner]]
    ) -> dict[str, tuple[Conflict, ...]]:
        """Return the claims that cannot be granted while all others in *alive* are; none if all can be."""
        ids = {claim.oifm_id for claim in alive.values()}
        settled = {
            claim.path: conflicts
            for claim in alive.values()
            if (conflicts := tuple(self._against_settled(claim, owners, ids)))
        }
        return settled or self._among_themselves(alive, owners)

    def _against_settled(
        self, claim: Claim, owners: Mapping[str, Sequence[Owner]], ids: set[str]
    ) -> Iterable[Conflict]:
        for key in claim.keys:
            if key in self._taken:
                yield self._taken_by(key)
                continue
            for owner in owners.get(key, ()):
                if owner.path != claim.path and self._keeps(owner, claim, ids):
                    yield self._held_by(key, owner)

    def _keeps(self, owner: Owner, claim: Claim, ids: set[str]) -> bool:
        """Return whether *owner* still holds its keys at the end, if all that wait are granted."""
        standing = self._standing(owner)
        if standing == "missing":
            elsewhere = owner.oifm_id in ids or owner.oifm_id in self._taken
            replaced = elsewhere or owner.oifm_id == claim.oifm_id
            return not replaced and not self._remove
        return standing in ("unchanged", "failed")

    def _among_themselves(
        self, alive: Mapping[str, Claim], owners: Mapping[str, Sequence[Owner]]
    ) -> dict[str, tuple[Conflict, ...]]:
        """Return those who want a key that another in *alive* has the better right to."""
        wanted: dict[str, list[Claim]] = {}
        for claim in alive.values():
            for key in claim.keys:
                wanted.setdefault(key, []).append(claim)
        lost: dict[str, list[Conflict]] = {}
        for key, claims in wanted.items():
            if len(claims) > 1:
                held_by = owners.get(key, ())
                best = min(claims, key=lambda claim: (_distance(claim, held_by), claim.path))
                for claim in claims:
                    if claim is not best:
                        lost.setdefault(claim.path, []).append(Conflict(key, best.path, best.oifm_id))
        certain = {
            path: tuple(conflicts)
            for path, conflicts in lost.items()
            if any(conflict.path not in lost for conflict in conflicts)
        }
        return certain or {path: tuple(conflicts) for path, conflicts in list(lost.items())[:1]}


def _distance(claim: Claim, owners: Iterable[Owner]) -> int:
    """Return how far *claim* is from holding a key: 0 if its file holds it, 1 if its model does, else 2."""
    distances = (
        0 if owner.path == claim.path else 1 if owner.oifm_id == claim.oifm_id else 2 for owner in owners
    )
    return min(distances, default=2)
