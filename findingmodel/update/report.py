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


"""How many ids `Changes` holds of each kind."""


class Changes(NamedTuple):
    """Which models an update added, updated and removed: the first 1,000 ids of each kind."""

    added: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, list[str]]:
        """Return the ids ready for JSON."""
        return {kind: list(ids[:MAX_IDS_IN_REPORT]) for kind, ids in self._asdict().items()}


_NONE = Changes()


class CreditConflict(NamedTuple):
    """Two files state different things about one contributor; the newest file was believed.

    Attributes:
        key: ``github_username`` or organization code.
        kept: the file that was believed.
        other: the file that says otherwise.
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
        would_remove: how many models it would have removed.
        message: the sentence a user needs: why, and what to do.
    """

    reason: str
    would_remove: int
    message: str


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class UpdateReport:
    """The result of `Index.update_from_directory`.

    ``added, updated, removed = report`` unpacks the three counts, so iteration yields just those.

    Attributes:
        added, updated, removed, unchanged: models.
        moved: models whose file has another path than before, whatever else changed.
        changes: which models were added, updated and removed, as far as they are not too many to say.
        failed: files that were not indexed, in the order of their paths.
        warnings: files that were indexed although something in them is odd.
        conflicts: contributors about whom files disagree.
        refused: why nothing was written, or None.
        seconds: wall time.
        db: the database, never with a password.
        dry_run: True if this is only what an update would do.
        put_aside: the branch that an index of findingmodel 0.3 is now, where there was one.

    It can be used as the tuple of the three counts that it was in findingmodel 0.3, and is equal to that.
    """

    added: int = 0
    updated: int = 0
    removed: int = 0
    unchanged: int = 0
    moved: int = 0
    changes: Changes = _NONE
    failed: tuple[FileReport, ...] = ()
    warnings: tuple[FileReport, ...] = ()
    conflicts: tuple[CreditConflict, ...] = ()
    refused: Refusal | None = None
    seconds: float = 0.0
    db: str = ""
    dry_run: bool = False
    put_aside: str | None = None

    def __iter__(self) -> Iterator[int]:
        return iter((self.added, self.updated, self.removed))

    def __repr__(self) -> str:
        counts = ("added", "updated", "removed", "unchanged", "moved")
        facts = [f"{name} {getattr(self, name)}" for name in counts]
        lists = ("failed", "warnings", "conflicts")
        facts += [f"{name}: {len(getattr(self, name))}" for name in lists if getattr(self, name)]
        if self.refused is not None:
            facts.append(f"refused: {self.refused.reason}")
        return f"UpdateReport({', '.join([*facts, *(['dry run'] if self.dry_run else [])])})"

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

    @property
    def ok(self) -> bool:
        """True if every file was indexed and nothing was refused."""
        return not self.failed and self.refused is None

    def as_dict(self) -> dict[str, Any]:
        """Return the report ready for JSON."""
        return {
            "added": self.added,
            "updated": self.updated,
            "removed": self.removed,
            "unchanged": self.unchanged,
            "moved": self.moved,
            "changes": self.changes.as_dict(),
            "failed": [report.as_dict() for report in self.failed],
            "warnings": [report.as_dict() for report in self.warnings],
            "conflicts": [conflict.as_dict() for conflict in self.conflicts],
            "refused": self.refused and self.refused._asdict(),
            "seconds": round(self.seconds, 3),
            "db": self.db,
            "dry_run": self.dry_run,
            "put_aside": self.put_aside,
        }
