"""Who contributed: people and organizations, as the newest file that names them states them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from findingmodel.stores.records import newest
from findingmodel.update.report import CreditConflict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import ContributorKind, Credit, FileState
    from findingmodel.update.record import Fingerprint

__all__ = ["CreditChanges", "Credits"]

_Key = tuple["ContributorKind", str]
_NEVER = (0, "")


class CreditChanges(NamedTuple):
    """What an update must do about contributors.

    Attributes:
        upserts: contributors to write.
        withdrawn: contributors whom no model names any more.
        conflicts: contributors about whom files disagree.
    """

    upserts: tuple[Credit, ...]
    withdrawn: tuple[_Key, ...]
    conflicts: tuple[CreditConflict, ...]


class Credits:
    """The contributors met by one update. Memory grows with the contributors, not with the models."""

    def __init__(self) -> None:
        self._best: dict[_Key, Credit] = {}
        self._variants: dict[tuple[_Key, str], Credit] = {}
        self._paths: set[str] = set()
        self._former: set[str] = set()
        self._moved: dict[str, tuple[int, str]] = {}
        self._is_all = False

    def doubt_all(self, known: Iterable[FileState]) -> None:
        """Take in that an update died, so that what is stored need not be what the *known* models state."""
        self._is_all = True
        for state in known:
            self._former.update(state.contributors)

    def add(self, stated: Iterable[Credit], former: FileState | None) -> None:
        """Take in what one loaded file states, and what the manifest knew of it."""
        keys = set()
        for credit in stated:
            keys.add(credit.key)
            key = (credit.kind, credit.key)
            best = self._best.get(key)
            if best is None or best.fields != credit.fields:  # most files say the same
                self._variants.setdefault(_variant(key, credit), credit)
            newest([credit], self._best)
        if former is not None:
            self._paths.add(former.path)
            self._former.update(set(former.contributors) - keys)

    def remove(self, former: FileState) -> None:
        """Take in that a model is gone."""
        self._paths.add(former.path)
        self._former.update(former.contributors)

    def move(self, former: FileState, now: Fingerprint) -> None:
        """Take in that a model's file has another path, or time, than *former* says, and the same bytes."""
        self._paths.add(former.path)
        for key in former.contributors:
            self._moved[key] = max(self._moved.get(key, _NEVER), (now.mtime_ns, now.path))

    def revoke(self, stated: Iterable[Credit]) -> None:
        """Take back what a file states that is not stored after all; its other models will tell."""
        for credit in stated:
            key = (credit.kind, credit.key)
            if self._best.get(key) == credit:
                del self._best[key]
            self._variants = {of: variant for of, variant in self._variants.items() if variant != credit}
            self._former.add(credit.key)

    def conflicts(self) -> tuple[CreditConflict, ...]:
        """Return about whom the files that were taken in disagree with each other."""
        return tuple(self._conflicts(self._best))

    async def changes(self, store: Store, *, was_empty: bool = False) -> CreditChanges:
        """Compare with the contributors in *store*, where the models are written already.

        Args:
            store: the index.
            was_empty: it held nothing before this update, so it need not be asked, but for what was revoked.
        """
        names = {key for _, key in self._best} | self._former | self._moved.keys()
        if not self._is_all and ((was_empty and not self._former) or not names):
            return CreditChanges(tuple(self._best[key] for key in sorted(self._best)), (), self.conflicts())
        stored = {(row.kind, row.key): row for row in await _stored(store, None if self._is_all else names)}
        if self._is_all:
            self._former.update(key for _, key in stored)
        for key, row in stored.items():
            if row.path not in self._paths:  # a file that this update did not touch still says so
                self._variants.setdefault(_variant(key, row), row)
        doubtful = self._former | {key for (_, key), row in stored.items() if self._is_stale(row)}
        live = newest(await store.credits(doubtful)) if doubtful else {}
        wanted = {**stored, **live}
        newest(self._best.values(), wanted)
        withdrawn = tuple(
            key for key in stored if key[1] in doubtful and key not in live and key not in self._best
        )
        upserts = tuple(
            credit
            for key, credit in sorted(wanted.items())
            if key not in withdrawn and stored.get(key) != credit
        )
        return CreditChanges(upserts, withdrawn, tuple(self._conflicts(wanted)))

    def _is_stale(self, row: Credit) -> bool:
        """Return whether the file that was believed says so no more, or another became newer by a move."""
        best = self._best.get((row.kind, row.key))
        if self._moved.get(row.key, _NEVER) > (row.mtime_ns, row.path):
            return True
        return row.path in self._paths and (best is None or _is_newer(row, best))

    def _conflicts(self, kept: dict[_Key, Credit]) -> Iterable[CreditConflict]:
        for (key, _), variant in sorted(self._variants.items(), key=lambda item: (item[0][0], item[1].path)):
            fields = _differing(variant, kept[key])
            if fields:
                yield CreditConflict(variant.key, kept[key].path, variant.path, fields)


def _is_newer(one: Credit, other: Credit) -> bool:
    """Return whether *one* is believed where *other* differs; of equals the first."""
    return (one.mtime_ns, one.path) >= (other.mtime_ns, other.path)


def _variant(key: _Key, credit: Credit) -> tuple[_Key, str]:
    return key, repr(sorted(credit.fields.items()))


async def _stored(store: Store, keys: set[str] | None) -> list[Credit]:
    """Return these contributors, or all, as they are stored."""
    return [*await store.contributors("person", keys), *await store.contributors("organization", keys)]


def _differing(one: Credit, other: Credit) -> tuple[str, ...]:
    names = one.fields.keys() | other.fields.keys()
    return tuple(sorted(name for name in names if one.fields.get(name) != other.fields.get(name)))
