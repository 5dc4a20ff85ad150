"""Find models that may describe the same finding, the likeliest first, and say why."""

from __future__ import annotations

import json
from collections import defaultdict
from itertools import chain, combinations
from math import prod
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

from findingmodel.runtime.run_without_loop import inline
from findingmodel.search.lookup import codes_of
from findingmodel.search.opposites import are_opposed
from findingmodel.stores.paging import iter_models
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.stem import american, stem
from findingmodel.text.terms import SMALL_WORDS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from findingmodel.runtime.run_without_loop import Offload
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

_MAX_SHARING = 25  # models; a label that more of them share says nothing about two of them
_MAX_WORDS = 1_500  # larger blocks of different words are not searched for typos
_SHORTEST_TYPO, _LONG = 5, 10  # letters
_MAX_HOLDERS = 10  # models; a code that more of them carry is the code of a region or a modality
_EQUAL = {"name": 0.98, "name-synonym": 0.9, "synonym": 0.5}
_SIMILAR = {"name": 0.85, "name-synonym": 0.75, "synonym": 0.4}
_CODE = 0.4
_LONGEST_ABBREVIATION = 4


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
    """Return the labels of one model that have different words, the name first."""
    found: dict[tuple[str, ...], Label] = {}
    for place, text in enumerate((name, *synonyms)):
        tokens = [american(token) for token in tokenize(text)]
        words = tuple(sorted(stem(token) for token in tokens if token not in SMALL_WORDS)) or tuple(tokens)
        if words:
            found.setdefault(words, Label(oifm_id, place == 0, text, words, "".join(tokens)))
    return list(found.values())


def alike(labels: Iterable[Label]) -> Iterator[tuple[Label, Label, bool]]:
    """Yield each pair of similar labels of different models, and whether only their form differs."""
    every = list(labels)
    seen: set[tuple[int, int]] = set()
    for one, other, exact in chain(_equal(every), _similar(every)):
        key = (id(one), id(other)) if one.model < other.model else (id(other), id(one))
        if one.model != other.model and key not in seen and (exact or not are_opposed(one.text, other.text)):
            seen.add(key)
            yield one, other, exact


def _equal(labels: Sequence[Label]) -> Iterator[tuple[Label, Label, bool]]:
    blocks: defaultdict[object, list[Label]] = defaultdict(list)
    for label in labels:
        blocks[label.words].append(label)
        blocks[label.joined].append(label)
    for block in blocks.values():
        if 1 < len(block) <= _MAX_SHARING:
            yield from ((one, other, True) for one, other in combinations(block, 2))


def _similar(labels: Sequence[Label]) -> Iterator[tuple[Label, Label, bool]]:
    blocks: defaultdict[object, dict[str, list[Label]]] = defaultdict(dict)
    for label in labels:
        for key, word in _places(label.words):
            blocks[key].setdefault(word, []).append(label)
    for block in blocks.values():
        if 1 < len(block) <= _MAX_WORDS:
            for one, other in combinations(sorted(block), 2):
                if _may_be_typo(one, other):
                    yield from (
                        (a, b, False) for a in block[one][:_MAX_SHARING] for b in block[other][:_MAX_SHARING]
                    )


def _places(words: tuple[str, ...]) -> Iterator[tuple[object, str]]:
    """Yield each word that may have a typo, after the key of its block: other words, some letters."""
    for place, word in enumerate(words):
        if len(word) >= _SHORTEST_TYPO and word.isalpha():
            rest = words[:place] + words[place + 1 :]
            yield (rest, word[:3]), word
            if not rest:
                yield (rest, "", word[-4:]), word


def _may_be_typo(one: str, other: str) -> bool:
    most = 2 if min(len(one), len(other)) >= _LONG else 1
    return abs(len(one) - len(other)) <= most and OSA.distance(one, other, score_cutoff=most) <= most


_Pair = tuple[str, str]


class Reason(NamedTuple):
    """Why two models may be the same.

    Attributes:
        kind: "name" (similar names), "name-synonym" (the name of one is similar to a synonym of the other),
            "synonym" or "code" (they share one).
        first, second: the label or the code of each model, as written there.
        score: the weight of this reason alone, from 0 to 1.
        equal: whether the two differ only in form (plural, order, small words); else they differ in spelling,
            and may be two findings.
    """

    kind: Literal["name", "name-synonym", "synonym", "code"]
    first: str
    second: str
    score: float
    equal: bool = True


