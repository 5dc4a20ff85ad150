"""Who may hold which identity key. Pure: decides from values, reads nothing.

A model's identity keys are its id, its folded name and the ids of its attributes. Each belongs to one model
only, in the directory as it will be after the update. A file that already holds a key keeps it; among files
that are new to a key the first path wins. Files come in path order and in chunks, so a file waits if it wants
a key whose holder is not loaded yet. Waiting files are resolved together at the end, where swaps, chains and
cycles come out right. If a waiting file fails, it keeps its old keys, which may fail others that want them.

Two precautions: a file that was not read, because its metadata have not changed, is read before another file
fails for a key that it holds; and a model whose file is gone keeps its keys if a new file that fails contains
its id: that file was renamed and broken at the same time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

from findingmodel.errors import Problem
from findingmodel.stores.records import Owner
from findingmodel.text.normalize import fold

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from findingmodel.model.finding import FindingModelFull
    from findingmodel.update.compare import Comparison

    Owners = Mapping[str, Sequence[Owner]]

_NAME = "name:"

_FileStatus = Literal["unchanged", "pending", "waiting", "settled", "failed", "missing"]


def identity_keys(model: FindingModelFull) -> tuple[str, ...]:
    """Return the identity keys of *model*: its id, its folded name with a prefix, its attributes' ids."""
    attribute_ids = [attribute.oifma_id for attribute in model.attributes]
    return tuple(dict.fromkeys([model.oifm_id, _NAME + fold(model.name), *attribute_ids]))


def identity_word(key: str) -> tuple[str, str]:
    """Return the kind of an identity key, and its value.

    >>> identity_word("name:edema"), identity_word("OIFMA_ABCD_000007")
    (('name', 'edema'), ('attribute id', 'OIFMA_ABCD_000007'))
    """
    if key.startswith(_NAME):
        return "name", key.removeprefix(_NAME)
    return ("attribute id" if key.startswith("OIFMA") else "id"), key


class Claim(NamedTuple):
    """The identity keys that one loaded file wants."""

    path: str
    oifm_id: str
    keys: tuple[str, ...]

    def problem(self, owner: Owner) -> Problem:
        """Return the problem of the file if *owner* holds one of its keys.

        >>> claim = Claim("a.fm.json", "OIFM_T_1", ("OIFM_T_1", "name:edema", "OIFMA_T_7"))
        >>> claim.problem(Owner("OIFMA_T_7", "OIFM_T_2", "b.fm.json")).pointer
        '/attributes/0/oifma_id'
        """
        place = self.keys.index(owner.key)
        word, value = identity_word(owner.key)
        holder = owner.path if word == "id" else f"{owner.oifm_id} in {owner.path}"
        return Problem(
            ("/oifm_id", "/name")[place] if place < 2 else f"/attributes/{place - 2}/oifma_id",
            f"duplicate-{word.replace(' ', '-')}",
            f"the {word} {value!r} already belongs to {holder}: change it here, or remove one of the two",
        )


class Verdict(NamedTuple):
    """The decision on a claim: it fails if there are conflicts, else it waits or is granted.

    Attributes:
        claim: the claim.
        conflicts: the keys that it cannot have, each with the model that holds it.
        waits: `KeyAssignment.resolve` will decide.
    """

    claim: Claim
    conflicts: tuple[Owner, ...] = ()
    waits: bool = False

    def problems(self) -> tuple[Problem, ...]:
        """Return the conflicts as problems of the file."""
        return tuple(map(self.claim.problem, self.conflicts))


def by_key(owners: Iterable[Owner]) -> dict[str, list[Owner]]:
    """Return *owners* by the key that each holds."""
    result: dict[str, list[Owner]] = {}
    for owner in owners:
        result.setdefault(owner.key, []).append(owner)
    return result


def rivals(claim: Claim, owners: Owners) -> Iterator[Owner]:
    """Yield the models of other files that hold a key of *claim*, in the order of the keys."""
    for key in claim.keys:
        for owner in owners.get(key, ()):
            if owner.path != claim.path:
                yield owner


