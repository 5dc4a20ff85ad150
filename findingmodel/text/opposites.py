"""Opposites and grades: words that must not be taken for one another: "hyper-" and "hypo-", "II" and
"III"."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.stem import stem
from findingmodel.text.tables import sections

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_TABLE = Path(__file__).with_name("data") / "opposites.txt"
_SHORTEST_REST = 3  # letters left of a word without its prefix
_LEVEL = re.compile(r"([ctls])(\d{1,2})")  # a vertebra
_LETTERED = re.compile(r"(\d{1,2})?([a-f])?")  # "2", "2b", "b"
_ENDED = "xxx"  # a word to find out what the stem of an ending is


class _Opposites(NamedTuple):
    """The table, as stems."""

    words: dict[str, frozenset[str]]
    prefixes: tuple[tuple[str, ...], ...]
    negations: tuple[str, ...]
    suffixes: tuple[tuple[str, ...], ...]
    grades: frozenset[str]
    numerals: dict[str, str]


@lru_cache(maxsize=16_384)
def opposites(token: str) -> frozenset[str]:
    """Return stems that mean the opposite of the stem *token*; not all of them are words.

    >>> "hypointens" in opposites("hyperintens"), "left" in opposites("right"), opposites("nodul") == set()
    (True, True, False)
    """
    table = _table()
    found = set(table.words.get(token, ()))
    found.update(_with_other_prefix(token, table.prefixes))
    found.update(_with_other_suffix(token, table.suffixes))
    for negation in table.negations:
        found.add(negation + token)
        if token.startswith(negation) and len(token) >= len(negation) + _SHORTEST_REST:
            found.add(token[len(negation) :])
    found.discard(token)
    return frozenset(found)


def are_opposites(one: str, other: str) -> bool:
    """Return whether the stems *one* and *other* must not be taken for each other.

    >>> are_opposites("hyperintens", "hypointens"), are_opposites("urethra", "urethr")
    (True, False)
    """
    return other in opposites(one) or one in opposites(other)


@lru_cache(maxsize=16_384)
def grades(text: str) -> frozenset[tuple[str, str]]:
    """Return the grades and levels that a label, stems joined by spaces, names: pairs of kind and value.

    >>> sorted(grades("type ii fractur")), sorted(grades("compress fractur of t12"))
    ([('type', '2')], [('level', 't12')])
    """
    return frozenset(_grades(text.split()))


def contradicts(asked: frozenset[str], label: frozenset[str]) -> bool:
    """Return whether a set of stems has an opposite of what is *asked* and does not have the word itself."""
    return any(
        not label.isdisjoint(opposites(token)) and asked.isdisjoint(opposites(token))
        for token in asked - label
    )


def differ_in_grade(asked: Iterable[tuple[str, str]], label: frozenset[tuple[str, str]]) -> bool:
    """Return whether both name a grade or level of the same kind, and not the same one."""
    if not label:
        return False
    held: dict[str, set[str]] = {}
    for kind, value in label:
        held.setdefault(kind, set()).add(value)
    wanted: dict[str, set[str]] = {}
    for kind, value in asked:
        wanted.setdefault(kind, set()).add(value)
    return any(values.isdisjoint(held[kind]) for kind, values in wanted.items() if kind in held)


def _grades(tokens: Sequence[str]) -> Iterator[tuple[str, str]]:
    table = _table()
    for before, token in zip(["", *tokens], tokens, strict=False):
        level = _LEVEL.fullmatch(token)
        if level:
            yield "level", f"{level[1]}{int(level[2])}"
        elif before in table.grades and (value := _value(token, table.numerals)):
            yield before, value


def _value(token: str, numerals: dict[str, str]) -> str:
    """Return the grade that *token* is, in Arabic numerals; "" if it is none."""
    if token in numerals:
        return numerals[token]
    return token if _LETTERED.fullmatch(token) else ""


def same_grade(token: str) -> tuple[str, ...]:
    """Return the other ways to write the numeral *token*; () if it is none.

    >>> same_grade("2"), same_grade("iv"), same_grade("nodul")
    (('ii',), ('4',), ())
    """
    numerals = _table().numerals
    if token in numerals:
        return (numerals[token],)
    return tuple(roman for roman, arabic in numerals.items() if arabic == token)


def is_grade_word(token: str) -> bool:
    """Return whether a numeral after the stem *token* is a grade, as in "type 2"."""
    return token in _table().grades


def _with_other_prefix(token: str, sets: Sequence[Sequence[str]]) -> Iterator[str]:
    for prefixes in sets:
        for prefix in prefixes:
            if token.startswith(prefix) and len(token) >= len(prefix) + _SHORTEST_REST:
                rest = token[len(prefix) :]
                yield from (other + rest for other in prefixes if other != prefix)


def _with_other_suffix(token: str, sets: Sequence[Sequence[str]]) -> Iterator[str]:
    for suffixes in sets:
        for suffix in suffixes:
            ending = _stem_of_ending(suffix)
            if token.endswith(ending) and len(token) >= len(ending) + _SHORTEST_REST:
                rest = token[: -len(ending)]
                yield from (stem(rest + other) for other in suffixes if other != suffix)


@cache
def _stem_of_ending(suffix: str) -> str:
    """Return the letters that the stem of a word with this *suffix* ends in."""
    return stem(_ENDED + suffix)[len(_ENDED) :]


@cache
def _table() -> _Opposites:
    read = dict(sections(_TABLE))
    words: dict[str, set[str]] = {}
    for line in _sets(read["words"]):
        stems = {stem(word) for word in line}
        for word in stems:
            words.setdefault(word, set()).update(stems - {word})
    numerals = " ".join(read["numerals"]).split()
    return _Opposites(
        {word: frozenset(others) for word, others in words.items()},
        tuple(_sets(read["prefixes"])),
        tuple(" ".join(read["negations"]).split()),
        tuple(_sets(read["suffixes"])),
        frozenset(stem(word) for word in " ".join(read["grades"]).split()),
        {roman: str(number) for number, roman in enumerate(numerals, 1)},
    )


def _sets(lines: Iterable[str]) -> Iterator[tuple[str, ...]]:
    yield from (tuple(line.split(", ")) for line in lines)
