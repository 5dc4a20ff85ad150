"""duplicates: models that may describe one and the same finding, the likeliest first, and why."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import chain, combinations
from math import prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from findingmodel.search.lookup import codes_of
from findingmodel.stores.paging import iter_models
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.stem import american, stem
from findingmodel.text.terms import SMALL_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from findingmodel.search.lookup import HeldCode
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["Duplicate", "Label", "Reason", "alike", "find_duplicates", "labels_of"]

_MOST_LABEL_HOLDERS = 25
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
        if 1 < len(block) <= _MOST_LABEL_HOLDERS:
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
                        for a in block[one][:_MOST_LABEL_HOLDERS]
                        for b in block[other][:_MOST_LABEL_HOLDERS]
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


_MOST_HOLDERS = 10  # a code of more models than this is one of a region or of a modality
_EQUAL = {"name": 0.98, "name-synonym": 0.9, "synonym": 0.5}
_SIMILAR = {"name": 0.85, "name-synonym": 0.75, "synonym": 0.4}
_CODE = 0.4
_LONGEST_ABBREVIATION = 4

_Pair = tuple[str, str]


class Reason(NamedTuple):
    """Why two models may be one.

    Attributes:
        kind: "name" (their names are alike), "name-synonym" (the name of one is like a synonym of the other),
            "synonym" or "code" (they share one).
        first: the label or the code of the first model, as it writes it.
        second: that of the second.
        score: what this alone is worth, from 0 to 1.
        equal: whether the two are one but for their form (plural, order, small words); else they are spelt
            alike, which may be a slip or another finding.
    """

    kind: Literal["name", "name-synonym", "synonym", "code"]
    first: str
    second: str
    score: float
    equal: bool = True


class Duplicate(NamedTuple):
    """Two models that may be one.

    Attributes:
        score: how likely that is, from 0 to 1; no probability.
        first, second: the models, in the order of their ids.
        reasons: the strongest first.
    """

    score: float
    first: EntryRow
    second: EntryRow
    reasons: tuple[Reason, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return the pair ready for JSON."""
        models = [
            {field: model[field] for field in ("oifm_id", "name", "filename")}
            for model in (self.first, self.second)
        ]
        reasons = [reason._asdict() for reason in self.reasons]
        return {"score": self.score, "models": models, "reasons": reasons}


async def find_duplicates(
    store: Store,
    *,
    limit: int = 50,
    min_score: float = 0.4,
    progress: Callable[[int, int], None] | None = None,
) -> list[Duplicate]:
    """Return pairs of models that may describe the same finding, the likeliest first.

    Args:
        store: the index.
        limit: most pairs to return.
        min_score: from 0 to 1; less likely ones are left out.
        progress: called with (models read, models).

    Raises:
        StoreError: the store failed.
    """
    names: dict[str, str] = {}
    labels: list[Label] = []
    async for rows in store.iter_labels():
        for row in rows:
            names[row.oifm_id] = row.name
            labels += labels_of(row.oifm_id, row.name, row.synonyms)
    reasons: defaultdict[_Pair, list[Reason]] = defaultdict(list)
    for one, other, is_equal in alike(labels):
        first, second = (one, other) if one.model < other.model else (other, one)
        reasons[first.model, second.model].append(_reason(first, second, is_equal))
    for pair, reason in _shared_codes(await _holders(store, sorted(names), progress)):
        reasons[pair].append(reason)
    best = _ranked(reasons, names, min_score)[:limit]
    entries = await store.get({oifm_id for pair, _ in best for oifm_id in pair})
    return [
        Duplicate(score, entries[pair[0]], entries[pair[1]], _strongest_first(reasons[pair]))
        for pair, score in best
        if pair[0] in entries and pair[1] in entries
    ]


def _reason(first: Label, second: Label, is_equal: bool) -> Reason:
    kinds: tuple[Literal["synonym", "name-synonym", "name"], ...] = ("synonym", "name-synonym", "name")
    kind = kinds[first.is_name + second.is_name]
    score = (_EQUAL if is_equal else _SIMILAR)[kind]
    is_short = min(len(first.joined), len(second.joined)) <= _LONGEST_ABBREVIATION
    return Reason(kind, first.text, second.text, round(score / 2 if is_short else score, 3), is_equal)


async def _holders(
    store: Store, ids: Sequence[str], progress: Callable[[int, int], None] | None
) -> dict[str, dict[str, str]]:
    """Return by code the ids of the models, in order, that carry it themselves, and how each writes it."""
    holders: defaultdict[str, dict[str, str]] = defaultdict(dict)
    done = 0
    async for models in iter_models(store, ids):
        for oifm_id, model in models.items():
            for held in _codes(model):
                holders[held.facet].setdefault(oifm_id, f"{held.system} {held.code}")
        done += len(models)
        if progress:
            progress(done, len(ids))
    return holders


def _codes(model: bytes) -> Iterator[HeldCode]:
    if b'"index_codes"' in model:
        yield from codes_of("model", json.loads(model))


def _shared_codes(holders: Mapping[str, Mapping[str, str]]) -> list[tuple[_Pair, Reason]]:
    """Return for each two models that share a code that fact; the more models share it, the less it says."""
    return [
        (
            (first, second),
            Reason("code", written[first], written[second], round(_CODE / (len(written) - 1), 3)),
        )
        for written in holders.values()
        if 1 < len(written) <= _MOST_HOLDERS
        for first, second in combinations(written, 2)
    ]


def _ranked(
    reasons: Mapping[_Pair, Sequence[Reason]], names: Mapping[str, str], min_score: float
) -> list[tuple[_Pair, float]]:
    """Return the pairs by score; equal ones by how alike their names are, then by id."""
    scores = {pair: round(1 - prod(1 - one.score for one in why), 3) for pair, why in reasons.items()}
    likely = [(pair, score) for pair, score in scores.items() if score >= min_score]
    folded = {oifm_id: fold(names[oifm_id]) for pair, _ in likely for oifm_id in pair}

    def order(item: tuple[_Pair, float]) -> tuple[float, float, _Pair]:
        (first, second), score = item
        return -score, -fuzz.token_sort_ratio(folded[first], folded[second]), (first, second)

    return sorted(likely, key=order)


def _strongest_first(reasons: Sequence[Reason]) -> tuple[Reason, ...]:
    return tuple(sorted(reasons, key=lambda one: (-one.score, one.kind, one.first, one.second)))
