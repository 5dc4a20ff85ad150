"""Whether an update may do what it would do. Pure."""

from __future__ import annotations

from findingmodel.sync.report import Refusal

__all__ = ["may_trip", "refusal"]

_SMALL_INDEX = 20


def refusal(*, known: int, removed: int, failed: int, strict: bool, force: bool) -> Refusal | None:
    """Return why an update must not write, or None.

    Args:
        known: models in the index now.
        removed: models that it would remove; moved ones are none of them.
        failed: files that cannot be indexed.
        strict: whether any failure forbids writing.
        force: whether removing nearly everything is meant.
    """
    if strict and failed:
        files = "1 file" if failed == 1 else f"{failed:,} files"
        return Refusal("strict", removed, f"{files} failed and --strict was given, so nothing was written")
    if force or not may_trip(known=known, removed=removed):
        return None
    if removed == known:
        reason, what = "would-empty", f"all {known:,} models"
    else:
        reason, what = "would-remove-most", f"{removed:,} of {known:,} models"
    return Refusal(
        reason,
        removed,
        f"this would remove {what} from the index, so nothing was written; "
        "check that the directory is the right one, or update with --force",
    )


def may_trip(*, known: int, removed: int) -> bool:
    """Return whether removing so many models must be meant: all, or more than half of 20 or more."""
    return 0 < known <= removed or (known >= _SMALL_INDEX and 2 * removed > known)
