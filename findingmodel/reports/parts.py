"""The phrases of a sentence: its terms, by what they contribute to a mention, in chunks."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.document import DATA
from findingmodel.reports.kinds import endings
from findingmodel.reports.labels import names_finding
from findingmodel.text.tables import word_sets
from findingmodel.text.terms import importance

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from findingmodel.reports.concepts import Term
    from findingmodel.reports.document import Word
    from findingmodel.reports.lexicon import Lexicon

_LIGHT = 0.2  # the importance of words of degree
_SHORTEST_ENDED = 6  # letters of a word whose ending tells that it names a disease
_SHORTEST_NAME = 3  # letters of a name that is not in capitals
_ADJECTIVES = ("ed", "ous", "al", "ory", "ic")
_NOT_ADVERBS = ("megaly", "anomaly")


class Kind(IntEnum):
    """What a term contributes to a mention."""

    FILLER = 0
    LIGHT = 1
    CONTENT = 2
    PLACE = 3
    STATE = 4
    HEAD = 5


class Part(NamedTuple):
    """A term of a sentence with its kind."""

    term: Term
    kind: Kind


class Chunk(NamedTuple):
    """The terms between two boundaries: prepositions, conjunctions, verbs, commas.

    Attributes:
        lead: the kind of the boundary before it: a section of ``grammar.txt``, or "start".
        parts: its terms, without fillers.
        start, end: the positions of its first word, and after its last.
    """

    lead: str
    parts: tuple[Part, ...]
    start: int
    end: int

    @property
    def heads(self) -> list[Part]:
        """The terms in it that name a finding."""
        return [part for part in self.parts if part.kind == Kind.HEAD]

    @property
    def has_head(self) -> bool:
        """Whether a term in it names a finding."""
        return any(part.kind == Kind.HEAD for part in self.parts)

    @property
    def has_place(self) -> bool:
        """Whether a term in it names a place."""
        return any(part.kind == Kind.PLACE for part in self.parts)

    @property
    def is_only_place(self) -> bool:
        """Whether its terms only name or describe places."""
        return all(part.kind in (Kind.PLACE, Kind.LIGHT, Kind.CONTENT) for part in self.parts)


def parts_of(words: Sequence[Word], terms: Sequence[Term], lexicon: Lexicon) -> list[Part]:
    """Return each term with its kind."""
    return [Part(term, _kind(words, term, lexicon)) for term in terms]


def _kind(words: Sequence[Word], term: Term, lexicon: Lexicon) -> Kind:
    if term.end > term.start + 1:
        return _kind_of_phrase(words[term.end - 1], term, lexicon)
    word = words[term.start]
    kinds = lexicon.kinds
    if word.text in kinds.nothing_words:
        return Kind.CONTENT
    if word.text.endswith("ly") and not word.text.endswith(_NOT_ADVERBS):
        return Kind.LIGHT
    if word.text in kinds.state_words:
        return Kind.STATE
    if _is_named(word, term, lexicon):
        is_adjective = word.text.endswith(_ADJECTIVES) and word.text not in kinds.finding_words
        return Kind.STATE if is_adjective else Kind.HEAD
    if not kinds.states.isdisjoint(term.concepts):
        return Kind.STATE
    if term.concepts and kinds.places.issuperset(term.concepts):
        return Kind.PLACE
    return _kind_of_other(word, term, lexicon)


def _kind_of_phrase(last: Word, term: Term, lexicon: Lexicon) -> Kind:
    """Return the kind of a term of several words, of which *last* is the last."""
    kinds = lexicon.kinds
    own = term.concepts
    if not kinds.nothing.isdisjoint(own):
        return Kind.CONTENT
    named = kinds.findings | kinds.devices
    if not named.isdisjoint(own) or not _names(lexicon).isdisjoint(own):
        return Kind.HEAD
    if not kinds.states.isdisjoint(own):
        return Kind.STATE
    if kinds.places.issuperset(own):
        return Kind.PLACE
    if len(own) > 1:
        return Kind.HEAD if _ends_like_finding(term, lexicon) else Kind.CONTENT
    is_finding = not named.isdisjoint(lexicon.concepts.of_stems((last.stem,)))
    return Kind.HEAD if is_finding or last.text.endswith(endings()) else Kind.CONTENT


def _kind_of_other(word: Word, term: Term, lexicon: Lexicon) -> Kind:
    """Return the kind of a word that no table lists."""
    if len(term.concepts) > 1:
        return Kind.HEAD if _ends_like_finding(term, lexicon) else Kind.CONTENT
    weight = importance().get(word.text, importance().get(word.stem, 1.0))
    if weight == 0 or word.text[0].isdigit():
        return Kind.FILLER
    if weight <= _LIGHT:
        return Kind.LIGHT
    is_ended = len(word.text) >= _SHORTEST_ENDED and word.text.endswith(endings())
    return Kind.HEAD if is_ended and lexicon.kinds.weak.isdisjoint(term.concepts) else Kind.CONTENT


def _is_named(word: Word, term: Term, lexicon: Lexicon) -> bool:
    """Return whether a table or the index lists the word as a finding, a device or a procedure."""
    kinds = lexicon.kinds
    if not kinds.findings.isdisjoint(term.concepts) or not kinds.devices.isdisjoint(term.concepts):
        return True
    if word.stem in kinds.finding_roots:
        return True
    is_word = len(word.text) >= _SHORTEST_NAME or word.capitals
    return is_word and not _names(lexicon).isdisjoint(term.concepts)


def _names(lexicon: Lexicon) -> frozenset[int]:
    return lexicon.kinds.procedures | lexicon.kinds.assessments | lexicon.heads


def _ends_like_finding(term: Term, lexicon: Lexicon) -> bool:
    return any(names_finding(lexicon.concepts.name(concept)) for concept in term.concepts)


def chunks_of(words: Sequence[Word], parts: Sequence[Part]) -> list[Chunk]:
    """Return the chunks of a sentence."""
    found: list[Chunk] = []
    collected: list[Part] = []
    boundaries = _boundaries()
    lead, start = "start", 0
    for part in parts:
        term = part.term
        word = words[term.start]
        boundary = boundaries.get(word.text, "") if term.end == term.start + 1 else ""
        if word.mark in _MARKS and collected:
            found.append(Chunk(lead, tuple(collected), start, term.start))
            lead, collected, start = _MARKS[word.mark], [], term.start
        if boundary:
            if collected:
                found.append(Chunk(lead, tuple(collected), start, term.start))
                lead, collected = boundary, []
            elif (boundary != "and" or lead in ("start", "is")) and (lead, boundary) != ("position", "of"):
                lead = boundary
            start = term.end
        elif part.kind != Kind.FILLER:
            if not collected:
                start = term.start
            collected.append(part)
    if collected:
        found.append(Chunk(lead, tuple(collected), start, parts[-1].term.end))
    return found


_MARKS = {",": "and", "/": "and", ";": "and", "(": "clause", ")": "clause", ":": "clause"}


def is_boundary(word: str) -> bool:
    """Return whether a word separates the phrases of a sentence."""
    return word in _boundaries()


@cache
def _boundaries() -> Mapping[str, str]:
    """Return the kind of the boundary that each word of the grammar is; the first section counts."""
    found: dict[str, str] = {}
    for kind, words in word_sets(DATA / "grammar.txt").items():
        for word in words:
            found.setdefault(word, kind)
    return found
