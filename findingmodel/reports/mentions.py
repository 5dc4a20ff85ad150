"""Find where a sentence names findings: its chunks, and in them the words that name, locate or describe one."""

from __future__ import annotations

from enum import IntEnum
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.document import DATA
from findingmodel.reports.lexicon import endings
from findingmodel.text.tables import word_sets
from findingmodel.text.terms import importance

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from findingmodel.reports.concepts import Term
    from findingmodel.reports.document import Sentence, Word
    from findingmodel.reports.lexicon import Lexicon

_LIGHT = 0.2
_SHORTEST_ENDED = 6
_SHORTEST_NAME = 3
_STEM_ENDINGS = ("itis", "oma", "os", "megali", "pathi", "carcinoma", "lithiasi", "syndrom")
_ADJECTIVES = ("ed", "ous", "al", "ory")


@cache
def _boundaries() -> Mapping[str, str]:
    """Return the kind of the boundary that each word of the grammar is; the first section counts."""
    found: dict[str, str] = {}
    for kind, words in word_sets(DATA / "grammar.txt").items():
        for word in words:
            found.setdefault(word, kind)
    return found


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
        lead: the kind of the boundary before it: "of" (a preposition), "and", "is", "shows", "clause", "start".
        parts: its terms, without fillers.
        start, end: the positions of its first word, and after its last.
    """

    lead: str
    parts: tuple[Part, ...]
    start: int
    end: int

    @property
    def has_head(self) -> bool:
        """Whether a word in it names a finding."""
        return any(part.kind == Kind.HEAD for part in self.parts)

    @property
    def has_place(self) -> bool:
        """Whether a word in it names a place."""
        return any(part.kind == Kind.PLACE for part in self.parts)

    @property
    def is_only_place(self) -> bool:
        """Whether its words only name or describe places."""
        return all(part.kind in (Kind.PLACE, Kind.LIGHT, Kind.CONTENT) for part in self.parts)


class Anchor(NamedTuple):
    """A place in a sentence where a finding is named.

    Attributes:
        head: the term that names it, or describes a place as abnormal.
        heads: the concepts of the words that name or describe it, each with its weight.
        chunk: the number of its chunk.
        concepts: the concepts of the sentence that may belong to it, each with how surely, from 0 to 1.
        places: the terms that these concepts come from, by concept.
        is_state: whether it is an adjective that needs a place ("enlarged").
        is_weak: whether it is a finding only if the index has a label for it.
    """

    head: Term
    chunk: int
    heads: dict[int, float]
    concepts: dict[int, float]
    places: dict[int, Term]
    is_state: bool = False
    is_weak: bool = False


def kinds_of(words: Sequence[Word], terms: Sequence[Term], lexicon: Lexicon) -> list[Part]:
    """Return each term with its kind."""
    return [Part(term, _kind(words, term, lexicon)) for term in terms]


def _kind(words: Sequence[Word], term: Term, lexicon: Lexicon) -> Kind:
    kinds = lexicon.kinds
    own = term.concepts
    first = words[term.start]
    single = term.end == term.start + 1
    if first.text in kinds.nothing_words if single else not kinds.nothing.isdisjoint(own):
        return Kind.CONTENT
    if single and first.text.endswith("ly") and not first.text.endswith(("megaly", "anomaly")):
        return Kind.LIGHT
    if single and first.text in kinds.state_words:
        return Kind.STATE
    if not kinds.findings.isdisjoint(own) or not kinds.devices.isdisjoint(own):
        is_adjective = single and first.text.endswith(_ADJECTIVES) and first.text not in kinds.finding_words
        return Kind.STATE if is_adjective else Kind.HEAD
    if single and first.stem in kinds.finding_roots and not first.text.endswith(_ADJECTIVES):
        return Kind.HEAD
    if _names_finding(first, own, lexicon, single=single):
        return Kind.HEAD
    if not kinds.states.isdisjoint(own):
        return Kind.STATE
    if all(concept in kinds.places for concept in own):
        return Kind.PLACE
    if len(own) > 1:
        is_finding = any(lexicon.concepts.name(concept).endswith(_STEM_ENDINGS) for concept in own)
        return Kind.HEAD if is_finding else Kind.CONTENT
    if not single:
        last = lexicon.concepts.of_stems((words[term.end - 1].stem,))
        is_finding = any(concept in kinds.findings or concept in kinds.devices for concept in last)
        is_finding = is_finding or words[term.end - 1].text.endswith(endings())
        return Kind.HEAD if is_finding else Kind.CONTENT
    weight = importance().get(first.text, importance().get(first.stem, 1.0))
    if weight == 0 or first.text[0].isdigit():
        return Kind.FILLER
    if weight <= _LIGHT:
        return Kind.LIGHT
    if len(first.text) >= _SHORTEST_ENDED and first.text.endswith(endings()) and own[0] not in kinds.weak:
        return Kind.HEAD
    return Kind.CONTENT


def _names_finding(word: Word, own: Sequence[int], lexicon: Lexicon, *, single: bool) -> bool:
    """Return whether a term is a procedure, an assessment, or a label of the index by itself."""
    kinds = lexicon.kinds
    if single and len(word.text) < _SHORTEST_NAME and not word.capitals:
        return False
    return any(
        concept in kinds.procedures or concept in kinds.assessments or concept in lexicon.heads
        for concept in own
    )


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
        comma = "and" if word.mark in (",", "/", ";") else ("clause" if word.mark in ("(", ")", ":") else "")
        if comma and collected:
            found.append(Chunk(lead, tuple(collected), start, term.start))
            lead, collected, start = comma, [], term.start
        if boundary:
            if collected:
                found.append(Chunk(lead, tuple(collected), start, term.start))
                collected = []
                lead = boundary
            else:
                lead = boundary if lead in ("and", "start", "is") or boundary != "and" else lead
            start = term.end
        elif part.kind != Kind.FILLER:
            if not collected:
                start = term.start
            collected.append(part)
    if collected:
        found.append(Chunk(lead, tuple(collected), start, parts[-1].term.end))
    return found


_DESCRIBED = 0.8  # the weight of an adjective beside the word that names the finding
_NEAR, _ATTACHED, _LISTED, _SUBJECT, _SAID, _EARLIER, _LATER, _TOPIC = (
    1.0,
    0.85,
    0.8,
    0.85,
    0.8,
    0.45,
    0.3,
    0.6,
)


def anchors_of(chunks: Sequence[Chunk], topic: Sequence[Term], lexicon: Lexicon) -> Iterator[Anchor]:
    """Yield the places of a sentence where a finding may be named, from left to right."""
    for number, chunk in enumerate(chunks):
        heads = [part for part in chunk.parts if part.kind == Kind.HEAD]
        states = [part for part in chunk.parts if part.kind == Kind.STATE]
        if heads:
            if _is_property(heads, lexicon) and _subject_has_head(chunks, number):
                continue
            yield _anchor(heads[-1].term, number, chunks, topic, lexicon)
        elif states:
            if _subject_has_head(chunks, number) and not _has_own_place(chunks, number):
                continue
            anchor = _anchor(states[-1].term, number, chunks, topic, lexicon)
            yield anchor._replace(is_state=True)
        elif len(chunk.parts) > 1 or (chunk.parts and chunk.parts[0].kind == Kind.CONTENT):
            yield _anchor(chunk.parts[-1].term, number, chunks, topic, lexicon)._replace(is_weak=True)


def _is_property(heads: Sequence[Part], lexicon: Lexicon) -> bool:
    return all(lexicon.kinds.properties.intersection(part.term.concepts) for part in heads)


def _has_own_place(chunks: Sequence[Chunk], number: int) -> bool:
    own = [number, *(other for other, _ in _attached(chunks, number))]
    return any(part.kind == Kind.PLACE for other in own for part in chunks[other].parts)


def _subject_has_head(chunks: Sequence[Chunk], number: int) -> bool:
    """Return whether the chunk is said of a finding: "the mass is calcified", "a lesion with ..."."""
    if chunks[number].lead not in ("is", "shows", "and"):
        return False
    for chunk in reversed(chunks[:number]):
        if chunk.has_head:
            return True
        if chunk.lead not in ("of", "is", "and"):
            return False
    return False


def _anchor(
    head: Term, number: int, chunks: Sequence[Chunk], topic: Sequence[Term], lexicon: Lexicon
) -> Anchor:
    heads: dict[int, float] = {}
    concepts: dict[int, float] = {}
    places: dict[int, Term] = {}

    def add(parts: Sequence[Part], quality: float, *, only_places: bool = False) -> None:
        for part in parts:
            if only_places and part.kind != Kind.PLACE:
                continue
            for concept in part.term.concepts:
                if quality > concepts.get(concept, 0.0):
                    concepts[concept] = quality
                    places[concept] = part.term

    chunk = chunks[number]
    add(chunk.parts, _NEAR)
    for other, quality in _related(chunks, number):
        add(chunks[other].parts, quality)
    for other in _predicates(chunks, number, lexicon):
        add([part for part in chunks[other].parts if part.kind != Kind.PLACE], _SAID)
    for other in range(number - 1, -1, -1):
        add(chunks[other].parts, _EARLIER, only_places=True)
    for other in range(number + 1, len(chunks)):
        if chunks[other].has_head:
            break
        add(chunks[other].parts, _LATER, only_places=True)
    for term in topic:
        for concept in term.concepts:
            concepts.setdefault(concept, _TOPIC)
    for part in chunk.parts:
        if part.kind in (Kind.HEAD, Kind.STATE):
            for concept in part.term.concepts:
                if concept not in lexicon.kinds.places:
                    heads[concept] = 1.0 if part.kind == Kind.HEAD else _DESCRIBED
    for concept in head.concepts:
        heads[concept] = 1.0
    return Anchor(head, number, heads, concepts, places)


def _predicates(chunks: Sequence[Chunk], number: int, lexicon: Lexicon) -> Iterator[int]:
    """Yield the chunks that say something of the finding in chunk *number*: "shows ring enhancement"."""
    if not chunks[number].has_head:
        return
    for other in range(number + 1, len(chunks)):
        chunk = chunks[other]
        heads = [part for part in chunk.parts if part.kind == Kind.HEAD]
        if chunk.lead in ("is", "shows") and (not heads or _is_property(heads, lexicon)):
            yield other
        elif chunk.lead != "of" or heads:
            return


def _related(chunks: Sequence[Chunk], number: int) -> Iterator[tuple[int, float]]:
    """Yield the chunks whose words belong to a finding in chunk *number*, and how surely."""
    yield from _attached(chunks, number)
    before = number - 1
    lead = chunks[number].lead
    while before >= 0 and lead == "and" and chunks[before].is_only_place and chunks[before].lead != "of":
        yield before, _LISTED
        lead = chunks[before].lead
        before -= 1
    if chunks[number].lead in ("is", "shows", "start", "and"):
        yield from _subject(chunks, number)


def _attached(chunks: Sequence[Chunk], number: int) -> Iterator[tuple[int, float]]:
    """Yield the chunks after *number* that say where it is: "in the right and the left lobe"."""
    is_attached = False
    for other in range(number + 1, len(chunks)):
        chunk = chunks[other]
        if chunk.lead == "of" and not chunk.has_head:
            is_attached = True
            yield other, _ATTACHED
        elif (
            chunk.lead == "and"
            and is_attached
            and chunk.is_only_place
            and not _starts_statement(chunks, other)
        ):
            yield other, _LISTED
        else:
            return


def _starts_statement(chunks: Sequence[Chunk], number: int) -> bool:
    return number + 1 < len(chunks) and chunks[number + 1].lead == "is"


def _subject(chunks: Sequence[Chunk], number: int) -> Iterator[tuple[int, float]]:
    """Yield the chunks that *number* is said of: "the wall of the gallbladder is thickened and edematous"."""
    while number and chunks[number].lead == "and" and not chunks[number].has_place:
        number -= 1
    if chunks[number].lead not in ("is", "shows"):
        return
    for other in range(number - 1, -1, -1):
        if chunks[other].has_head:
            return
        yield other, _SUBJECT
        if chunks[other].lead not in ("of", "is"):
            return
