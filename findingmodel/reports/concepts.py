"""Concepts: all words for one thing have one number, in labels of models and in reports alike.

A term of several words may be one concept ("lymph node"), and one word may stand for several ("gallstone" is
a stone of the gallbladder). ``data/words.txt`` and the tables of the search say what belongs together.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.reports.document import DATA, roots
from findingmodel.search import thesaurus
from findingmodel.text.tables import lines, sections
from findingmodel.text.terms import is_informative

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

SEARCH_TABLES = Path(thesaurus.__file__).with_name("data")
_UNLIKE = "unlike"
_MOST_WORDS_OUT = 4  # of a meaning that an abbreviation is written out as
_LEVEL = re.compile(r"([ctls])(\d{1,2})")
_SPINES = {"c": "cervical spine", "t": "thoracic spine", "l": "lumbar spine", "s": "sacrum"}
_WEIGHTED = ("t1", "t2")  # sequences of magnetic resonance, or vertebrae
_SIGNAL = (
    "flair",
    "hyper",
    "hypo",
    "iso",
    "weight",
    "signal",
    "bright",
    "dark",
    "intens",
    "prolong",
    "shorten",
    "imag",
)
_NOT_SHORT = frozenset(
    ("mr", "ct", "us", "pet", "ap", "as", "is", "or", "on", "met", "es", "pi", "cd", "ps", "ta")
)

Phrase = tuple[str, ...]


class Term(NamedTuple):
    """A term in a text.

    Attributes:
        start, end: the positions of its words.
        concepts: what it stands for.
    """

    start: int
    end: int
    concepts: tuple[int, ...]


class Concepts:
    """The concepts of the tables, and of every other word that is asked for.

    >>> concepts = Concepts()
    >>> concepts.of("pulmonary embolism") == concepts.of("emboli of the lung")
    True
    """

    def __init__(self) -> None:
        self._numbers: dict[Phrase, int] = {}
        self._names: list[str] = []
        self._terms: dict[str, list[tuple[Phrase, tuple[int, ...], bool]]] = {}
        self._single: dict[str, int] = {}
        self._direct: dict[str, tuple[int, ...]] = {}
        self._is_frozen = False
        table = _tables()
        for phrases, is_capital in table.same:
            number = self._make(" ".join(phrases[0]))
            for phrase in phrases:
                self._add(phrase, (number,), is_capital)
        for phrase, meaning, is_capital in table.written_out:
            self._add(phrase, tuple(dict.fromkeys(self.of_stems(meaning, without=phrase))), is_capital)
        for stem, terms in self._terms.items():
            if len(terms) == 1 and len(terms[0][0]) == 1 and not terms[0][2]:
                self._direct[stem] = terms[0][1]  # most words begin no longer term, and need no comparison

    def __len__(self) -> int:
        return len(self._names)

    def freeze(self) -> None:
        """Give no numbers to new words from now on: reports have any number of them."""
        self._is_frozen = True

    def knows(self, stem: str) -> bool:
        """Return whether a word with this stem is in a table or a label."""
        return stem in self._single or stem in self._terms

    def name(self, concept: int) -> str:
        """Return the stems of the first term of *concept*."""
        return self._names[concept]

    def of(self, text: str) -> tuple[int, ...]:
        """Return the distinct concepts of *text*, sorted."""
        return tuple(sorted(set(self.of_stems(tuple(roots(text))))))

    def of_stems(self, stems: Sequence[str], *, without: Phrase = ()) -> list[int]:
        """Return the concepts of *stems* in order, without those of small words."""
        return [
            concept
            for term in self.terms(stems, without=without)
            for concept in term.concepts
            if term.end - term.start > 1 or is_informative(stems[term.start]) or len(stems) == 1
        ]

    def terms(
        self, stems: Sequence[str], capitals: Sequence[bool] = (), *, without: Phrase = ()
    ) -> list[Term]:
        """Return the terms of *stems* from left to right, the longest at each position.

        Args:
            stems: the stems of a text.
            capitals: whether each of its words is in capitals; abbreviations count without it.
            without: a term that is not recognized.
        """
        found: list[Term] = []
        concepts: tuple[int, ...]
        position = 0
        length = len(stems)
        terms, single, direct = self._terms, self._single, self._direct
        while position < length:
            stem = stems[position]
            if stem in direct and not without:
                found.append(Term(position, position + 1, direct[stem]))
                position += 1
                continue
            for phrase, concepts, is_capital in terms.get(stem, ()):
                end = position + len(phrase)
                if (
                    (end == position + 1 or tuple(stems[position:end]) == phrase)
                    and phrase != without
                    and (not is_capital or not capitals or capitals[position])
                ):
                    found.append(Term(position, end, concepts))
                    position = end
                    break
            else:
                number = single.get(stem)
                if stem in _WEIGHTED and _is_signal(stems[position + 1 : position + 3]):
                    concepts = self._concepts_of(stem + " signal")
                else:
                    concepts = self._concepts_of(stem) if number is None else (number,)
                found.append(Term(position, position + 1, concepts))
                position += 1
        return found

    def phrases(self) -> Iterator[tuple[Phrase, int]]:
        """Yield each phrase of several words that is one concept."""
        for terms in self._terms.values():
            for phrase, concepts, _ in terms:
                if len(phrase) > 1 and len(concepts) == 1:
                    yield phrase, concepts[0]

    def _concepts_of(self, stem: str) -> tuple[int, ...]:
        """Return the concepts of a word that is not a term: those of a spinal level, or one of its own."""
        level = _LEVEL.fullmatch(stem)
        if level:
            return (*self.of("vertebra"), *self.of(_SPINES[level[1]]))
        if stem not in self._single and self._is_frozen:
            return ()
        return (self._number(stem),)

    def _number(self, stem: str) -> int:
        number = self._single.get(stem)
        if number is None:
            number = self._single[stem] = self._make(stem)
        return number

    def _make(self, name: str) -> int:
        self._names.append(name)
        return len(self._names) - 1

    def _add(self, phrase: Phrase, concepts: tuple[int, ...], is_capital: bool) -> None:
        """Add a term; the first meaning of a phrase counts."""
        known = self._terms.setdefault(phrase[0], [])
        if all(phrase != other for other, *_ in known):
            known.append((phrase, concepts, is_capital))
            known.sort(key=lambda term: -len(term[0]))


def _is_signal(following: Sequence[str]) -> bool:
    return any(stem.startswith(_SIGNAL) for stem in following)


class _Tables(NamedTuple):
    same: list[tuple[list[Phrase], bool]]
    written_out: list[tuple[Phrase, Phrase, bool]]


@cache
def _tables() -> _Tables:
    """Return the classes of equal phrases, and the phrases that are written out, of all tables."""
    own, unlike = _own_words()[""], set(_own_words()[_UNLIKE])
    classes = _Classes()
    written_out: dict[Phrase, tuple[Phrase, bool]] = {}
    for line in [*own, *_whole_terms()]:
        if " = " in line:
            phrases = [_phrase(part) for part in line.split(" = ")]
            if phrases[0] not in written_out:
                classes.join(phrases)
        elif " > " in line:
            short, _, meaning = line.partition(" > ")
            written_out[_phrase(short)] = (_phrase(meaning), short.isupper())
    for name in ("anatomy.txt", "findings.txt", "names.txt"):
        for line in lines(SEARCH_TABLES / name):
            members = line.split(" = ")
            if len(members) > 1 and members[0] not in unlike and "/" not in line:
                _use(
                    classes, written_out, [_phrase(part) for part in members], is_place=name == "anatomy.txt"
                )
    capitals = _abbreviations(written_out)
    same = [(group, False) for group in classes.groups()]
    return _Tables(same, [(short, *rest) for short, rest in {**capitals, **written_out}.items()])


def _use(
    classes: _Classes,
    written_out: dict[Phrase, tuple[Phrase, bool]],
    members: list[Phrase],
    *,
    is_place: bool,
) -> None:
    longer = [member for member in members if len(member) > 1]
    if is_place or not longer or len(longer) == len(members):
        classes.join([member for member in members if member not in written_out])
        return
    meaning = min(longer, key=len)
    for member in members:
        if member != meaning and member not in written_out and not classes.has(member):
            written_out[member] = (meaning, False)


def _abbreviations(known: dict[Phrase, tuple[Phrase, bool]]) -> dict[Phrase, tuple[Phrase, bool]]:
    """Return the first meaning of each abbreviation in capitals."""
    found: dict[Phrase, tuple[Phrase, bool]] = {}
    for line in lines(SEARCH_TABLES / "abbreviations.txt"):
        short, arrow, meanings = line.partition(" > ")
        phrase = _phrase(short)
        if (
            arrow
            and phrase not in known
            and short.lower() not in _NOT_SHORT
            and len(_phrase(meanings.split(", ")[0])) <= _MOST_WORDS_OUT
        ):
            found[phrase] = (_phrase(meanings.split(", ")[0]), short.isupper())
    return found


@cache
def _own_words() -> dict[str, list[str]]:
    """Return the lines of ``words.txt`` by section; "" is the first."""
    found: dict[str, list[str]] = {"": []}
    title = ""
    for line in lines(DATA / "words.txt"):
        if line.startswith("["):
            title = line[1:-1]
            found[title] = []
        else:
            found[title].append(line)
    return found


def related() -> dict[str, list[str]]:
    """Return what a term of a report may be called in an index."""
    pairs = (line.split(" ~ ") for line in _own_words()["related"])
    return {left: right.split(", ") for left, right in pairs}


def generic_places() -> list[str]:
    """Return parts that many organs have."""
    return _own_words()["generic"]


def light_words() -> list[str]:
    """Return words of labels that a report may leave out."""
    return _own_words()["light"]


def _whole_terms() -> Iterator[str]:
    """Yield a line for each place and each observation of several words, which is one concept."""
    for title, body in sections(DATA / "observations.txt"):
        if title != "endings":
            for term in " ".join(body).split(","):
                if " " in term.strip():
                    yield f"{term.strip()} = {term.strip()}"
    for _, body in sections(DATA / "places.txt"):
        for line in body:
            whole, _, parts = line.partition(" < ")
            for place in (whole, *parts.split(", ")):
                if " " in place:
                    yield f"{place} = {place}"


@cache
def _phrase(text: str) -> Phrase:
    return tuple(roots(text.strip()))


class _Classes:
    """Classes of equal phrases (union-find)."""

    def __init__(self) -> None:
        self._parents: dict[Phrase, Phrase] = {}

    def has(self, phrase: Phrase) -> bool:
        return phrase in self._parents

    def join(self, phrases: Iterable[Phrase]) -> None:
        first: Phrase | None = None
        for phrase in phrases:
            root = self._root(phrase)
            if first is None:
                first = root
            elif root != first:
                self._parents[root] = first

    def groups(self) -> list[list[Phrase]]:
        found: dict[Phrase, list[Phrase]] = {}
        for phrase in self._parents:
            found.setdefault(self._root(phrase), []).append(phrase)
        return list(found.values())

    def _root(self, phrase: Phrase) -> Phrase:
        self._parents.setdefault(phrase, phrase)
        while self._parents[phrase] != phrase:
            phrase = self._parents[phrase]
        return phrase
