"""Cues and their scopes: which words of a sentence a phrase such as "no evidence of" is about, or denies.

The scheme is that of ConText: a cue has a kind and a direction, and its scope ends at a stop, at another cue
or at the end of the sentence (Harkema et al. 2009, https://doi.org/10.1016/j.jbi.2009.05.002). What is added
here are the rules for lists: "no A, B or C" denies all three, "no A, small B" only the first.
"""

from __future__ import annotations

from functools import cache
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.tables import sections, word_sets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

NEGATION = Path(__file__).with_name("data") / "negation.txt"
ABSENT, RESOLVED = "absent", "resolved"
BEFORE, AFTER, AROUND, ANSWER = "before", "after", "around", "answer"
NOTHING, STOP, AFFIRMED = "nothing", "stop", "affirmed"
_GAP = "*"
_MOST_IN_GAP = 2
_WITH = "with"
_LONGEST_VERB = 3  # words after "is" that may be "seen"


@cache
def _grammar() -> dict[str, frozenset[str]]:
    return word_sets(NEGATION.with_name("grammar.txt"))


class Cue(NamedTuple):
    """A cue in a sentence.

    Attributes:
        kind: the first word of its section in the table, such as "absent".
        direction: the second word: "before" what it is about, "after" it, "around" for both, or "answer".
        start, end: the positions of its first word, and after its last.
    """

    kind: str
    direction: str
    start: int
    end: int


class Scope(NamedTuple):
    """The words that a cue is about: those from *start* to before *end*."""

    cue: Cue
    start: int
    end: int


class _Pattern(NamedTuple):
    kind: str
    direction: str
    words: tuple[str, ...]


class _Beginning(NamedTuple):
    """The patterns that begin with one word: alone, by their second word, and by the word after a gap."""

    alone: list[_Pattern]
    seconds: dict[str, list[_Pattern]]
    gaps: dict[str, list[_Pattern]]

    def candidates(self, words: Sequence[str], position: int) -> Iterator[_Pattern]:
        """Yield the patterns that may match at *position*."""
        yield from self.alone
        following = words[position + 1 : position + _MOST_IN_GAP + 2]
        if following:
            yield from self.seconds.get(following[0], ())
        for word in following if self.gaps else ():
            yield from self.gaps.get(word, ())


class CueTable:
    """The cues of a table, each with its kind and direction.

    >>> from pathlib import Path
    >>> table = CueTable({"absent before": ["no", "no * evidence of"], "stop": ["but"]})
    >>> words = "no convincing evidence of fracture but effusion".split()
    >>> [(scope.cue.kind, words[scope.start : scope.end]) for scope in table.scopes(words)]
    [('absent', ['fracture'])]
    """

    def __init__(self, cues: Mapping[str, Sequence[str]]) -> None:
        self._answers: set[tuple[str, ...]] = set()
        self._patterns: dict[str, _Beginning] = {}
        for title, body in cues.items():
            kind, _, direction = title.partition(" ")
            for cue in body:
                for words in product(*(part.split("/") for part in cue.split())):
                    self._add(_Pattern(kind, direction, words))

    def _add(self, pattern: _Pattern) -> None:
        words = pattern.words
        if pattern.direction == ANSWER:
            self._answers.add(words)
            return
        beginning = self._patterns.setdefault(words[0], _Beginning([], {}, {}))
        if len(words) == 1:
            beginning.alone.append(pattern)
        elif words[1] == _GAP:
            beginning.gaps.setdefault(words[2], []).append(pattern)
        else:
            beginning.seconds.setdefault(words[1], []).append(pattern)

    def is_answer(self, words: Sequence[str]) -> bool:
        """Return whether *words* as a whole deny what stands before a colon: "none", "not seen"."""
        return tuple(words) in self._answers

    def cues(self, words: Sequence[str]) -> list[Cue]:
        """Return the cues in *words* from left to right, the longest at each position."""
        found: list[Cue] = []
        position = 0
        while position < len(words):
            cue = self._cue_at(words, position) if words[position] in self._patterns else None
            if cue is None:
                position += 1
            else:
                found.append(cue)
                position = cue.end
        return found

    def _cue_at(self, words: Sequence[str], position: int) -> Cue | None:
        best: tuple[tuple[int, int, bool, bool], Cue] | None = None
        for pattern in self._patterns[words[position]].candidates(words, position):
            end = _match_end(pattern.words, words, position)
            if end > position:
                literal = len(pattern.words) - pattern.words.count(_GAP)
                rank = (end, literal, pattern.kind == NOTHING, pattern.direction == AFTER)
                if best is None or rank > best[0]:
                    best = rank, Cue(pattern.kind, pattern.direction, position, end)
        return best[1] if best else None

    def scopes(
        self, words: Sequence[str], marks: Sequence[str] = (), cues: Sequence[Cue] | None = None
    ) -> list[Scope]:
        """Return what each cue of *words* is about, from left to right.

        Args:
            words: the words of a sentence in lower case.
            marks: the punctuation before each word, such as ","; "" for none.
            cues: the cues, if they are known.
        """
        return list(_scopes(words, marks or [""] * len(words), self.cues(words) if cues is None else cues))


@cache
def cue_table(*paths: Path) -> CueTable:
    """Return the cues of the files *paths*, read once."""
    cues: dict[str, list[str]] = {}
    for path in paths:
        for title, body in sections(path):
            cues.setdefault(title, []).extend(body)
    return CueTable(cues)


