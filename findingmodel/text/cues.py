"""denied: which words of a clause the clause denies, as in "no pneumothorax"."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.terms import negation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["denied", "is_denial"]


class _Cue(NamedTuple):
    """A cue in a clause: its kind, and the positions of its first word and of the word behind it."""

    kind: str
    start: int
    end: int


def denied(tokens: Sequence[str]) -> frozenset[int]:
    """Return the positions of the folded words *tokens*, one clause, that the clause denies.

    A cue denies what follows it up to a stop, or what precedes it back to a stop (``data/negation.txt``); one
    with nothing on that side denies the other: "effusion: no", "not seen: a fracture".

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
    """Return whether the folded words *tokens* do nothing but deny, as an answer to what stands before.

    >>> is_denial(["none"]), is_denial(["not", "seen"]), is_denial(["no", "effusion"])
    (True, True, False)
    """
    first = next(_cues(tokens), None)
    whole = first is not None and first.kind in ("before", "after") and first[1:] == (0, len(tokens))
    return whole or tuple(tokens) in negation()["answer"]


def _cues(tokens: Sequence[str]) -> Iterator[_Cue]:
    """Yield the cues in *tokens* one after the other, at each place the longest."""
    position = 0
    while position < len(tokens):
        cue = _cue_at(tokens, position)
        if cue is None:
            position += 1
        else:
            yield cue
            position = cue.end


def _certain(cues: Iterable[_Cue]) -> Iterator[_Cue]:
    """Yield *cues* without those that a doubt before them makes void."""
    in_doubt = False
    for cue in cues:
        in_doubt = cue.kind == "doubt" or (in_doubt and cue.kind != "stop")
        if not (in_doubt and cue.kind == "after"):
            yield cue


_KINDS = ("nothing", "doubt", "stop", "before", "after")  # which comes first where two are equally long


@cache
def _beginnings() -> frozenset[str]:
    """Return the first words of all cues; most words of a clause are none."""
    return frozenset(words[0] for kind in _KINDS for words in negation()[kind])


def _cue_at(tokens: Sequence[str], position: int) -> _Cue | None:
    if tokens[position] not in _beginnings():
        return None
    found: _Cue | None = None
    for kind in _KINDS:
        for words in negation()[kind]:
            end = position + len(words)
            if tokens[position] == words[0] and tuple(tokens[position:end]) == words:
                if found is None or end > found.end:
                    found = _Cue(kind, position, end)
                break
    return found
