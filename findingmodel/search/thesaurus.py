"""meanings: other words for the same, from the tables in ``data``, for radiologists to read and extend."""

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
from findingmodel.text.terms import tells

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["Form", "Meaning", "forms", "meanings_at", "plain_words"]

_DATA = Path(__file__).with_name("data")
_TABLES = ("anatomy.txt", "findings.txt", "names.txt", "signs.txt", "abbreviations.txt", "imaging.txt")
_QUALITIES = {" = ": 0.9, " > ": 0.8, " ~ ": 0.5}
_OTHERS = re.compile(" [>~] .*")
_MOST_PLAIN = 4
_SHELF = 2  # letters: stems, plurals and spellings of one word agree in their first letters


class Meaning(NamedTuple):
    """One way to say some words differently.

    Attributes:
        words: stems, as they stand next to each other in a query.
        others: stems that say it too, each sequence with how well it does, from 0 to 1.
        capitals: these words mean it for sure only if typed in capitals, as in "DISH".
    """

    words: tuple[str, ...]
    others: tuple[tuple[tuple[str, ...], float], ...]
    capitals: bool


class Form(NamedTuple):
    """A part of technical words: "cardi", or "-megaly".

    Attributes:
        words: stems of the everyday word.
        form: the letters; a hyphen says where the other part is joined.
    """

    words: tuple[str, ...]
    form: str


def meanings_at(tokens: Sequence[str], position: int) -> Iterator[tuple[Meaning, tuple[int, ...]]]:
    """Yield the meanings of words that start at *position* of the stems *tokens*, and where those stand.

    The words of a phrase need not be in its order, nor quite together: "stone in the left kidney" is a kidney
    stone.

    >>> found = meanings_at(["stone", "left", "kidney"], 2)
    >>> [(meaning.words, places) for meaning, places in found if len(places) > 1][:1]
    [(('kidney', 'stone'), (2, 0))]
    """
    for meaning in _shelf(tokens[position][:_SHELF]).get(tokens[position], ()):
        places = _places(meaning.words, tokens, position)
        if places:
            yield meaning, places


def _places(words: Sequence[str], tokens: Sequence[str], position: int) -> tuple[int, ...]:
    """Return where *words* stand, the first at *position*, the others near it; () if one is missing."""
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
    """Return what "parts" of the body or "observations" are called inside technical words."""
    return tuple(_forms(dict(sections(_DATA / "combining.txt"))[title]))


@lru_cache(maxsize=2_048)
def plain_words(compound: str) -> tuple[tuple[tuple[str, ...], tuple[str, ...]], ...]:
    """Return the usual words for the body part and the observation that make a technical word, as stems.

    >>> plain_words("hepatomegaly")[0]
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
    return tuple(found.values())[:_MOST_PLAIN]


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
            yield from (Form(_telling(phrase), form) for form in technical.split(", "))


class _Line(NamedTuple):
    """One direction of one line of a table, as written."""

    said: str
    others: tuple[str, ...]
    quality: float


class _Library(NamedTuple):
    """The lines of all tables.

    Attributes:
        lines: as written.
        said: what each of them says, in small letters, in a line with a space before each word.
        ends: where each of these ends.
    """

    lines: list[str]
    said: str
    ends: list[int]


@cache
def _library() -> _Library:
    """Return the tables. Only the lines that a query needs are analysed: all take longer than a command."""
    every = [line for table in _TABLES for line in lines(_DATA / table)]
    said = _OTHERS.sub("", "\n ".join(["", *every])[1:]).lower().replace("/", " ") + "\n"
    return _Library(every, said, list(accumulate(map(len, said.splitlines(keepends=True)))))


def _lines_with(letters: str) -> Iterator[str]:
    """Yield each line that says something of a word that begins with *letters*, in American spelling."""
    every, said, ends = _library()
    numbers = set()
    for beginning in british(letters):
        at = said.find(f" {beginning}")
        while at >= 0:
            number = bisect(ends, at)
            numbers.add(number)
            at = said.find(f" {beginning}", ends[number])
    for number in sorted(numbers):
        yield every[number]


def _first_letters(said: str) -> str:
    """Return how the first word of *said* that tells anything begins; small words are their own stems."""
    words = said.lower().split()
    return _beginning(next(filter(tells, words), words[0]))


@cache
def _beginning(word: str) -> str:
    """Return the first letters of *word*; a third of the phrases begin with the words of others."""
    return american(word)[:_SHELF]


def _directions(line: str) -> Iterator[_Line]:
    if " = " in line:
        members = _phrases(line.replace(" = ", ", "))
        for said in members:
            yield _Line(said, tuple(other for other in members if other != said), _QUALITIES[" = "])
        return
    arrow = " ~ " if " ~ " in line else " > "
    left, _, right = line.partition(arrow)
    for said in _phrases(left):
        yield _Line(said, tuple(_phrases(right)), _QUALITIES[arrow])


def _phrases(text: str) -> list[str]:
    """Return the phrases of *text*, those with alternatives written out: "bad/sore leg" is two."""
    if "/" not in text:
        return text.split(", ")
    return [
        " ".join(words)
        for phrase in text.split(", ")
        for words in product(*(word.split("/") for word in phrase.split()))
    ]


@lru_cache(maxsize=2_048)
def _shelf(letters: str) -> dict[str, list[Meaning]]:
    """Return the meanings on one shelf, analysed, by their first word."""
    found: dict[str, list[Meaning]] = {}
    for line in _lines_with(letters):
        for said, others, quality in _directions(line):
            if _first_letters(said) == letters:
                stems = tuple((_telling(other), quality) for other in others)
                words = _telling(said)
                found.setdefault(words[0], []).append(Meaning(words, stems, said.isupper()))
    return found


def _telling(phrase: str) -> tuple[str, ...]:
    """Return the stems of *phrase* without the words that a query would be freed from as well."""
    stems = analyze(phrase)
    return tuple(list(filter(tells, stems)) or stems)
