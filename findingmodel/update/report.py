"""What an update did, or would do: values that a caller reads and a command prints."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from findingmodel.limits import MAX_IDS_IN_REPORT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from findingmodel.errors import Problem


class FileReport(NamedTuple):
    """The problems, or the warnings, of one file.

    Attributes:
        path: POSIX path relative to the directory.
        problems: in the order of the file.
    """

    path: str
    problems: tuple[Problem, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {"path": self.path, "problems": [problem._asdict() for problem in self.problems]}


class Changes(NamedTuple):
    """The ids of the models that an update added, updated and removed; the first 1,000 of each kind."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, list[str]]:
        """Return the ids ready for JSON."""
        return {kind: list(ids[:MAX_IDS_IN_REPORT]) for kind, ids in self._asdict().items()}


_NO_CHANGES = Changes()


class CreditConflict(NamedTuple):
    """Two files describe one contributor differently; the newest file is believed.

    Attributes:
        key: ``github_username`` or organization code.
        kept: the file that is believed.
        other: the file that differs.
        fields: the names of the fields that differ.
    """

    key: str
    kept: str
    other: str
    fields: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the conflict ready for JSON."""
        return {**self._asdict(), "fields": list(self.fields)}


class Refusal(NamedTuple):
    """Why an update wrote nothing.

    Attributes:
        reason: ``would-empty``, ``would-remove-most`` or ``strict``.
        would_remove: the number of models it would have removed.
        message: why, and what to do, in one sentence.
    """

    reason: str
    would_remove: int
    message: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UpdateReport:
    """The result of `Index.update_from_directory`.

    It can be used as the tuple ``(added, updated, removed)`` that it was in findingmodel 0.3: it unpacks into
    these three counts and is equal to them.

    Attributes:
        added, updated, removed, unchanged: numbers of models.
        moved: the number of models whose file has another path than before, changed or not.
        changes: which models were added, updated and removed.
        failed: files that were not indexed, sorted by path.
        warnings: files that were indexed with warnings, sorted by path.
        conflicts: contributors whom files describe differently.
        skipped: files that are named almost like finding model files, such as backups, sorted.
        refused: why nothing was written, or None.
        seconds: wall time.
        db: the database, never with a password.
        dry_run: True if this is only what an update would do.
        put_aside: the branch that now holds an archived index of findingmodel 0.3, or None.
    """

    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    moved: int = 0
    changes: Changes = _NO_CHANGES
    failed: tuple[FileReport, ...] = ()
    warnings: tuple[FileReport, ...] = ()
    conflicts: tuple[CreditConflict, ...] = ()
    skipped: tuple[str, ...] = ()
    refused: Refusal | None = None
    seconds: float = 0.0
    db: str = ""
    dry_run: bool = False
    put_aside: str | None = None

    def __iter__(self) -> Iterator[int]:
        return iter((self.added, self.updated, self.removed))

    def __len__(self) -> int:
        return 3

    def __bool__(self) -> bool:
        return True

    def __getitem__(self, place: int) -> int:
        return tuple(self)[place]

    def __eq__(self, other: object) -> bool:
        if isinstance(other, UpdateReport):
            return all(getattr(self, name) == getattr(other, name) for name in self.__slots__)
        return isinstance(other, tuple) and tuple(self) == other

    def __hash__(self) -> int:
        return hash(tuple(self))

    def __repr__(self) -> str:
        counts = ("added", "updated", "removed", "unchanged", "moved")
        facts = [f"{name} {getattr(self, name)}" for name in counts]
        lists = ("failed", "warnings", "conflicts")
        facts += [f"{name}: {len(getattr(self, name))}" for name in lists if getattr(self, name)]
        if self.refused is not None:
            facts.append(f"refused: {self.refused.reason}")
        return f"UpdateReport({', '.join([*facts, *(['dry run'] if self.dry_run else [])])})"

    @property
    def ok(self) -> bool:
        """True if every file was indexed and nothing was refused."""
        return not self.failed and self.refused is None

    def as_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        fields = {name: getattr(self, name) for name in self.__slots__}
        return {
            **fields,
            "changes": self.changes.as_dict(),
            "failed": [report.as_dict() for report in self.failed],
            "warnings": [report.as_dict() for report in self.warnings],
            "conflicts": [conflict.as_dict() for conflict in self.conflicts],
            "skipped": list(self.skipped),
            "refused": self.refused and self.refused._asdict(),
            "seconds": round(self.seconds, 3),
        }
