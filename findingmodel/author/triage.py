"""triage: which models of an index the rows of a list mean: a match, maybe one of several, or none.

A match is a model of the same name, at the same level: a subtype, a wider concept, a sign or a cause of a
finding is another finding. So only equal names match, whatever their spelling, word order and plural. What a
search finds besides is a candidate, which the curator decides on, with the reason why it is not a match.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from findingmodel.batch.search import stream_batch
from findingmodel.search.duplicates import alike, labels_of
from findingmodel.search.lookup import find_many
from findingmodel.text.normalize import fold, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Sequence

    from findingmodel.search.duplicates import Label
    from findingmodel.search.hits import HitRow
    from findingmodel.search.searcher import Searcher
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

    Status = Literal["match", "maybe", "none"]

_HITS = 5
_MOST_WORDS = 6  # of a name that is searched for without one of them
_FEWEST_SCORE = 0.7  # hits that are less likely to be right share hardly more than a common word
_MAX_CANDIDATES = 3
_LONGEST_ABBREVIATION = 4
_CHUNK = 500  # rows whose keys are looked up together


class ListedFinding(NamedTuple):
    """A row of the list.

    Attributes:
        line: its line in the file, from 1.
        name, synonyms: of the finding.
        oifm_id: an id that the curator has entered already, or "".
    """

    line: int
    name: str
    synonyms: tuple[str, ...] = ()
    oifm_id: str = ""


class TriageCandidate(NamedTuple):
    """A model that a row may mean.

    Attributes:
        oifm_id, name: the model's.
        reason: why it is a candidate, and if it is no match, why not.
        is_match: whether it has the same name.
    """

    oifm_id: str
    name: str
    reason: str
    is_match: bool = False


class Triage(NamedTuple):
    """The result for one row.

    Attributes:
        finding: the row.
        status: "match" if one model has its name, "maybe" if there are only candidates, else "none".
        candidates: the best first.
    """

    finding: ListedFinding
    status: Status
    candidates: tuple[TriageCandidate, ...] = ()

    @property
    def oifm_id(self) -> str:
        """The id of the matching model; "" without a match."""
        return self.candidates[0].oifm_id if self.status == "match" else ""

    def as_dict(self) -> dict[str, Any]:
        """Return the result ready for JSON."""
        facts = {**self.finding._asdict(), "status": self.status}
        facts["oifm_id"] = self.oifm_id or None
        return {**facts, "candidates": [one._asdict() for one in self.candidates]}


async def triage(
    store: Store,
    searcher: Searcher,
    findings: Sequence[ListedFinding],
    *,
    progress: Callable[[int, int], None] | None = None,
) -> list[Triage]:
    """Return for each of *findings* whether the index has it, in their order.

    Args:
        store: the index.
        searcher: of the same index.
        findings: the rows. One that has an id already is not searched for.
        progress: called with (rows done, rows).

    Raises:
        StoreError: the store failed.
    """
    results: list[Triage] = []
    for start in range(0, len(findings), _CHUNK):
        chunk = findings[start : start + _CHUNK]
        keys = {key for one in chunk for key in (one.name, *one.synonyms, one.oifm_id) if fold(key)}
        holders = await find_many(store, keys)
        unknown = [one for one in chunk if not one.oifm_id and not _by_key(one, holders)]
        hits = await _search(searcher, {" ".join(tokenize(one.name)) for one in unknown})
        for one in chunk:
            found = _by_key(one, holders)
            found = found or list(_by_words(one, hits.get(" ".join(tokenize(one.name)), ())))
            results.append(_judged(one, found))
        if progress:
            progress(len(results), len(findings))
    return results


async def _search(searcher: Searcher, queries: Collection[str]) -> dict[str, list[HitRow]]:
    """Return the hits of each of *queries*, the words of a name.

    A query without hits may have one word that no model has: the hits without it are added, without a score.
    """
    found = await _hits(searcher, queries)
    parts = {query: list(_without_a_word(query)) for query in queries if not found.get(query)}
    wider = await _hits(searcher, {part for several in parts.values() for part in several})
    for query, several in parts.items():
        found[query] = [hit._replace(score=0.0) for part in several for hit in wider.get(part, ())]
    return found


async def _hits(searcher: Searcher, queries: Collection[str]) -> dict[str, list[HitRow]]:
    rows = stream_batch(searcher, sorted(filter(None, queries)), limit=_HITS)
    return {row.query: list(row.hits) async for row in rows}


def _without_a_word(query: str) -> Iterator[str]:
    words = query.split()
    if 1 < len(words) <= _MOST_WORDS:
        for place in range(len(words)):
            yield " ".join(words[:place] + words[place + 1 :])


def _judged(finding: ListedFinding, found: Sequence[TriageCandidate]) -> Triage:
    matches = [one for one in found if one.is_match]
    if len(matches) == 1:
        ordered = (matches[0], *(one for one in found if one not in matches))
        return Triage(finding, "match", ordered[:_MAX_CANDIDATES])
    if len(matches) > 1:
        found = [one._replace(is_match=False, reason=f"{one.reason}, as others have") for one in matches]
    ordered = tuple(found[:_MAX_CANDIDATES])
    return Triage(finding, "maybe" if ordered else "none", ordered)


def _by_key(finding: ListedFinding, holders: dict[str, list[EntryRow]]) -> list[TriageCandidate]:
    """Return the models that have the id, the name or a synonym of *finding*, exactly."""
    if finding.oifm_id:
        known = holders.get(finding.oifm_id, ())
        found = [_candidate(one, "the id in the list", is_match=True) for one in known]
        return found or [TriageCandidate(finding.oifm_id, "", "the id in the list, which no model has")]
    by_name = holders.get(finding.name, ())
    named = [one for one in by_name if _has_name(one, finding.name)]
    if named:
        return [_candidate(one, "same name", is_match=True) for one in named]
    is_short = len(finding.name) <= _LONGEST_ABBREVIATION
    found = [_candidate(one, f"synonym {finding.name!r}", is_match=not is_short) for one in by_name]
    if found:
        return found
    for synonym in finding.synonyms:
        is_short = len(synonym) <= _LONGEST_ABBREVIATION
        for one in holders.get(synonym, ()):
            by = "name" if _has_name(one, synonym) else "synonym"
            reason = f"its {by} {synonym!r} is a synonym in the list"
            found.append(_candidate(one, reason, is_match=by == "name" and not is_short))
    return list({one.oifm_id: one for one in found}.values())


def _has_name(entry: EntryRow, text: str) -> bool:
    return fold(text) in (fold(entry["name"]), fold(entry["oifm_id"]))


def _candidate(entry: EntryRow, reason: str, *, is_match: bool = False) -> TriageCandidate:
    return TriageCandidate(entry["oifm_id"], entry["name"], reason, is_match)


def _by_words(finding: ListedFinding, hits: Sequence[HitRow]) -> Iterator[TriageCandidate]:
    """Yield the hits as candidates; those whose name or synonym has the same words match.

    A wider concept is a candidate whatever its score, another hit only if it shares more than common words.
    """
    own = labels_of("", finding.name, ())
    if not own:
        return
    for entry, score in {hit.entry["oifm_id"]: (hit.entry, hit.score) for hit in hits}.values():
        labels = labels_of(entry["oifm_id"], entry["name"], entry["synonyms"] or ())
        equal, similar = _alike(own[0], labels)
        if equal is not None:
            kind = "name" if equal.is_name else "synonym"
            yield _candidate(entry, f"same words as its {kind} {equal.text!r}", is_match=True)
        elif similar is not None:
            yield _candidate(entry, f"spelled like {similar.text!r}")
        elif score >= _FEWEST_SCORE or any(set(one.words) < set(own[0].words) for one in labels):
            yield _candidate(entry, _difference(own[0], labels))


def _alike(own: Label, labels: Sequence[Label]) -> tuple[Label | None, Label | None]:
    """Return the label that differs from *own* only in form, and the one that differs by a typo."""
    equal = similar = None
    for one, other, is_equal in alike([own, *labels]):
        if own in (one, other):
            label = other if one == own else one
            equal, similar = (equal or label, similar) if is_equal else (equal, similar or label)
    return equal, similar


def _difference(own: Label, labels: Sequence[Label]) -> str:
    """Return how the nearest label differs, in words."""
    words = set(own.words)

    def likeness(label: Label) -> tuple[int, bool]:
        return 2 * len(words & set(label.words)) - len(label.words), label.is_name

    nearest = max(labels, key=likeness)
    more, fewer = set(nearest.words) - words, words - set(nearest.words)
    if not fewer:
        return f"narrower: {nearest.text!r} says more"
    if not more:
        return f"wider: {nearest.text!r} says less"
    return f"similar: {nearest.text!r}"
