"""Stems: all spellings and inflections of a word become one token."""

from __future__ import annotations

import re
from functools import cache, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import Stemmer

from findingmodel.text.normalize import tokenize
from findingmodel.text.tables import lines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_DATA = Path(__file__).with_name("data")
_SHORTEST_RESPELLED = 5
_SHORTEST_ENDED = 6
_snowball = Stemmer.Stemmer("english", 0)


def analyze(text: str) -> list[str]:
    """Return the stems of the words of *text*, in order.

    >>> analyze("Pulmonary nodules")
    ['pulmonari', 'nodul']
    """
    return list(map(stem, tokenize(text)))


@lru_cache(maxsize=65_536)
def stem(token: str) -> str:
    """Return the token shared by a folded word, its inflections and its spelling variants.

    The steps: American spelling, singular (``data/*.txt``), English Snowball stem (snowballstem.org).

    >>> stem("nodules"), stem("tumour"), stem("bronchi") == stem("bronchus")
    ('nodul', 'tumor', True)
    """
    word = _one_form(token)
    if word.endswith("sis"):
        return word[:-2]  # Snowball gives "stenosi" for the singular and "stenos" for the plural
    result: str = _snowball.stemWord(word)
    return result


def american(word: str) -> str:
    """Return the American spelling of a folded word.

    >>> american("haemorrhage"), american("oesophageal"), american("goitre"), american("sclerosed")
    ('hemorrhage', 'esophageal', 'goiter', 'sclerosed')
    """
    if len(word) < _SHORTEST_RESPELLED:
        return word
    spelling = _spelling()
    if spelling.some.search(word):  # one search instead of forty
        for part, american_part in spelling.anywhere:
            word = word.replace(part, american_part)
    for part, american_part in spelling.starts:
        if word.startswith(part):
            word = american_part + word[len(part) :]
    return spelling.ends.replace(word)


def british(letters: str) -> set[str]:
    """Return the possible beginnings of words whose American spelling begins with *letters*.

    >>> sorted(british("es"))
    ['aes', 'es', 'oes', 'ooes']
    """
    found = {letters}
    spelling = _spelling()
    for place in range(len(letters)):
        rest = letters[place:]
        for part, american_part in (*spelling.anywhere, *spelling.starts):
            if not part.startswith(rest) and (
                rest.startswith(american_part) or american_part.startswith(rest)
            ):
                found.add(letters[:place] + part + rest[len(american_part) :])
    return found


class _Endings(NamedTuple):
    """Replacements of word endings by their last two letters, the longest ending first."""

    by_tail: dict[str, list[tuple[str, str]]]

    def replace(self, word: str) -> str:
        """Return *word* with its longest known ending replaced."""
        for ending, form in self.by_tail.get(word[-2:], ()):
            if word.endswith(ending):
                return word[: -len(ending)] + form
        return word


class _Spelling(NamedTuple):
    some: re.Pattern[str]
    anywhere: list[tuple[str, str]]
    starts: list[tuple[str, str]]
    ends: _Endings


def _one_form(token: str) -> str:
    """Return the canonical form of *token* by ``words.txt`` and ``endings.txt``, in American spelling."""
    words = _words()
    if token in words:
        return words[token]
    word = american(_endings().replace(token) if len(token) >= _SHORTEST_ENDED else token)
    return words.get(word, word)


def _rules(name: str) -> Iterator[tuple[str, str]]:
    """Yield the two sides of each rule in a file of ``data``."""
    for line in lines(_DATA / name):
        left, _, right = line.partition(" -> ")
        yield left, right


@cache
def _spelling() -> _Spelling:
    rules = list(_rules("spelling.txt"))
    starts = [(left[:-1], right[:-1]) for left, right in rules if left.endswith("-")]
    anywhere = [(left, right) for left, right in rules if "-" not in left]
    ends = _endings_of((left[1:], right[1:]) for left, right in rules if left.startswith("-"))
    return _Spelling(re.compile("|".join(part for part, _ in anywhere)), anywhere, starts, ends)


@cache
def _words() -> dict[str, str]:
    return dict(_rules("words.txt"))


@cache
def _endings() -> _Endings:
    return _endings_of(_rules("endings.txt"))


def _endings_of(rules: Iterable[tuple[str, str]]) -> _Endings:
    by_tail: dict[str, list[tuple[str, str]]] = {}
    for ending, form in sorted(dict(rules).items(), key=lambda rule: -len(rule[0])):
        by_tail.setdefault(ending[-2:], []).append((ending, form))
    return _Endings(by_tail)