class Duplicate(NamedTuple):
    """Two models that may be the same.

    Attributes:
        score: how likely that is, from 0 to 1; not a probability.
        first, second: the models, in the order of their ids.
        reasons: why, the strongest first.
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
    of: str | None = None,
    known: Collection[frozenset[str]] = (),
    progress: Callable[[int, int], None] | None = None,
    offload: Offload = inline,
) -> list[Duplicate]:
    """Return pairs of models that may describe the same finding, the likeliest first.

    Models whose names are opposites (`findingmodel.search.opposites`) are not a pair, whatever they share.

    Args:
        store: the index.
        limit: most pairs to return.
        min_score: from 0 to 1; less likely pairs are left out.
        of: the id of a model; only its pairs are returned.
        known: pairs of ids that are not duplicates, which are left out.
        progress: called with (models read, models).
        offload: compares the labels of all models; by default in place.

    Raises:
        StoreError: the store failed.
    """
    names: dict[str, str] = {}
    labels: list[Label] = []
    async for rows in store.terms.iter_labels():
        for row in rows:
            names[row.oifm_id] = row.name
            labels += labels_of(row.oifm_id, row.name, row.synonyms)
    reasons: defaultdict[_Pair, list[Reason]] = defaultdict(list)
    for one, other, is_equal in await offload(_all_alike, labels):
        first, second = (one, other) if one.model < other.model else (other, one)
        reasons[first.model, second.model].append(_reason(first, second, is_equal))
    for pair, reason in _shared_codes(await _holders(store, sorted(names), progress)):
        reasons[pair].append(reason)
    left_out = [
        pair
        for pair in reasons
        if (of is not None and of not in pair)
        or frozenset(pair) in known
        or are_opposed(names[pair[0]], names[pair[1]])
    ]
    for pair in left_out:
        del reasons[pair]
    best = _ranked(reasons, names, min_score)[:limit]
    entries = await store.get({oifm_id for pair, _ in best for oifm_id in pair})
    return [
        Duplicate(
            score,
            entries[first],
            entries[second],
            tuple(sorted(reasons[first, second], key=lambda one: (-one.score, *one[:3]))),
        )
        for (first, second), score in best
        if first in entries and second in entries
    ]


def _all_alike(labels: Sequence[Label]) -> list[tuple[Label, Label, bool]]:
    return list(alike(labels))


def _reason(first: Label, second: Label, is_equal: bool) -> Reason:
    kinds: tuple[Literal["synonym", "name-synonym", "name"], ...] = ("synonym", "name-synonym", "name")
    kind = kinds[first.is_name + second.is_name]
    score = (_EQUAL if is_equal else _SIMILAR)[kind]
    is_short = min(len(first.joined), len(second.joined)) <= _LONGEST_ABBREVIATION
    return Reason(kind, first.text, second.text, round(score / 2 if is_short else score, 3), is_equal)


async def _holders(
    store: Store, ids: Sequence[str], progress: Callable[[int, int], None] | None
) -> dict[str, dict[str, str]]:
    """Return by code the ids of the models that carry it themselves, and how each writes it."""
    holders: defaultdict[str, dict[str, str]] = defaultdict(dict)
    done = 0
    async for models in iter_models(store, ids):
        for oifm_id, model in models.items():
            for held in codes_of("model", json.loads(model)) if b'"index_codes"' in model else ():
                holders[held.facet].setdefault(oifm_id, f"{held.system} {held.code}")
        done += len(models)
        if progress:
            progress(done, len(ids))
    return holders


def _shared_codes(holders: Mapping[str, Mapping[str, str]]) -> list[tuple[_Pair, Reason]]:
    """Return each pair of models that share a code; the more models share it, the lower the score."""
    return [
        (
            (first, second),
            Reason("code", written[first], written[second], round(_CODE / (len(written) - 1), 3)),
        )
        for written in holders.values()
        if 1 < len(written) <= _MAX_HOLDERS
        for first, second in combinations(written, 2)
    ]


def _ranked(
    reasons: Mapping[_Pair, Sequence[Reason]], names: Mapping[str, str], min_score: float
) -> list[tuple[_Pair, float]]:
    """Return the likely pairs by score; equal scores by the similarity of the names, then by id."""
    scores = {pair: round(1 - prod(1 - one.score for one in why), 3) for pair, why in reasons.items()}
    likely = [(pair, score) for pair, score in scores.items() if score >= min_score]
    folded = {oifm_id: fold(names[oifm_id]) for pair, _ in likely for oifm_id in pair}

    def order(item: tuple[_Pair, float]) -> tuple[float, float, _Pair]:
        (first, second), score = item
        return -score, -fuzz.token_sort_ratio(folded[first], folded[second]), (first, second)

    return sorted(likely, key=order)
