"""Decide how certain a mention is, from the cues whose scope covers it and from its section."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.document import DATA
from findingmodel.text.cues import AFTER, ANSWER, NEGATION, RESOLVED, Cue, Scope, cue_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.reports.document import Sentence
    from findingmodel.text.cues import CueTable

PRESENT, ABSENT, POSSIBLE = "present", "absent", "possible"
HISTORICAL, INDICATION, IGNORED = "historical", "indication", "ignored"
CERTAINTIES = (PRESENT, ABSENT, POSSIBLE, HISTORICAL, INDICATION)

_OF_SECTION = {"indication": INDICATION, "history": HISTORICAL, "comparison": HISTORICAL}
_STRONGEST = (IGNORED, INDICATION)
_ALWAYS = frozenset(
    (ABSENT, HISTORICAL, IGNORED)
)  # of these a request also tells: "history of breast cancer"


_LONGEST_ANSWER = 3  # words
_NEXT_ITEM = 5  # words within which the next colon of a list follows


class Judgement(NamedTuple):
    """How certain a mention is, and why.

    Attributes:
        certainty: one of `CERTAINTIES`, or "ignored" for what is not said of the patient.
        cue: the cue that decided, or None if the section did, or nothing.
    """

    certainty: str
    cue: Cue | None = None


class SentenceCues(NamedTuple):
    """The cues of a sentence with their scopes."""

    scopes: tuple[Scope, ...]
    section: str

    def judge(self, start: int, end: int) -> Judgement:
        """Return the certainty of a mention whose words are those from *start* to before *end*."""
        covering = [
            scope
            for scope in self.scopes
            if scope.start < end and start < scope.end and not _within(scope, start, end)
        ]
        if self.section in _OF_SECTION:
            return self._of_request(covering, start, end)
        if not covering:
            return Judgement(PRESENT)
        best = min(covering, key=lambda scope: _rank(scope, start, end))
        return Judgement(best.cue.kind, best.cue)

    def _of_request(self, covering: Sequence[Scope], start: int, end: int) -> Judgement:
        told = [scope for scope in covering if scope.cue.kind in _ALWAYS]
        asked = [scope for scope in covering if scope.cue.kind == INDICATION]
        default = _OF_SECTION[self.section]
        deciding = asked if asked and (default == HISTORICAL or not told) else told
        if deciding:
            best = min(deciding, key=lambda scope: _rank(scope, start, end))
            return Judgement(best.cue.kind, best.cue)
        return Judgement(default)


def _within(scope: Scope, start: int, end: int) -> bool:
    """Return whether the cue is part of the mention itself, as in "absent kidney"."""
    return scope.cue.start >= start and scope.cue.end <= end


def _rank(scope: Scope, start: int, end: int) -> tuple[int, int, int]:
    """Order the scopes of a mention: what is not said of the patient, then the nearest, then denials."""
    kind = scope.cue.kind
    distance = start - scope.cue.end if scope.cue.end <= start else max(scope.cue.start - end, 0)
    if kind == IGNORED:
        return 0, distance, 0
    if kind == HISTORICAL and scope.cue.direction == AFTER:
        return 1, distance, 0
    return 2, distance, 0 if kind == ABSENT else 1


@cache
def _table() -> CueTable:
    return cue_table(NEGATION, DATA / "certainty.txt")


def _as_historical(scope: Scope) -> Scope:
    """Return *scope* with its kind as a certainty: what has resolved is history."""
    return scope._replace(cue=scope.cue._replace(kind=HISTORICAL)) if scope.cue.kind == RESOLVED else scope


def cues_of(sentence: Sentence) -> SentenceCues:
    """Return the cues of *sentence* with their scopes."""
    table = _table()
    words = [word.text for word in sentence.words]
    marks = [word.mark for word in sentence.words]
    scopes = [_as_historical(scope) for scope in table.scopes(words, marks)]
    scopes += _answers(table, words, marks)
    if sentence.topic and table.is_answer(words):
        scopes.append(Scope(Cue(ABSENT, ANSWER, 0, len(words)), -len(sentence.topic), 0))
    return SentenceCues(tuple(scopes), sentence.section)


def _answers(table: CueTable, words: Sequence[str], marks: Sequence[str]) -> Iterator[Scope]:
    """Yield the denials that stand after a colon: "effusion: none, fracture: not seen"."""
    start = 0
    for colon, mark in enumerate(marks):
        if mark != ":" or colon == 0:
            continue
        for end in range(min(colon + _LONGEST_ANSWER, len(words)), colon, -1):
            is_whole = (
                end == len(words) or marks[end] in (",", ";", "(") or ":" in marks[end : end + _NEXT_ITEM]
            )
            if is_whole and table.is_answer(words[colon:end]):
                yield Scope(Cue(ABSENT, ANSWER, colon, end), start, colon)
                start = end
                break