def denied(tokens: Sequence[str], marks: Sequence[str] = ()) -> frozenset[int]:
    """Return the positions of the words that a sentence denies, or says are gone.

    Args:
        tokens: the words of the sentence, folded.
        marks: the punctuation before each of them, if it is known.

    >>> words = "no effusion but a small nodule".split()
    >>> [words[position] for position in sorted(denied(words))]
    ['effusion']
    """
    scopes = cue_table(NEGATION).scopes(tokens, marks)
    denials = [scope for scope in scopes if scope.cue.kind in (ABSENT, RESOLVED)]
    return frozenset(position for scope in denials for position in range(scope.start, scope.end))


def is_denial(tokens: Sequence[str]) -> bool:
    """Return whether *tokens* are only a denial, the answer to the words before a colon.

    >>> is_denial(["none"]), is_denial(["not", "seen"]), is_denial(["no", "effusion"])
    (True, True, False)
    """
    return cue_table(NEGATION).is_answer(tokens)


def _match_end(pattern: Sequence[str], words: Sequence[str], position: int) -> int:
    """Return the position after the words that *pattern* matches from *position* on, or -1."""
    for number, part in enumerate(pattern):
        if part == _GAP:
            rest = pattern[number + 1 :]
            ends = (_match_end(rest, words, position + gap) for gap in range(_MOST_IN_GAP + 1))
            return next((end for end in ends if end > 0), -1)
        if position >= len(words) or words[position] != part:
            return -1
        position += 1
    return position


def _scopes(words: Sequence[str], marks: Sequence[str], cues: Sequence[Cue]) -> Iterator[Scope]:
    for number, cue in enumerate(cues):
        if cue.direction not in (BEFORE, AFTER, AROUND) or cue.kind == AFFIRMED:
            continue
        after = (cue.end, _forward(words, marks, cues, number))
        before = (_backward(words, marks, cues, number), cue.start)
        if cue.direction == AROUND:
            yield from (Scope(cue, start, end) for start, end in (before, after) if start < end)
            continue
        first, other = (after, before) if cue.direction == BEFORE else (before, after)
        start, end = first if first[0] < first[1] else other
        if start < end:
            yield Scope(cue, start, end)


def _forward(words: Sequence[str], marks: Sequence[str], cues: Sequence[Cue], number: int) -> int:
    """Return where the scope of a cue that stands before its words ends."""
    cue = cues[number]
    ends = (later.start for later in cues[number + 1 :] if _ends_forward(cue, later))
    end = next(ends, len(words))
    joins = _grammar()["joins"]
    for position in range(cue.end + 1, end):
        if marks[position] in (":", ";"):
            return position
        is_boundary = marks[position] in (",", "(") or words[position] in joins
        is_boundary = is_boundary or (words[position] == _WITH and cue.kind == ABSENT)
        if is_boundary and _is_new_statement(words, marks, position, end):
            return position
    return end


def _ends_forward(cue: Cue, later: Cue) -> bool:
    if later.kind == STOP:
        return True
    if later.kind == NOTHING:
        return False
    if later.kind == AFFIRMED:
        return later.start > cue.end
    return later.direction == BEFORE and later.kind != cue.kind and later.start > cue.end


def _is_new_statement(words: Sequence[str], marks: Sequence[str], position: int, end: int) -> bool:
    """Return whether a statement of its own begins after the comma or the "and" at *position*."""
    grammar = _grammar()
    first = position + (words[position] in grammar["joins"] or words[position] == _WITH)
    if first >= end or words[position] in grammar["or"]:
        return False
    if words[first] in grammar["subjects"]:
        return True
    stop = next((at for at in range(first + 1, end) if marks[at] or words[at] in grammar["joins"]), end)
    if any(_is_predicate(words, at) for at in range(first, stop)):
        return True
    if words[position] == _WITH or any(word in grammar["or"] for word in words[first:end]):
        return False
    return words[first] in grammar["quantities"] or words[first][0].isdigit()


def _is_predicate(words: Sequence[str], position: int) -> bool:
    """Return whether a verb at *position* states something else than that a thing is or is not seen."""
    grammar = _grammar()
    if words[position] in grammar["shows"]:
        return True
    if words[position] not in grammar["be"]:
        return False
    following = words[position + 1 : position + 1 + _LONGEST_VERB]
    rest = [one for one in following if one not in grammar["be"]]
    return not any(one in grammar["seen"] or one == "not" for one in rest[:2])


def _backward(words: Sequence[str], marks: Sequence[str], cues: Sequence[Cue], number: int) -> int:
    """Return where the scope of a cue that follows its words begins."""
    cue = cues[number]
    joins = _grammar()["joins"]
    ends = (
        one.end for one in reversed(cues[:number]) if one.kind in (STOP, AFFIRMED) or one.direction == AFTER
    )
    start = next(ends, 0)
    is_list = False
    for position in range(cue.start - 1, start, -1):
        word, mark = words[position], marks[position]
        if mark in (":", ";", "("):
            return position
        is_list = is_list or word in joins
        if (mark == "," or word in joins) and (
            not is_list or any(_is_predicate(words, at) for at in range(start, position))
        ):
            return position
    return start
