"""Contributors: people and organizations, as the newest file that names them describes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from findingmodel.stores.records import newest
from findingmodel.update.report import CreditConflict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import ContributorKind, Credit, FileState

_Key = tuple["ContributorKind", str]
_NEVER = (0, "")


class CreditChanges(NamedTuple):
    """What an update must do about contributors.

    Attributes:
        upserts: contributors to write.
        withdrawn: contributors whom no model names any more.
        conflicts: contributors whom files describe differently.
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
        self._check_all = False

    def distrust_store(self, known: Iterable[FileState]) -> None:
        """Compare all stored contributors with the *known* models, because an earlier update died."""
        self._check_all = True
        for state in known:
            self._former.update(state.contributors)

    def add(self, stated: Iterable[Credit], former: FileState | None) -> None:
        """Add the contributors of a loaded file; *former* is the manifest row of its model."""
        keys = set()
        for credit in stated:
            keys.add(credit.key)
            key = (credit.kind, credit.key)
            best = self._best.get(key)
            if best is None or best.fields != credit.fields:  # most files agree
                self._variants.setdefault(_variant(key, credit), credit)
            newest([credit], self._best)
        if former is not None:
            self._paths.add(former.path)
            self._former.update(set(former.contributors) - keys)

    def remove(self, former: FileState) -> None:
        """Record that a model is removed."""
        self._paths.add(former.path)
        self._former.update(former.contributors)

    def move(self, former: FileState, file: FileState) -> None:
        """Record that *file* has the bytes of *former*, with another path or modification time."""
        self._paths.add(former.path)
        for key in former.contributors:
            self._moved[key] = max(self._moved.get(key, _NEVER), (file.mtime_ns, file.path))

    def revoke(self, stated: Iterable[Credit]) -> None:
        """Undo `add` for a file that was not stored; `changes` reads the other models of its contributors."""
        for credit in stated:
            key = (credit.kind, credit.key)
            if self._best.get(key) == credit:
                del self._best[key]
            self._variants = {of: variant for of, variant in self._variants.items() if variant != credit}
            self._former.add(credit.key)

    def conflicts(self) -> tuple[CreditConflict, ...]:
        """Return the contributors whom the added files describe differently."""
        return self._conflicts(self._best)

    async def changes(self, store: Store, *, was_empty: bool = False) -> CreditChanges:
        """Compare with the contributors in *store*, where the models are written already.

        Args:
            store: the index.
            was_empty: whether it held nothing before this update, so that it is read only for revoked files.
        """
        names = {key for _, key in self._best} | self._former | self._moved.keys()
        if not self._check_all and ((was_empty and not self._former) or not names):
            return CreditChanges(tuple(self._best[key] for key in sorted(self._best)), (), self.conflicts())
        wanted = None if self._check_all else names
        rows = [
            *await store.contributors("person", wanted),
            *await store.contributors("organization", wanted),
        ]
        stored = {(row.kind, row.key): row for row in rows}
        if self._check_all:
            self._former.update(key for _, key in stored)
        for key, row in stored.items():
            if row.path not in self._paths:  # a file that this update did not touch still says so
                self._variants.setdefault(_variant(key, row), row)
        doubtful = self._former | {key for (_, key), row in stored.items() if self._is_stale(row)}
        live = newest(await store.credits(doubtful)) if doubtful else {}
        current = {**stored, **live}
        newest(self._best.values(), current)
        withdrawn = tuple(
            key for key in stored if key[1] in doubtful and key not in live and key not in self._best
        )
        upserts = tuple(
            credit
            for key, credit in sorted(current.items())
            if key not in withdrawn and stored.get(key) != credit
        )
        return CreditChanges(upserts, withdrawn, self._conflicts(current))

    def _is_stale(self, row: Credit) -> bool:
        """Return whether the file that *row* comes from changed, or a move made another file newer."""
        if self._moved.get(row.key, _NEVER) > (row.mtime_ns, row.path):
            return True
        best = self._best.get((row.kind, row.key))
        return row.path in self._paths and (
            best is None or (row.mtime_ns, row.path) >= (best.mtime_ns, best.path)
        )

    def _conflicts(self, believed: dict[_Key, Credit]) -> tuple[CreditConflict, ...]:
        conflicts = []
        for (key, _), variant in sorted(self._variants.items(), key=lambda item: (item[0][0], item[1].path)):
            best = believed[key]
            names = variant.fields.keys() | best.fields.keys()
            fields = sorted(name for name in names if variant.fields.get(name) != best.fields.get(name))
            if fields:
                conflicts.append(CreditConflict(variant.key, best.path, variant.path, tuple(fields)))
        return tuple(conflicts)


def _variant(key: _Key, credit: Credit) -> tuple[_Key, str]:
    return key, repr(sorted(credit.fields.items()))
