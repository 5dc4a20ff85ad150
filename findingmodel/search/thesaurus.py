"""Find other words for the same thing in the tables of ``data``, which radiologists read and extend."""

from __future__ import annotations

import re
from bisect import bisect
from functools import cache, lru_cache
from itertools import accumulate, product
from operator import itemgetter
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.stem import american, analyze, british
from findingmodel.text.tables import lines, sections
from findingmodel.text.terms import is_informative

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_DATA = Path(__file__).with_name("data")
_TABLES = ("anatomy.txt", "findings.txt", "names.txt", "signs.txt", "abbreviations.txt", "imaging.txt")
_QUALITIES = {" = ": 0.9, " > ": 0.8, " ~ ": 0.5}
_OTHERS = re.compile(" [>~] .*")
_MAX_DECOMPOSITIONS = 4
_FIRST_LETTERS = 2  # stems, plurals and spellings of one word agree in these


class Meaning(NamedTuple):
    """What some words of a query also mean.

    Attributes:
        words: stems that stand near each other in a query.
        others: sequences of stems with the same meaning, each with a quality from 0 to 1.
        capitals: the words have this meaning only if typed in capitals, as in "DISH".
    """

    words: tuple[str, ...]
    others: tuple[tuple[tuple[str, ...], float], ...]
    capitals: bool


class Form(NamedTuple):
    """A part of technical words, such as "cardi" or "-megaly".

    Attributes:
        words: stems of the everyday word.
        form: the letters; a hyphen marks where the other part is joined.
    """

    words: tuple[str, ...]
    form: str


def meanings_at(tokens: Sequence[str], position: int) -> Iterator[tuple[Meaning, tuple[int, ...]]]:
    """Yield the meanings of words that start at *position* of the stems *tokens*, and the words' places.

    The words of a phrase may stand in another order, and near each other: "stone in the left kidney" is a
    kidney stone.

    >>> found = meanings_at(["stone", "left", "kidney"], 2)
    >>> [(meaning.words, places) for meaning, places in found if len(places) > 1][:1]
    [(('kidney', 'stone'), (2, 0))]
    """
    for meaning in _meanings(tokens[position][:_FIRST_LETTERS]).get(tokens[position], ()):
        places = _places(meaning.words, tokens, position)
        if places:
            yield meaning, places


def _places(words: Sequence[str], tokens: Sequence[str], position: int) -> tuple[int, ...]:
    """Return the places of *words*, the first at *position*, the others near it; () if one is missing."""
    places = [position]
    near = range(max(position - len(words), 0), min(position + len(words) + 1, len(tokens)))
    for word in words[1:]:
        place = next((place for place in near if tokens[place] == word and place not in places), None)
        if place is None:
            return ()
        places.append(place)
    return tuple(places)


@cache
def forms(title: str) -> tuple[Form, ...]:
    """Return the forms of "parts" of the body, or of "observations", inside technical words."""
    return tuple(_forms(dict(sections(_DATA / "combining.txt"))[title]))


