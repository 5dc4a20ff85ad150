"""How long an answer may be: tokens are counted from above, and whole entries are left out from the end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from findingmodel.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["WriteCounts", "count_tokens", "fit", "fits", "largest", "left_out"]


class WriteCounts(Protocol):
    """An answer that can be written down."""

    def as_json(self) -> str:
        """Return all of it, as it is sent."""
        ...


W = TypeVar("W", bound=WriteCounts)


def count_tokens(text: str) -> int:
    """Return a number of tokens that no tokenizer exceeds which can write any text: its bytes in UTF-8.

    Such tokenizers (byte-level BPE, or others that fall back to bytes) make tokens of whole bytes, and none
    of nothing. So an answer never breaks a budget, whichever language model reads it; JSON of finding models
    really takes about a third of this number.

    >>> count_tokens("PE"), count_tokens("Ménière")
    (2, 9)
    """
    return len(text.encode())


def fits(answer: WriteCounts, max_tokens: int) -> bool:
    """Return whether *answer* keeps within *max_tokens*."""
    return count_tokens(answer.as_json()) <= max_tokens


def fit(entries: int, build: Callable[[int, int], W], max_tokens: int) -> W:
    """Return the answer with most in it that keeps within *max_tokens*.

    As many entries as possible are kept, all of them short if need be; then of these the first ones whole.

    Args:
        entries: how many there are.
        build: makes the answer with so many entries kept, so many of them whole and the others short.
        max_tokens: the budget.

    Raises:
        QueryError: even the answer without any entry is too long; says how much it needs.
    """

    everything = build(entries, entries)
    if fits(everything, max_tokens):
        return everything
    kept = largest(entries, lambda kept: fits(build(kept, 0), max_tokens))
    whole = largest(kept, lambda whole: fits(build(kept, whole), max_tokens))
    answer = build(kept, whole)
    needed = count_tokens(answer.as_json())
    if needed > max_tokens:
        raise QueryError(f"max_tokens is {max_tokens}, but the shortest answer needs {needed}: allow more")
    return answer


def left_out(noun: str, entries: int, kept: int, whole: int) -> str | None:
    """Return what of so many *entries* is not said; None if all is.

    >>> left_out("model", 10, 9, 7)
    'Left out: the last 1 of 10 models; shortened: the 2 before. Allow more max_tokens, or ask for less.'
    """
    facts = []
    if kept < entries:
        facts.append(f"left out: the last {entries - kept} of {entries} {noun}s")
    if whole < kept:
        which = f"the {kept - whole} before" if facts else f"the last {kept - whole} of {entries} {noun}s"
        facts.append(f"shortened: {which}")
    if not facts:
        return None
    return f"{'; '.join(facts).capitalize()}. Allow more max_tokens, or ask for less."


def largest(most: int, holds: Callable[[int], bool]) -> int:
    """Return the largest number up to *most* of which *holds* is true, as it is of all smaller ones; or 0.

    >>> largest(10, lambda number: number * number < 40)
    6
    """
    low, high = 0, most
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
