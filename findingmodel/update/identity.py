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
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from findingmodel.stores.records import Owner
    from findingmodel.update.compare import Comparison

__all__ = ["Claim", "Conflict", "Identity", "Loss", "Verdict"]

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


class Loss(NamedTuple):
    """A claim that fails, and every key that it may not have."""

    claim: Claim
    conflicts: tuple[Conflict, ...]


class Identity:
    """The keys that one update hands out.

    Args:
        comparison: which files are to be loaded, which are gone.
        remove: whether models whose file is gone are removed, which frees their keys.
    """

    def __init__(self, comparison: Comparison, *, remove: bool = True) -> None:
        known = comparison.known
        self._missing = {path: state.oifm_id for path, state in comparison.missing.items()}
        self._left_behind = set(comparison.left_behind.values())
        self._remove = remove
        self._pending = {file.path for file in comparison.to_load if file.path in known}
        self._settled: dict[str, str] = {}
        self._failed: set[str] = set()
        self._lost: dict[str, Claim] = {}
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
        claims = (*self._waiting.values(), *self._lost.values())
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
        for key in claim.keys if owners or not self._taken.keys().isdisjoint(claim.keys) else ():
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
            self._lose(claim)
        elif waits:
            self._pending.discard(claim.path)
            self._waiting[claim.path] = claim
            self._reserved.update(claim.keys)
        else:
            self._grant(claim)
        return Verdict(waits and not conflicts, tuple(conflicts))

    def resolve(self, owners: Mapping[str, Sequence[Owner]]) -> list[Loss]:
        """Decide on all claims that wait, together; return every claim that fails, be it now or before.

        Args:
            owners: who holds the `contested_keys` in the store now.
        """
        self._fail_hopeless(owners)
        while self._waiting:
            needs = {claim.path: set(self._needs(claim, owners)) for claim in self._waiting.values()}
            for claim in self._unbeaten(owners, needs) or self._first_possible(owners, needs):
                self._grant(claim)
            self._fail_hopeless(owners)
        self._reserved = set()
        return [Loss(claim, tuple(self._conflicts(claim, owners))) for claim in self._lost.values()]

    def _grant(self, claim: Claim) -> None:
        self._pending.discard(claim.path)
        self._waiting.pop(claim.path, None)
        self._settled[claim.path] = claim.oifm_id
        self._taken.update(dict.fromkeys(claim.keys, claim.path))

    def _lose(self, claim: Claim) -> None:
        self.fail(claim.path)
        self._waiting.pop(claim.path, None)
        self._lost[claim.path] = claim

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

    def _fail_hopeless(self, owners: Mapping[str, Sequence[Owner]]) -> None:
        """Fail the claims that cannot be granted, however the contests between those that wait end."""
        rivals: dict[str, list[Claim]] = {}  # those who want what a path, or a model, held before
        for claim in self._waiting.values():
            for owner in _others(claim, owners):
                rivals.setdefault(owner.path, []).append(claim)
                rivals.setdefault(owner.oifm_id, []).append(claim)
        doubtful = list(self._waiting.values())
        while doubtful:
            claim = doubtful.pop()
            if claim.path in self._waiting and next(self._conflicts(claim, owners), None):
                self._lose(claim)
                doubtful += rivals.get(claim.path, []) + rivals.get(claim.oifm_id, [])

    def _conflicts(self, claim: Claim, owners: Mapping[str, Sequence[Owner]]) -> Iterator[Conflict]:
        """Yield the keys that others hold, or will hold whether they are granted what they want or not."""
        kept = {owner.key: owner for owner in _others(claim, owners) if self._keeps(owner, claim)}
        for key in claim.keys:
            if key in self._taken:
                yield self._taken_by(key)
            elif key in kept:
                yield self._held_by(key, kept[key])

    def _keeps(self, owner: Owner, claim: Claim) -> bool:
        """Return whether *owner*, of a key that *claim* wants, will have it at the end."""
        standing = self._standing(owner)
        if standing == "waiting":  # with the new keys or, if it fails, with the old
            return owner.key in self._waiting[owner.path].keys
        if standing == "missing":
            is_replaced = owner.oifm_id == claim.oifm_id or owner.oifm_id in self._taken
            is_left_behind = owner.path in self._left_behind
            return not (self._remove or is_left_behind or is_replaced or self._heirs(owner))
        return standing != "settled"

    def _heirs(self, owner: Owner) -> list[str]:
        """Return the paths that wait to replace the model of *owner*."""
        return [claim.path for claim in self._waiting.values() if claim.oifm_id == owner.oifm_id]

    def _needs(self, claim: Claim, owners: Mapping[str, Sequence[Owner]]) -> Iterator[str]:
        """Yield the paths that must be granted what they want before *claim* can be."""
        for owner in _others(claim, owners):
            standing = self._standing(owner)
            if standing == "waiting":
                yield owner.path
            elif standing == "missing" and not self._remove and owner.oifm_id != claim.oifm_id:
                yield from sorted(self._heirs(owner))[:1]

    def _unbeaten(
        self, owners: Mapping[str, Sequence[Owner]], needs: Mapping[str, set[str]]
    ) -> Sequence[Claim]:
        """Return those who, and all of whose needs, have the best right to each key that they want."""
        best: dict[str, tuple[int, str]] = {}
        for claim in self._waiting.values():
            for key in claim.keys:
                right = (self._distance(claim, owners.get(key, ())), claim.path)
                best[key] = min(best.get(key, right), right)
        beaten = {
            claim.path
            for claim in self._waiting.values()
            if any(best[key][1] != claim.path for key in claim.keys)
        }
        while more := {path for path in needs.keys() - beaten if needs[path] & beaten}:
            beaten |= more
        return [claim for path, claim in self._waiting.items() if path not in beaten]

    def _distance(self, claim: Claim, owners: Iterable[Owner]) -> int:
        """Return how far *claim* is from a key: 0 if its file has it, 1 if its moved model does, else 2."""
        if any(owner.path == claim.path for owner in owners):
            return 0
        is_heir = any(
            owner.oifm_id == claim.oifm_id and self._standing(owner) == "missing" for owner in owners
        )
        return 1 if is_heir else 2

    def _first_possible(
        self, owners: Mapping[str, Sequence[Owner]], needs: Mapping[str, set[str]]
    ) -> Sequence[Claim]:
        """Return the claim that is nearest to any key, with all that it needs; if these clash, fail it.

        This is for rings: each has the best right to one key, and is beaten by the next one on another.
        """

        def right(claim: Claim) -> tuple[int, str]:
            return min(self._distance(claim, owners.get(key, ())) for key in claim.keys), claim.path

        claim = min(self._waiting.values(), key=right)
        group, pending = {claim.path}, [claim.path]
        while pending:
            fresh = needs[pending.pop()] - group
            group |= fresh
            pending += fresh
        claims = [self._waiting[path] for path in group]
        keys = [key for member in claims for key in member.keys]
        if len(keys) == len(set(keys)):
            return claims
        self._lose(claim)
        return []


def _others(claim: Claim, owners: Mapping[str, Sequence[Owner]]) -> Iterator[Owner]:
    """Yield who else holds a key that *claim* wants."""
    for key in claim.keys:
        for owner in owners.get(key, ()):
            if owner.path != claim.path:
                yield owner