@lru_cache(maxsize=2_048)
def decompose(compound: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return the everyday words for the body part and the observation in a technical word, as stems.

    >>> decompose("hepatomegaly")[0]
    (('liver',), ('enlarg',))
    """
    endings, parts = _by_form("observations"), _by_form("parts")
    cuts = [
        (number, observation, part)
        for cut in range(1, len(compound))
        for number, observation in endings.get(f"-{compound[cut:]}", ())
        for _, part in parts.get(compound[:cut], ())
    ]
    found: dict[Form, tuple[tuple[str, ...], tuple[str, ...]]] = {}
    for _, observation, part in sorted(cuts, key=itemgetter(0)):
        found.setdefault(part, (part.words, observation.words))
    return tuple(found.values())[:_MAX_DECOMPOSITIONS]


@cache
def _by_form(title: str) -> dict[str, list[tuple[int, Form]]]:
    """Return the forms of *title* by their letters, each with its place in the table."""
    found: dict[str, list[tuple[int, Form]]] = {}
    for number, form in enumerate(forms(title)):
        found.setdefault(form.form, []).append((number, form))
    return found


def _forms(body: Sequence[str]) -> Iterator[Form]:
    for line in body:
        everyday, _, technical = line.partition(" > ")
        for phrase in everyday.split(", "):
            yield from (Form(_significant_stems(phrase), form) for form in technical.split(", "))


class _Rule(NamedTuple):
    """One direction of one line of a table: a phrase and other phrases for it."""

    phrase: str
    others: tuple[str, ...]
    quality: float


class _Tables(NamedTuple):
    """The lines of all tables.

    Attributes:
        lines: as written.
        phrases: the phrases that have a meaning, in small letters, a line for each of *lines*, with a space
            before each word.
        ends: the end of each of these lines.
    """

    lines: list[str]
    phrases: str
    ends: list[int]


@cache
def _tables() -> _Tables:
    """Return the tables. Lines are analysed when they are needed: all together take longer than a command."""
    every = [line for table in _TABLES for line in lines(_DATA / table)]
    phrases = _OTHERS.sub("", "\n ".join(["", *every])[1:]).lower().replace("/", " ") + "\n"
    return _Tables(every, phrases, list(accumulate(map(len, phrases.splitlines(keepends=True)))))


def _lines_with(letters: str) -> Iterator[str]:
    """Yield each line with a phrase that has a word beginning with *letters*, in American spelling."""
    every, phrases, ends = _tables()
    numbers = set()
    for beginning in british(letters):
        at = phrases.find(f" {beginning}")
        while at >= 0:
            number = bisect(ends, at)
            numbers.add(number)
            at = phrases.find(f" {beginning}", ends[number])
    for number in sorted(numbers):
        yield every[number]


def _first_letters(phrase: str) -> str:
    """Return the first letters of the first significant word of *phrase*; small words are their own stems."""
    words = phrase.lower().split()
    return _american_start(next(filter(is_informative, words), words[0]))


@cache
def _american_start(word: str) -> str:
    """Return the first letters of *word*; cached, because many phrases begin with the same words."""
    return american(word)[:_FIRST_LETTERS]


def _rules(line: str) -> Iterator[_Rule]:
    if " = " in line:
        members = _phrases(line.replace(" = ", ", "))
        for phrase in members:
            yield _Rule(phrase, tuple(other for other in members if other != phrase), _QUALITIES[" = "])
        return
    arrow = " ~ " if " ~ " in line else " > "
    left, _, right = line.partition(arrow)
    for phrase in _phrases(left):
        yield _Rule(phrase, tuple(_phrases(right)), _QUALITIES[arrow])


def _phrases(text: str) -> list[str]:
    """Return the phrases of *text*, with alternatives written out: "bad/sore leg" is two."""
    if "/" not in text:
        return text.split(", ")
    return [
        " ".join(words)
        for phrase in text.split(", ")
        for words in product(*(word.split("/") for word in phrase.split()))
    ]


@lru_cache(maxsize=2_048)
def _meanings(letters: str) -> dict[str, list[Meaning]]:
    """Return the meanings whose first word begins with *letters*, by this word."""
    found: dict[str, list[Meaning]] = {}
    for line in _lines_with(letters):
        for phrase, others, quality in _rules(line):
            if _first_letters(phrase) == letters:
                stems = tuple((_significant_stems(other), quality) for other in others)
                words = _significant_stems(phrase)
                found.setdefault(words[0], []).append(Meaning(words, stems, phrase.isupper()))
    return found


def _significant_stems(phrase: str) -> tuple[str, ...]:
    """Return the stems of *phrase* without small words, which a query ignores as well."""
    stems = analyze(phrase)
    return tuple(list(filter(is_informative, stems)) or stems)
