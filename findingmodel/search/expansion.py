"""Readings: what the words of a query may mean, as tokens that an index has.

Each source of readings is one small function; which one a reading comes from is its stage. All readings of a
word are weighed alike by `findingmodel.search.rank`, so a source can be added without touching the others.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from findingmodel.search.thesaurus import forms, meanings_at, plain_words
from findingmodel.text.stem import american, stem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from findingmodel.search.thesaurus import Form
    from findingmodel.search.vocabulary import WordList
    from findingmodel.text.query import Word

__all__ = [
    "Reading",
    "STAGES",
    "abbreviated",
    "combined",
    "completed",
    "corrected",
    "decomposed",
    "joined",
    "meant",
    "split",
    "typed",
]

STAGES = ("words", "compound", "initials", "meaning", "technical", "prefix", "typo")

# How well each reading stands for the words as typed; of the last two that is the best case.
_JOINED = 0.95
_SPLIT = 0.9
_INITIALS = 0.85
_COMBINED = 0.8
_DECOMPOSED = 0.75
_COMPLETED = 0.85
_CORRECTED = 0.95

_ABBREVIATION = range(3, 7)
_SHORTEST_PART = 3
_SHORTEST_COMPOUND = 7
_MOST_COMPLETIONS = 24


class Reading(NamedTuple):
    """One way to read some words of a query.

    Attributes:
        places: the positions of the words in the query.
        tokens: what an entry has instead; each of them, if there are several.
        quality: how well they stand for the words, from 0 to 1.
        stage: one of `STAGES`.
    """

    places: tuple[int, ...]
    tokens: tuple[str, ...]
    quality: float
    stage: str


def typed(words: Sequence[Word]) -> Iterator[Reading]:
    """Yield the words as they are."""
    for place, word in enumerate(words):
        yield Reading((place,), (word.token,), 1.0, "words")


def joined(words: Sequence[Word]) -> Iterator[Reading]:
    """Yield neighbors written as one word: "pace maker", "acro-osteolysis"."""
    for place in range(len(words) - 1):
        one, other = words[place].text, words[place + 1].text
        if one.isalpha() and other.isalpha():
            yield Reading((place, place + 1), (stem(one + other),), _JOINED, "compound")


def abbreviated(words: Sequence[Word]) -> Iterator[Reading]:
    """Yield short words as the initials of a name: "AAA"."""
    for place, word in enumerate(words):
        if len(word.text) in _ABBREVIATION and word.text.isalpha() and (word.capitals or len(words) == 1):
            yield Reading((place,), (f"_{word.text}",), _INITIALS, "initials")


def meant(words: Sequence[Word]) -> Iterator[Reading]:
    """Yield other words for the same, from the tables of domain knowledge."""
    tokens = [word.token for word in words]
    for place, word in enumerate(words):
        for meaning, places in meanings_at(tokens, place):
            if meaning.capitals and not (word.capitals or len(words) == 1):
                continue
            for others, quality in meaning.others:
                yield Reading(places, others, quality, "meaning")


def combined(words: Sequence[Word]) -> Iterator[Reading]:
    """Yield technical words made of a body part and an observation: "big heart" makes "cardiomegaly"."""
    if len(words) < 2:
        return
    tokens = [word.token for word in words]
    observations = _standing(tokens, forms("observations"))
    parts = _standing(tokens, forms("parts")) if observations else []
    for observation, observed_at in observations:
        for part, part_at in parts:
            if set(part_at).isdisjoint(observed_at):
                for word in _compounds(part, observation):
                    yield Reading((*part_at, *observed_at), (stem(word),), _COMBINED, "technical")


def decomposed(words: Sequence[Word]) -> Iterator[Reading]:
    """Yield technical words in plain ones: "prostatomegaly" is an enlarged prostate."""
    for place, word in enumerate(words):
        if len(word.text) >= _SHORTEST_COMPOUND:
            for part, observation in plain_words(american(word.text)):
                yield Reading((place,), (*part, *observation), _DECOMPOSED, "technical")


def _standing(tokens: Sequence[str], known: Sequence[Form]) -> list[tuple[str, tuple[int, ...]]]:
    """Return the forms of the words that stand in *tokens*, and where."""
    found = []
    for form in known:
        if form.words[0] in tokens:
            first = tokens.index(form.words[0])
            if tuple(tokens[first : first + len(form.words)]) == form.words:
                found.append((form.form, tuple(range(first, first + len(form.words)))))
    return found


def _compounds(part: str, observation: str) -> tuple[str, ...]:
    """Return the words that the two forms make: "cardi" and "-megaly", "brady-" and "cardi"."""
    if observation.startswith("-"):
        return (part + observation[1:], f"{part}o{observation[1:]}")
    return (observation[:-1] + part, f"{observation[:-1]}{part}us", f"{observation[:-1]}{part}ia")


def split(place: int, word: Word, known: WordList) -> Iterator[Reading]:
    """Yield an unknown word as two known ones: "groundglass"."""
    text = american(word.text)
    for end in range(_SHORTEST_PART, len(text) - _SHORTEST_PART + 1):
        if text[:end] in known and text[end:] in known:
            yield Reading((place,), (stem(text[:end]), stem(text[end:])), _SPLIT, "compound")


def completed(place: int, word: Word, known: WordList) -> Iterator[Reading]:
    """Yield the words that an unfinished word may become: "pneum"."""
    prefix = american(word.text)
    for text in known.starting(prefix, _MOST_COMPLETIONS):
        if text != prefix:
            quality = _COMPLETED * (0.5 + 0.5 * len(prefix) / len(text))
            yield Reading((place,), (stem(text),), quality, "prefix")


def corrected(words: Sequence[Word], place: int, known: WordList) -> Iterator[Reading]:
    """Yield the known words nearest to a mistyped one, and what they mean; abbreviations are no typos of each
    other.
    """
    if words[place].capitals:
        return
    for text, distance in known.similar(american(words[place].text)):
        quality = _CORRECTED * (1 - distance / len(text))
        right = [*words[:place], words[place]._replace(text=text, token=stem(text)), *words[place + 1 :]]
        yield Reading((place,), (stem(text),), quality, "typo")
        for reading in meant(right):
            if place in reading.places:
                yield reading._replace(quality=quality * reading.quality, stage="typo")