class KeyAssignment:
    """Assigns identity keys to the files of one update.

    Args:
        comparison: which files are loaded, which are gone.
        remove: whether models whose file no longer exists are removed, which frees their keys.
    """

    def __init__(self, comparison: Comparison, *, remove: bool = True) -> None:
        known = self._known = comparison.known
        self._missing = {path: state.oifm_id for path, state in comparison.missing.items()}
        self._left_behind = set(comparison.left_behind.values())
        self._remove = remove
        self._pending = {file.path for file in comparison.to_load if file.path in known}
        self._unread = {file.path for file in comparison.scan.files if file.path in known} - self._pending
        self._doubted: set[str] = set()
        self._broken: dict[str, str] = {}
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
        """Record that the file at *path* is as the manifest says."""
        self._pending.discard(path)

    def doubt(self, paths: Iterable[str]) -> set[str]:
        """Return which of *paths*, and of the files that others were judged by, must be read after all."""
        doubted = (self._doubted | set(paths)) & self._unread
        self._unread -= doubted
        self._pending |= doubted
        self._doubted = set()
        return doubted

    def fail(self, path: str, oifm_id: str = "") -> None:
        """Record that the file at *path* cannot be indexed, so it keeps the keys it held.

        Args:
            path: the file.
            oifm_id: the id that can be read in it, if any.
        """
        self._pending.discard(path)
        self._failed.add(path)
        if oifm_id and path not in self._known:  # a file that is known keeps the model that it had
            self._broken[oifm_id] = min(path, self._broken.get(oifm_id, path))

    def shelter_of(self, oifm_id: str) -> str | None:
        """Return the first new file that fails and contains *oifm_id*, unless another file was granted it."""
        return None if oifm_id in self._taken else self._broken.get(oifm_id)

    def move(self, old: str, new: str) -> bool:
        """Move the model of the missing path *old* to *new*; return False if it moved elsewhere already."""
        oifm_id = self._missing[old]
        if oifm_id in self._taken or oifm_id in self._reserved:
            return False
        self._moved[old] = new
        self._moved_here[new] = oifm_id
        self._grant(Claim(new, oifm_id, (oifm_id,)))
        return True

    def judge(self, claim: Claim, owners: Owners) -> Verdict:
        """Decide on *claim* as far as that is possible now.

        Args:
            claim: the claim of a file that was just loaded; files come in path order.
            owners: the stored owners of the claim's keys.
        """
        waits = not self._reserved.isdisjoint(claim.keys)
        conflicts = [self._taken_by(key) for key in claim.keys if key in self._taken]
        for owner in rivals(claim, owners):
            status = self._status(owner)
            if owner.key in self._taken or status == "settled":
                continue
            if status == "unchanged" and owner.path in self._unread:
                self._doubted.add(owner.path)
                waits = True
            elif status in ("unchanged", "failed"):
                conflicts.append(self._held_by(owner))
            elif status != "missing" or owner.oifm_id != claim.oifm_id:
                waits = True
        if conflicts:
            self._lose(claim)
        elif waits:
            self._pending.discard(claim.path)
            self._waiting[claim.path] = claim
            self._reserved.update(claim.keys)
        else:
            self._grant(claim)
        return Verdict(claim, tuple(conflicts), waits and not conflicts)

    def resolve(self, owners: Owners) -> list[Verdict]:
        """Decide on all waiting claims together; return every claim that fails, also those judged before.

        Args:
            owners: the stored owners of the `contested_keys`, at this moment.
        """
        self._fail_hopeless(owners)
        while self._waiting:
            needs = {claim.path: set(self._needs(claim, owners)) for claim in self._waiting.values()}
            for claim in self._unbeaten(owners, needs) or self._first_possible(owners, needs):
                self._grant(claim)
            self._fail_hopeless(owners)
        self._reserved = set()
        return [Verdict(claim, tuple(self._conflicts(claim, owners))) for claim in self._lost.values()]

    def _grant(self, claim: Claim) -> None:
        self._pending.discard(claim.path)
        self._waiting.pop(claim.path, None)
        self._settled[claim.path] = claim.oifm_id
        self._taken.update(dict.fromkeys(claim.keys, claim.path))

    def _lose(self, claim: Claim) -> None:
        self.fail(claim.path, claim.oifm_id)
        self._waiting.pop(claim.path, None)
        self._lost[claim.path] = claim

    def _taken_by(self, key: str) -> Owner:
        path = self._taken[key]
        return Owner(key, self._settled[path], path)

    def _held_by(self, owner: Owner) -> Owner:
        moved = self._moved.get(owner.path)
        if moved is None and self._status(owner) == "missing":
            moved = self.shelter_of(owner.oifm_id)
        return owner._replace(path=moved or owner.path)

    def _status(self, owner: Owner) -> _FileStatus:
        """Return the status of the file that *owner* comes from.

        A model that only moved is not loaded, so it still owns every key that it owned.
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

    def _fail_hopeless(self, owners: Owners) -> None:
        """Fail the claims that cannot be granted, whatever becomes of the other waiting claims."""
        dependents: dict[str, list[Claim]] = {}  # by path and by id, the claims to keys held before
        for claim in self._waiting.values():
            for owner in rivals(claim, owners):
                dependents.setdefault(owner.path, []).append(claim)
                dependents.setdefault(owner.oifm_id, []).append(claim)
        to_check = list(self._waiting.values())
        while to_check:
            claim = to_check.pop()
            if claim.path in self._waiting and next(self._conflicts(claim, owners), None):
                self._lose(claim)
                to_check += dependents.get(claim.path, []) + dependents.get(claim.oifm_id, [])

    def _conflicts(self, claim: Claim, owners: Owners) -> Iterator[Owner]:
        """Yield the models that hold keys of *claim*, or will, whatever is decided on their files."""
        kept = {owner.key: owner for owner in rivals(claim, owners) if self._keeps(owner, claim)}
        for key in claim.keys:
            if key in self._taken:
                yield self._taken_by(key)
            elif key in kept:
                yield self._held_by(kept[key])

    def _keeps(self, owner: Owner, claim: Claim) -> bool:
        """Return whether *owner* will still hold its key at the end, although *claim* wants it."""
        status = self._status(owner)
        if status == "waiting":  # it holds the key whether its claim is granted or fails
            return owner.key in self._waiting[owner.path].keys
        if status == "missing":
            is_replaced = owner.oifm_id == claim.oifm_id or owner.oifm_id in self._taken
            is_removed = self._remove or owner.path in self._left_behind
            is_kept = owner.oifm_id in self._broken or not is_removed
            return is_kept and not is_replaced and not self._heirs(owner)
        return status != "settled"

    def _heirs(self, owner: Owner) -> list[str]:
        """Return the paths that wait to replace the model of *owner*."""
        return [claim.path for claim in self._waiting.values() if claim.oifm_id == owner.oifm_id]

    def _needs(self, claim: Claim, owners: Owners) -> Iterator[str]:
        """Yield the paths whose claims must be granted before *claim* can be."""
        for owner in rivals(claim, owners):
            status = self._status(owner)
            if status == "waiting":
                yield owner.path
            elif status == "missing" and owner.oifm_id != claim.oifm_id:
                yield from sorted(self._heirs(owner))[:1]

    def _unbeaten(self, owners: Owners, needs: Mapping[str, set[str]]) -> Sequence[Claim]:
        """Return the claims that have the best right to each of their keys, as do all claims they need."""
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
        """Return how close *claim* is to a key: 0 if its file holds it, 1 if its moved model does, else 2."""
        if any(owner.path == claim.path for owner in owners):
            return 0
        is_heir = any(owner.oifm_id == claim.oifm_id and self._status(owner) == "missing" for owner in owners)
        return 1 if is_heir else 2

    def _first_possible(self, owners: Owners, needs: Mapping[str, set[str]]) -> Sequence[Claim]:
        """Return the claim nearest to any of its keys, with all claims it needs; if these clash, fail it.

        This resolves rings, in which each claim has the best right to one key and is beaten on another.
        """

        def rank(claim: Claim) -> tuple[int, str]:
            return min(self._distance(claim, owners.get(key, ())) for key in claim.keys), claim.path

        claim = min(self._waiting.values(), key=rank)
        group, pending = {claim.path}, [claim.path]
        while pending:
            added = needs[pending.pop()] - group
            group |= added
            pending += added
        claims = [self._waiting[path] for path in group]
        keys = [key for member in claims for key in member.keys]
        if len(keys) == len(set(keys)):
            return claims
        self._lose(claim)
        return []
