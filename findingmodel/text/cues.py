"""Negation cues: which words a clause denies, as in "no pneumothorax"."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.terms import negation_cues

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence


class _Cue(NamedTuple):
    """A cue in a clause: its kind, the position of its first word, and the position after its last word."""

    kind: str
    start: int
    end: int


def denied(tokens: Sequence[str]) -> frozenset[int]:
    """Return the positions of the words that the clause *tokens* denies.

    A cue denies what follows it up to a stop, or what precedes it back to a stop (``data/negation.txt``). A
    cue with no words on that side denies the other side: "effusion: no", "not seen: a fracture".

    >>> words = "no effusion but a small nodule".split()
    >>> [words[position] for position in sorted(denied(words))]
    ['effusion']
    """
    cues = list(_certain(_cues(tokens)))
    stops = [cue for cue in cues if cue.kind == "stop"]
    found: set[int] = set()
    for cue in cues:
        if cue.kind in ("before", "after"):
            start = max((stop.end for stop in stops if stop.end <= cue.start), default=0)
            end = min((stop.start for stop in stops if stop.start >= cue.end), default=len(tokens))
            sides = (range(cue.end, end), range(start, cue.start))
            found.update((sides[0] or sides[1]) if cue.kind == "before" else (sides[1] or sides[0]))
    return frozenset(found)


def is_denial(tokens: Sequence[str]) -> bool:
    """Return whether *tokens* are only a denial, the answer to the words before a colon.

    >>> is_denial(["none"]), is_denial(["not", "seen"]), is_denial(["no", "effusion"])
    (True, True, False)
    """
    first = next(_cues(tokens), None)
    whole = first is not None and first.kind in ("before", "after") and first[1:] == (0, len(tokens))
    return whole or tuple(tokens) in negation_cues()["answer"]


def _cues(tokens: Sequence[str]) -> Iterator[_Cue]:
    """Yield the cues in *tokens* from left to right, the longest at each position."""
    position = 0
    while position < len(tokens):
        cue = _cue_at(tokens, position)
        if cue is None:
            position += 1
        else:
            yield cue
            position = cue.end


def _certain(cues: Iterable[_Cue]) -> Iterator[_Cue]:
    """Yield *cues* without those that an earlier cue of doubt cancels."""
    in_doubt = False
    for cue in cues:
        in_doubt = cue.kind == "doubt" or (in_doubt and cue.kind != "stop")
        if not (in_doubt and cue.kind == "after"):
            yield cue


_KINDS = ("nothing", "doubt", "stop", "before", "after")  # of two equally long cues the first kind wins


@cache
def _beginnings() -> frozenset[str]:
    """Return the first words of all cues, to skip most words of a clause quickly."""
    return frozenset(words[0] for kind in _KINDS for words in negation_cues()[kind])


def _cue_at(tokens: Sequence[str], position: int) -> _Cue | None:
    if tokens[position] not in _beginnings():
        return None
    found: _Cue | None = None
    for kind in _KINDS:
        for words in negation_cues()[kind]:
            end = position + len(words)
            if tokens[position] == words[0] and tuple(tokens[position:end]) == words:
                if found is None or end > found.end:
                    found = _Cue(kind, position, end)
                break
    return found
