"""What is wrong with the arguments of a call, in words from which an agent learns to correct it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import ValidationError

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

__all__ = ["unknown_argument", "wrong_arguments"]


def unknown_argument(tool: str, given: Iterable[str], known: Collection[str]) -> str | None:
    """Return that *tool* does not have the first of the *given* arguments that is not *known*; else None.

    >>> unknown_argument("list_tags", ["tag"], ["containing", "limit"])
    "list_tags has no argument 'tag'; it has containing, limit"
    """
    for name in given:
        if name not in known:
            arguments = f"it has {', '.join(known)}" if known else "it takes none"
            return f"{tool} has no argument {name[:60]!r}; {arguments}"
    return None


def wrong_arguments(error: BaseException | None) -> str | None:
    """Return which arguments an *error* of the SDK is about, and what is allowed; None if it is another."""
    if not isinstance(error, ValidationError):
        return None
    wrong = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong)
