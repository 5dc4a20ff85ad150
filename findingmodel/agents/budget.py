"""The length of answers: an upper bound of their tokens, and what is left out to stay within a budget."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

from findingmodel.errors import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable


class Serializable(Protocol):
    """An answer with a length."""

    def as_json(self) -> str:
        """Return the answer as it is sent."""
        ...


A = TypeVar("A", bound=Serializable)


def count_tokens(text: str) -> int:
    """Return an upper bound of the tokens of *text* in any language model: its bytes in UTF-8.

    A tokenizer that can encode any text (byte-level BPE, or one that falls back to bytes) makes tokens of at
    least one byte each. JSON of finding models takes about a third of this number in practice.

    >>> count_tokens("PE"), count_tokens("Ménière")
    (2, 9)
    """
    return len(text.encode())


def fits(answer: Serializable, max_tokens: int) -> bool:
    """Return whether *answer* stays within *max_tokens*."""
    return count_tokens(answer.as_json()) <= max_tokens


def fit(entries: int, build: Callable[[int, int], A], max_tokens: int) -> A:
    """Return the answer that holds the most within *max_tokens*.

    It keeps as many entries as possible, shortened if necessary; then as many of the first ones as possible
    are whole.

    Args:
        entries: the number of entries.
        build: called with (entries to keep, entries to keep whole); the other kept ones are shortened.
        max_tokens: the budget.

    Raises:
        QueryError: even the answer without entries is too long; the message says how much it needs.
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
    """Return which of the *entries* are missing or shortened; None if all are whole.

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


def largest(maximum: int, holds: Callable[[int], bool]) -> int:
    """Return the largest number up to *maximum* for which *holds* is true, or 0.

    Args:
        maximum: the largest candidate.
        holds: true for all numbers up to some limit, and false above it.

    >>> largest(10, lambda number: number * number < 40)
    6
    """
    low, high = 0, maximum
    while low < high:
        middle = (low + high + 1) // 2
        if holds(middle):
            low = middle
        else:
            high = middle - 1
    return low
