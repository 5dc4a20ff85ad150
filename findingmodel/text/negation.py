"""denied: which words of a clause the clause denies, as in "no pneumothorax"."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.text.tables import negation

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["denied"]


def denied(tokens: Sequence[str]) -> frozenset[int]:
    """Return the positions of the folded words *tokens*, one clause, that the clause denies.

    A cue denies what follows it up to a stop, or what precedes it back to a stop (``data/negation.txt``).

    >>> words = "no effusion but a small nodule".split()
    >>> [words[position] for position in sorted(denied(words))]
    ['effusion']
    """
    cues = negation()
    found: set[int] = set()
    stops = [position for position in range(len(tokens)) if _cue_at(tokens, position, cues["stop"])]
    for position in range(len(tokens)):
        length = _cue_at(tokens, position, cues["before"])
        if length:
            end = next((stop for stop in stops if stop >= position + length), len(tokens))
            found.update(range(position + length, end))
        elif _cue_at(tokens, position, cues["after"]):
            start = max((stop + 1 for stop in stops if stop < position), default=0)
            found.update(range(start, position))
    return frozenset(found)


def _cue_at(tokens: Sequence[str], position: int, cues: Sequence[tuple[str, ...]]) -> int:
    """Return how many words the cue that starts at *position* has; 0 if none does."""
    for cue in cues:
        if tokens[position] == cue[0] and tuple(tokens[position : position + len(cue)]) == cue:
            return len(cue)
    return 0
