"""Where a sentence names findings, and which of its words may belong to each."""

from __future__ import annotations

from itertools import takewhile
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.parts import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from findingmodel.reports.concepts import Term
    from findingmodel.reports.lexicon import Lexicon
    from findingmodel.reports.parts import Chunk, Part


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


_DESCRIBED = 0.8  # the weight of an adjective beside the word that names the finding
_NEAR = 1.0  # how surely a concept belongs to a finding: of the same phrase,
_ATTACHED = 0.85  # of a phrase that says where it is,
_SUBJECT = 0.85  # of what it is said of,
_LISTED = 0.8  # of another member of a list,
_SAID = 0.8  # of what is said of it,
_TOPIC = 0.6  # of the heading,
_EARLIER = 0.45  # a place before it in the sentence,
_LATER = 0.3  # a place after it


def anchors_of(chunks: Sequence[Chunk], topic: Sequence[Term], lexicon: Lexicon) -> Iterator[Anchor]:
    """Yield the places of a sentence where a finding may be named, from left to right."""
    for number, chunk in enumerate(chunks):
        heads = chunk.heads
        states = [part for part in chunk.parts if part.kind == Kind.STATE]
        if heads:
            if _is_property(heads, lexicon) and _subject_has_head(chunks, number):
                continue
            yield _anchor(heads[-1].term, number, chunks, topic, lexicon)
        elif states:
            is_disease = _is_disease(chunk, states, lexicon)
            if is_disease or not _subject_has_head(chunks, number) or _has_own_place(chunks, number):
                anchor = _anchor(states[-1].term, number, chunks, topic, lexicon)
                yield anchor._replace(is_state=not is_disease)
        elif len(chunk.parts) > 1 or (chunk.parts and chunk.parts[0].kind == Kind.CONTENT):
            yield _anchor(chunk.parts[-1].term, number, chunks, topic, lexicon)._replace(is_weak=True)


def _is_disease(chunk: Chunk, states: Sequence[Part], lexicon: Lexicon) -> bool:
    """Return whether an adjective names the finding, because no place follows: "thromboembolic disease"."""
    named = lexicon.kinds.findings - lexicon.kinds.states
    return not chunk.has_place and any(not named.isdisjoint(part.term.concepts) for part in states)


def _is_property(heads: Sequence[Part], lexicon: Lexicon) -> bool:
    return all(lexicon.kinds.properties.intersection(part.term.concepts) for part in heads)


def _has_own_place(chunks: Sequence[Chunk], number: int) -> bool:
    own = [number, *(other for other, _ in _attached(chunks, number))]
    return any(chunks[other].has_place for other in own)


def _subject_has_head(chunks: Sequence[Chunk], number: int) -> bool:
    """Return whether the chunk is said of a finding: "the mass is calcified", "a lesion with ..."."""
    if chunks[number].lead not in ("is", "shows", "and"):
        return False
    for chunk in reversed(chunks[:number]):
        if chunk.has_head:
            return True
        if chunk.lead not in ("of", "is", "and") or (chunk.lead == "and" and chunk.has_place):
            return False
    return False


class _Evidence:
    """Collects the concepts that may belong to a finding, the surest first."""

    def __init__(self) -> None:
        self.concepts: dict[int, float] = {}
        self.places: dict[int, Term] = {}

    def add(self, parts: Iterable[Part], quality: float) -> None:
        """Add the concepts of *parts*, unless they are known more surely."""
        for part in parts:
            for concept in part.term.concepts:
                if quality > self.concepts.get(concept, 0.0):
                    self.concepts[concept] = quality
                    self.places[concept] = part.term


def _anchor(
    head: Term, number: int, chunks: Sequence[Chunk], topic: Sequence[Term], lexicon: Lexicon
) -> Anchor:
    found = _Evidence()
    chunk = chunks[number]
    found.add(chunk.parts, _NEAR)
    for other, quality in _related(chunks, number):
        found.add(chunks[other].parts, quality)
    for other in _predicates(chunks, number, lexicon):
        found.add([part for part in chunks[other].parts if part.kind != Kind.PLACE], _SAID)
    for other in range(number - 1, -1, -1):
        found.add(_places(chunks[other]), _EARLIER)
    for later in takewhile(lambda one: not one.has_head, chunks[number + 1 :]):
        found.add(_places(later), _LATER)
    for concept in (concept for term in topic for concept in term.concepts):
        found.concepts.setdefault(concept, _TOPIC)
    heads = _heads(chunk, lexicon)
    own = [concept for concept in head.concepts if concept not in lexicon.kinds.weak]
    heads.update(dict.fromkeys(own or head.concepts, 1.0))
    return Anchor(head, number, heads, found.concepts, found.places)


def _places(chunk: Chunk) -> list[Part]:
    return [part for part in chunk.parts if part.kind == Kind.PLACE]


def _heads(chunk: Chunk, lexicon: Lexicon) -> dict[int, float]:
    """Return the concepts of the words in *chunk* that name or describe a finding, each with its weight."""
    return {
        concept: 1.0 if part.kind == Kind.HEAD else _DESCRIBED
        for part in chunk.parts
        if part.kind in (Kind.HEAD, Kind.STATE)
        for concept in part.term.concepts
        if concept not in lexicon.kinds.places and concept not in lexicon.kinds.weak
    }


def _predicates(chunks: Sequence[Chunk], number: int, lexicon: Lexicon) -> Iterator[int]:
    """Yield the chunks that say something of the finding in chunk *number*: "shows ring enhancement"."""
    if not chunks[number].has_head:
        return
    for other in range(number + 1, len(chunks)):
        chunk = chunks[other]
        heads = chunk.heads
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
    subject: list[int] = []
    for other in range(number - 1, -1, -1):
        if chunks[other].has_head:
            return  # these are the places of another finding
        subject.append(other)
        if chunks[other].lead not in ("of", "is"):
            break
    yield from ((other, _SUBJECT) for other in subject)
