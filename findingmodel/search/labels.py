"""Labels of models side by side: which are equal in all but form, and which may be a typo of each other.

Nothing is compared with everything. Labels with the same words share a block, whatever the order of the
words; so do labels with all words but one in common, if those two begin alike, and single words that begin or
end alike.
"""

from __future__ import annotations

from collections import defaultdict
from itertools import chain, combinations
from typing import TYPE_CHECKING, NamedTuple

from rapidfuzz.distance import OSA

from findingmodel.text.normalize import tokenize
from findingmodel.text.stem import american, stem
from findingmodel.text.terms import SMALL_WORDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

__all__ = ["Label", "alike", "labels_of"]

_MOST_HOLDERS = 25
"""What more models than this share says nothing about two of them."""

_MOST_WORDS = 1_500
"""Blocks with more different words are not searched for typos."""

_SHORTEST_TYPO, _LONG = 5, 10
_OPPOSED = (
    ("hyper", "hypo"),
    ("intra", "inter", "extra", "infra", "supra"),
    ("ante", "anti", "retro"),
    ("macro", "micro"),
    ("pre", "post", "peri", "para"),
    ("endo", "exo", "epi"),
    ("brady", "tachy"),
    ("ab", "ad"),
    ("mono", "poly", "oligo"),
)


class Label(NamedTuple):
    """A name or a synonym of one model.

    Attributes:
        model: the model's id.
        is_name: whether it is the name.
        text: as written.
        words: the stems of its words, sorted, without small words.
        joined: its letters and digits alone.
    """

    model: str
    is_name: bool
    text: str
    words: tuple[str, ...]
    joined: str


def labels_of(oifm_id: str, name: str, synonyms: Sequence[str]) -> list[Label]:
    """Return the labels of one model that say different things; the name is the first."""
    found: dict[tuple[str, ...], Label] = {}
    for place, text in enumerate((name, *synonyms)):
        tokens = [american(token) for token in tokenize(text)]
        words = tuple(sorted(stem(token) for token in tokens if token not in SMALL_WORDS)) or tuple(tokens)
        if words:
            found.setdefault(words, Label(oifm_id, place == 0, text, words, "".join(tokens)))
    return list(found.values())


def alike(labels: Iterable[Label]) -> Iterator[tuple[Label, Label, bool]]:
    """Yield each two labels of different models that are alike, once, and whether only their form differs."""
    every = list(labels)
    seen: set[tuple[int, int]] = set()
    for one, other, exact in chain(_equal(every), _similar(every)):
        key = (id(one), id(other)) if one.model < other.model else (id(other), id(one))
        if one.model != other.model and key not in seen:
            seen.add(key)
            yield one, other, exact


def _equal(labels: Sequence[Label]) -> Iterator[tuple[Label, Label, bool]]:
    blocks: defaultdict[object, list[Label]] = defaultdict(list)
    for label in labels:
        blocks[label.words].append(label)
        blocks[label.joined].append(label)
    for block in blocks.values():
        if 1 < len(block) <= _MOST_HOLDERS:
            yield from ((one, other, True) for one, other in combinations(block, 2))


def _similar(labels: Sequence[Label]) -> Iterator[tuple[Label, Label, bool]]:
    blocks: defaultdict[object, dict[str, list[Label]]] = defaultdict(dict)
    for label in labels:
        for key, word in _places(label.words):
            blocks[key].setdefault(word, []).append(label)
    for block in blocks.values():
        if 1 < len(block) <= _MOST_WORDS:
            for one, other in combinations(sorted(block), 2):
                if _may_be_typo(one, other):
                    yield from (
                        (a, b, False)
                        for a in block[one][:_MOST_HOLDERS]
                        for b in block[other][:_MOST_HOLDERS]
                    )


def _places(words: tuple[str, ...]) -> Iterator[tuple[object, str]]:
    """Yield each word that may have a typo in it, with what it is looked for by."""
    for place, word in enumerate(words):
        if len(word) >= _SHORTEST_TYPO and word.isalpha():
            rest = words[:place] + words[place + 1 :]
            yield (rest, word[:3]), word
            if not rest:
                yield (rest, "", word[-4:]), word


def _may_be_typo(one: str, other: str) -> bool:
    most = 2 if min(len(one), len(other)) >= _LONG else 1
    if abs(len(one) - len(other)) > most or OSA.distance(one, other, score_cutoff=most) > most:
        return False
    return not any(_opposed(one, other, prefixes) for prefixes in _OPPOSED)


def _opposed(one: str, other: str, prefixes: Sequence[str]) -> bool:
    """Return whether the words differ by these prefixes, as hypertrophy and hypotrophy do."""
    parted = [
        (prefix, word.removeprefix(prefix))
        for word in (one, other)
        for prefix in prefixes
        if word.startswith(prefix)
    ]
    return len(parted) == 2 and parted[0][0] != parted[1][0] and parted[0][1] == parted[1][1]
