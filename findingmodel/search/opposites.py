"""Opposites: labels that are spelled alike and yet of different findings."""

from __future__ import annotations

from functools import cache, lru_cache
from itertools import permutations
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.text.normalize import tokenize
from findingmodel.text.stem import american, stem
from findingmodel.text.tables import sections
from findingmodel.text.terms import SMALL_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

_TABLE = Path(__file__).with_name("data") / "labels" / "opposites.txt"
_MOST_WORDS = 2  # that may differ; with more, two labels are not alike

Groups = tuple[tuple[str, ...], ...]


class _Opposites(NamedTuple):
    prefixes: Groups
    suffixes: Groups
    parts: Groups
    words: tuple[frozenset[str], ...]  # stems


@cache
def _opposites() -> _Opposites:
    groups = {title: tuple(tuple(line.split()) for line in body) for title, body in sections(_TABLE)}
    words = tuple(frozenset(map(stem, group)) for group in groups.pop("words"))
    return _Opposites(**groups, words=words)


def are_opposed(one: str, other: str) -> bool:
    """Return whether two labels are equal but for words that tell findings apart.

    >>> are_opposed("colonic diverticulitis", "Colonic diverticulosis")
    True
    >>> are_opposed("solitary lung nodule", "multiple lung nodules")
    True
    >>> are_opposed("lung nodule", "lung nodules"), are_opposed("lung nodule", "pulmonary nodule")
    (False, False)
    """
    mine, others = _words(one), _words(other)
    left = [word for key, word in mine.items() if key not in others]
    right = [word for key, word in others.items() if key not in mine]
    if not 0 < len(left) == len(right) <= _MOST_WORDS:
        return False
    return any(
        all(_tell_apart(first, second) for first, second in zip(left, order, strict=True))
        for order in permutations(right)
    )


def _words(label: str) -> dict[str, str]:
    """Return the words of *label* that count, by stem."""
    return {stem(word): word for word in map(american, tokenize(label)) if word not in SMALL_WORDS}


@lru_cache(maxsize=4_096)
def _tell_apart(one: str, other: str) -> bool:
    """Return whether two words are of different findings: opposites, or alike with different parts."""
    table = _opposites()
    if any({stem(one), stem(other)} <= group for group in table.words):
        return True
    if any(_are_swapped(one, other, group) for group in table.parts):
        return True
    cuts, others = _cuts(one), _cuts(other)
    return any(cuts[root] != others[root] for root in cuts.keys() & others.keys())


def _are_swapped(one: str, other: str, group: Sequence[str]) -> bool:
    """Return whether *one* becomes *other* if one part of *group* is replaced by another."""
    return any(one.replace(part, new, 1) == other for part, new in permutations(group, 2) if part in one)


def _cuts(word: str) -> dict[tuple[int, int, str], tuple[str, str]]:
    """Return the ways to take a prefix and a suffix off: their groups and the rest -> the two themselves."""
    table = _opposites()
    prefixes = [(-1, ""), *_found(table.prefixes, word.startswith)]
    suffixes = [(-1, ""), *_found(table.suffixes, word.endswith)]
    return {
        (before, after, word[len(prefix) : len(word) - len(suffix)]): (prefix, suffix)
        for before, prefix in prefixes
        for after, suffix in suffixes
        if len(prefix) + len(suffix) <= len(word)
    }


def _found(groups: Groups, has: Callable[[str], bool]) -> Iterator[tuple[int, str]]:
    return ((number, part) for number, group in enumerate(groups) for part in group if has(part))
