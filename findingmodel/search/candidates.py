"""Find candidates: the entries that may answer a query.

A source is one function (`Source`); the others are independent of it, and `findingmodel.search.rank` orders
what they find.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Protocol

from findingmodel.stores.records import Candidate, TermQuery
from findingmodel.text.terms import analyze_entry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from findingmodel.search.expansion import Plan
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

FEW = 150  # entries; they are ranked in about a millisecond
SOME = 600  # entries; they are ranked in a few milliseconds
_STRONG = 0.7  # weaker expansions make candidates only where the stronger have hardly any entries
_HARDLY_ANY = 20  # entries
_SEVERAL = 60  # entries; words that are only similar make candidates up to as many
_SIGNIFICANT = 1 / 8  # of the weight of the heaviest word: lighter ones make no candidates
_HEAVY = 0.6  # of the weight of the heaviest word: common words at least as heavy make candidates too
_MAX_COMMON = 3


class Request(NamedTuple):
    """One question to a store.

    Attributes:
        query: what to look for.
        limit: most candidates, chosen by the store; None for all that match, which are few.
    """

    query: TermQuery
    limit: int | None


class Source(Protocol):
    """Finds candidates."""

    async def __call__(self, store: Store, plan: Plan, limit: int | None) -> list[Candidate]:
        """Return candidates for *plan*.

        Fewer than *limit* cannot fill the page that was asked for; if it is None, all hits will be counted.
        """
        ...


async def by_words(store: Store, plan: Plan, limit: int | None) -> list[Candidate]:
    """Return the entries with the words of *plan*, nearly always by one command.

    A query of filters alone returns *limit* entries.
    """
    if not plan.words:
        return await store.terms.candidates(make_filter(plan), limit=limit)
    for query, most in make_requests(plan):
        if found := await store.terms.candidates(query, limit=most):
            return found
    return []


async def by_key(store: Store, plan: Plan, limit: int | None) -> list[Candidate]:
    """Return entries by id, and by name, slug or synonym where `by_words` may not find all of them."""
    keys = list(plan.query.ids)
    requests = make_requests(plan)
    words_find_all = bool(requests) and requests[0].limit is None
    if plan.query.key and not plan.query.facets and not words_find_all:
        keys.append(plan.query.key)
    return list(map(_candidate, await store.lookup(keys))) if keys else []


SOURCES: Sequence[Source] = (by_words, by_key)


def make_filter(plan: Plan) -> TermQuery:
    """Return what every candidate must have and must not have, whatever its words."""
    excluded = tuple(tokens[0] for tokens in plan.query.excluded if len(tokens) == 1)
    return TermQuery((), "any", excluded, plan.query.facets)


@lru_cache(maxsize=8)  # both sources need it; as many searches may run at once
def make_requests(plan: Plan) -> tuple[Request, ...]:
    """Return what to ask the store, one after the other until something is found.

    Rare words make candidates alone. Where the heavy words are common, a candidate needs two of them: entries
    with only one could not be among the best. If no entry has two, the rarest word is asked for alone. If no
    word is known, there is nothing to ask.
    """
    groups = _groups(plan)
    if not groups:
        return ()
    base = make_filter(plan)
    rare, common = _by_frequency(groups)
    if len(common) < 2:
        return (_any_of(plan, base, [*rare, *common]),)
    return _two_of(base, rare, common), _any_of(plan, base, groups[:1])


class _Group(NamedTuple):
    """The tokens that an entry may have for one word, one for each expansion, the best expansion first.

    Attributes:
        entries: how many entries have one of them, at most.
        weight: the weight of the word.
        tokens: of each expansion the rarest.
    """

    entries: int
    weight: float
    tokens: tuple[str, ...]


def _groups(plan: Plan) -> list[_Group]:
    """Return the words that make candidates, the one with the fewest entries first."""
    least = max(plan.weights, default=0.0) * _SIGNIFICANT
    return sorted(
        _group(plan, place)
        for place, weight in enumerate(plan.weights)
        if weight >= least and place not in plan.unknown
    )


def _group(plan: Plan, place: int) -> _Group:
    strong: dict[str, int] = {}
    weak: dict[str, int] = {}
    similar: dict[str, int] = {}
    for expansion in plan.by_place[place]:
        token = min(expansion.tokens, key=plan.counts.__getitem__)
        kind = similar if expansion.stage == "similar" else strong if expansion.quality >= _STRONG else weak
        kind.setdefault(token, plan.counts[token])
    if sum(strong.values()) < _HARDLY_ANY:
        strong.update(weak)
    entries = sum(strong.values())
    for token, count in similar.items():
        if token not in strong and (entries + count <= _SEVERAL or not strong):
            strong[token] = count
            entries += count
    return _Group(entries, plan.weights[place], tuple(strong))


def _by_frequency(groups: Sequence[_Group]) -> tuple[list[_Group], list[_Group]]:
    """Return the rarest words, which have `FEW` entries together, and the heavy ones of the others."""
    heavy = max([group.weight for group in groups], default=0.0) * _HEAVY
    rare: list[_Group] = []
    common: list[_Group] = []
    for group in groups:
        (common if common or _entries(rare) + group.entries > FEW else rare).append(group)
    if not any(group.weight >= heavy for group in common):
        return (rare, []) if rare else ([], common[:_MAX_COMMON])
    return rare, sorted(common, key=lambda group: -group.weight)[:_MAX_COMMON]


def _any_of(plan: Plan, base: TermQuery, groups: Sequence[_Group]) -> Request:
    """Ask for entries with a word of *groups*, in its best expansions if all have too many entries.

    Only where the best expansion alone has too many, the store chooses among them.
    """
    query = base._replace(groups=tuple(group.tokens for group in groups))
    if _entries(groups) <= SOME:
        return Request(query, None)
    best = _best_tokens([token for group in groups for token in group.tokens], plan.counts)
    return Request(base._replace(groups=(best,)), None) if best else Request(query, FEW)


def _best_tokens(tokens: Sequence[str], counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return the first of *tokens*, as many as have `SOME` entries together."""
    distinct = list(dict.fromkeys(tokens))
    sums = accumulate(counts[token] for token in distinct)
    return tuple(token for token, entries in zip(distinct, sums, strict=True) if entries <= SOME)


def _two_of(base: TermQuery, rare: Sequence[_Group], common: Sequence[_Group]) -> Request:
    """Ask for entries with a word of *rare*, or with two of *common*."""
    rare_tokens = tuple(dict.fromkeys(token for group in rare for token in group.tokens))
    entries = _entries(rare) + _entries(common) // 2  # there are seldom nearly as many
    query = base._replace(groups=_any_two(rare_tokens, common), match="all")
    return Request(query, None if entries <= SOME else SOME)


def _any_two(rare: tuple[str, ...], common: Sequence[_Group]) -> tuple[tuple[str, ...], ...]:
    """Return groups of which an entry has a token each if it has one of *rare*, or two words of *common*.

    Each group leaves out one common word, so that an entry with this word alone lacks the group.
    """
    groups = []
    for left_out in common:
        others = [token for group in common if group is not left_out for token in group.tokens]
        groups.append(tuple(dict.fromkeys([*rare, *others])))
    return tuple(groups)


def _entries(groups: Sequence[_Group]) -> int:
    return sum([group.entries for group in groups])


def _candidate(entry: EntryRow) -> Candidate:
    terms = analyze_entry(
        entry["name"], entry["synonyms"] or (), entry["description"] or "", entry["tags"] or ()
    )
    return Candidate(entry["oifm_id"], terms, entry)
