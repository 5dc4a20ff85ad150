"""Collisions: who has a term already as a name or synonym, who nearly, and where it means something else."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from findingmodel.runtime.run_without_loop import inline
from findingmodel.search.duplicates import alike, labels_of
from findingmodel.search.lookup import find_many, match_field
from findingmodel.text.normalize import fold, tokenize
from findingmodel.text.query import parse_query
from findingmodel.text.stem import american, stem
from findingmodel.text.tables import lines, sections
from findingmodel.text.terms import SMALL_WORDS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from findingmodel.runtime.run_without_loop import Offload
    from findingmodel.search.cached_searcher import CachedSearcher
    from findingmodel.search.duplicates import Label
    from findingmodel.search.searcher import Searcher
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow, LabelRow

_DATA = Path(__file__).with_name("data") / "labels"
_SAME_MEANING = 0.75  # from this score of a search on, a hit may mean the same
_MOST_BY_MEANING = 3
_MOST_NEAR = 5
_MOST_OF_ORGAN = 3  # models

How = Literal["form", "spelling", "meaning"]
Verdict = Literal["name", "ambiguous", "synonym", "organs", "near", "free"]


class Near(NamedTuple):
    """A model with a name or synonym like the term.

    Attributes:
        entry: the model.
        label: its name or synonym, as written.
        how: "form" (plural, order or small words differ), "spelling" (perhaps a typo, perhaps another
            finding) or "meaning" (other words for it, as a search finds them).
    """

    entry: EntryRow
    label: str
    how: How


class Collision(NamedTuple):
    """What an index holds about a term.

    Attributes:
        term: as it was asked.
        names: the models whose name, slug or id it is.
        synonyms: the models that have it as a synonym.
        near: models with a similar name or synonym, the most similar first.
        organs: models of which it is a part of a longer name, by organ; empty unless there are two organs.
        meanings: organs in which it is known to name different findings, whether the index has them or not.
    """

    term: str
    names: tuple[EntryRow, ...]
    synonyms: tuple[EntryRow, ...]
    near: tuple[Near, ...]
    organs: Mapping[str, tuple[EntryRow, ...]]
    meanings: tuple[str, ...]

    @property
    def verdict(self) -> Verdict:
        """The most important of what was found.

        "name": the term names a model, which may be the one that is meant; "ambiguous": several models have
        it; "synonym": one model has it; "organs": it means different findings in different organs, so it says
        too little alone; "near": only similar terms; "free": nothing.
        """
        if self.names:
            return "name"
        if self.synonyms:
            return "synonym" if len(self.synonyms) == 1 else "ambiguous"
        if self.organs or self.meanings:
            return "organs"
        return "near" if self.near else "free"

    @property
    def is_taken(self) -> bool:
        """True if a model has the term itself."""
        return bool(self.names or self.synonyms)

    def as_dict(self) -> dict[str, Any]:
        """Return the collision ready for JSON."""
        return {
            "term": self.term,
            "verdict": self.verdict,
            "names": list(map(_facts, self.names)),
            "synonyms": list(map(_facts, self.synonyms)),
            "near": [_facts(near.entry) | {"label": near.label, "how": near.how} for near in self.near],
            "organs": {organ: list(map(_facts, entries)) for organ, entries in self.organs.items()},
            "meanings": list(self.meanings),
        }


def _facts(entry: EntryRow) -> dict[str, Any]:
    return {"oifm_id": entry["oifm_id"], "name": entry["name"], "filename": entry["filename"]}


async def find_collisions(
    store: Store,
    terms: Sequence[str],
    *,
    but: str | None = None,
    searcher: Searcher | CachedSearcher | None = None,
    offload: Offload = inline,
) -> list[Collision]:
    """Return what the index holds about each of *terms*, in their order.

    Args:
        store: the index.
        terms: names or synonyms that a model is to have.
        but: the id of a model that does not count: the one that is to have them.
        searcher: finds other words for the terms; None leaves these out.
        offload: compares the labels of all models with the terms; by default in place.

    Raises:
        StoreError: the store failed.
    """
    exact = await find_many(store, terms)
    rows = [row async for chunk in store.terms.iter_labels() for row in chunk if row.oifm_id != but]
    labels, similar = await offload(_similar, terms, rows)
    return [
        await _collision(
            store,
            term,
            [entry for entry in exact[term] if entry["oifm_id"] != but],
            similar[number],
            _longer(term, labels),
            await _by_meaning(term, searcher, but),
        )
        for number, term in enumerate(terms)
    ]


async def _collision(
    store: Store,
    term: str,
    holders: Sequence[EntryRow],
    similar: Mapping[str, tuple[Label, bool]],
    longer: Mapping[str, Label],
    by_meaning: Sequence[Near],
) -> Collision:
    """Return what was found about one term, each model only once, for the strongest reason."""
    held = {entry["oifm_id"] for entry in holders}
    entries = await store.get({*similar, *longer})
    near = [
        Near(entries[oifm_id], label.text, "form" if is_equal else "spelling")
        for oifm_id, (label, is_equal) in similar.items()
        if oifm_id in entries and oifm_id not in held
    ]
    near = near[:_MOST_NEAR]
    known = held | {one.entry["oifm_id"] for one in near}
    near += [one for one in by_meaning if one.entry["oifm_id"] not in known]
    organs = _by_organ(term, [(entries[key], label) for key, label in longer.items() if key in entries])
    fields = [match_field(fold(term), entry) for entry in holders]
    return Collision(
        term,
        tuple(entry for entry, field in zip(holders, fields, strict=True) if field != "synonym"),
        tuple(entry for entry, field in zip(holders, fields, strict=True) if field == "synonym"),
        tuple(near),
        organs if len(organs) > 1 else {},
        _ambiguous().get(_stems(term), ()),
    )


def _similar(
    terms: Sequence[str], rows: Sequence[LabelRow]
) -> tuple[list[Label], list[dict[str, tuple[Label, bool]]]]:
    """Return the labels of *rows*, and for each term the models with a label like it.

    Of each model that label is given, and whether only its form differs from the term.
    """
    labels = [label for row in rows for label in labels_of(row.oifm_id, row.name, row.synonyms)]
    numbers = {f"term {number}": number for number in range(len(terms))}  # in place of the id of a model
    own = [label for key, number in numbers.items() for label in labels_of(key, terms[number], ())]
    found: list[dict[str, tuple[Label, bool]]] = [{} for _ in terms]
    for one, other, is_equal in alike([*own, *labels]):
        label, term = (other, one.model) if one.model in numbers else (one, other.model)
        if term in numbers and label.model not in numbers:
            known = found[numbers[term]]
            if label.model not in known or _rank(label, is_equal) < _rank(*known[label.model]):
                known[label.model] = label, is_equal
    ordered = [dict(sorted(one.items(), key=lambda item: (*_rank(*item[1]), item[0]))) for one in found]
    return labels, ordered


def _rank(label: Label, is_equal: bool) -> tuple[bool, bool]:
    return not is_equal, not label.is_name


async def _by_meaning(term: str, searcher: Searcher | CachedSearcher | None, but: str | None) -> list[Near]:
    """Return the models that a search for *term* finds by other words."""
    words = " ".join(tokenize(term))
    if searcher is None or not words:
        return []
    hits = await searcher.search(parse_query(words), limit=_MOST_BY_MEANING + 1)
    return [
        Near(hit.entry, hit.entry["name"], "meaning")
        for hit in hits
        if hit.score >= _SAME_MEANING and hit.entry["oifm_id"] != but and not hit.negated
    ][:_MOST_BY_MEANING]


def _longer(term: str, labels: Sequence[Label]) -> dict[str, Label]:
    """Return the models with a label that has all words of *term* and more, with that label."""
    words = _stems(term)
    if not words or not words.isdisjoint(_organs()):  # it names an organ itself
        return {}
    return {label.model: label for label in reversed(labels) if words < set(label.words)}


def _by_organ(term: str, found: Sequence[tuple[EntryRow, Label]]) -> dict[str, tuple[EntryRow, ...]]:
    """Return models by the organ that the other words of their label name, or else their tags."""
    organs: defaultdict[str, list[EntryRow]] = defaultdict(list)
    for entry, label in sorted(found, key=lambda one: one[0]["oifm_id"]):
        others = set(label.words) - _stems(term)
        tags = {stemmed for tag in entry["tags"] or () for stemmed in _stems(tag)}
        words = [*sorted(others & _organs().keys()), *sorted(tags & _organs().keys())]
        if words:
            organs[_organs()[words[0]]].append(entry)
    return {organ: tuple(entries[:_MOST_OF_ORGAN]) for organ, entries in sorted(organs.items())}


def _stems(text: str) -> frozenset[str]:
    return frozenset(stem(american(word)) for word in tokenize(text) if word not in SMALL_WORDS)


@cache
def _organs() -> Mapping[str, str]:
    """Return the organ that each word speaks of, by its stem."""
    return {word: organ for organ, body in sections(_DATA / "organs.txt") for word in _stems(" ".join(body))}


@cache
def _ambiguous() -> Mapping[frozenset[str], tuple[str, ...]]:
    """Return the organs in which a term means different findings, by its stems."""
    entries = (line.partition(":") for line in lines(_DATA / "ambiguous.txt"))
    return {_stems(term): tuple(map(str.strip, organs.split(","))) for term, _, organs in entries}
