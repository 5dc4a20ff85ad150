"""Sources of candidates: each proposes entries for a plan, behind one interface.

`findingmodel.search.rank` fuses what they propose. A source that knows entries by other means than words, as
vectors do, says with each proposal how sure it is.
"""

from __future__ import annotations

from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Protocol

from findingmodel.stores.records import Candidate, TermQuery
from findingmodel.text.terms import analyze_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from findingmodel.search.plan import Plan
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = [
    "FEW",
    "Proposal",
    "Request",
    "SOME",
    "SOURCES",
    "Source",
    "by_key",
    "by_words",
    "make_filter",
    "make_requests",
]

FEW = 75  # entries: so many are ranked in well under a millisecond
SOME = 600  # entries: so many are ranked in a few milliseconds
_STRONG = 0.7  # weaker readings make candidates only where the stronger have next to none
_NEXT_TO_NONE = 20
_TELLING = 1 / 8  # of the weight of the heaviest word: lighter ones make no candidates
_HEAVY = 0.6  # of the weight of the heaviest word: common words as heavy as this make candidates too
_MOST_COMMON = 3


class Request(NamedTuple):
    """One question to a store.

    Attributes:
        query: what to look for.
        limit: most candidates, the store's best; None for all of those that match, which are few.
    """

    query: TermQuery
    limit: int | None


class _Group(NamedTuple):
    """The entries that a word may be about.

    Attributes:
        entries: at most so many.
        weight: how much the word tells.
        tokens: of each reading the rarest, the best reading first.
    """

    entries: int
    weight: float
    tokens: tuple[str, ...]


def make_filter(plan: Plan) -> TermQuery:
    """Return what every candidate must have and must not have, whatever its words."""
    excluded = tuple(tokens[0] for tokens in plan.query.excluded if len(tokens) == 1)
    return TermQuery((), "any", excluded, plan.query.facets)


def make_requests(plan: Plan) -> tuple[Request, ...]:
    """Return what to ask the store, one after the other until something is found.

    Rare words make candidates alone. Where the heavy words are common, two of them make one together: the
    others could not be among the best. Only if that finds nothing, the rarest word alone is asked for. Where
    no word is known, there is nothing to ask.
    """
    base = make_filter(plan)
    groups = _groups(plan)
    if not groups:
        return ()
    rare, common = _parted(groups)
    if len(common) < 2:
        return (_any_of(plan, base, [*rare, *common]),)
    return _two_of(base, rare, common), _any_of(plan, base, groups[:1])


def _any_of(plan: Plan, base: TermQuery, groups: Sequence[_Group]) -> Request:
    """Ask for entries with a word of *groups*, in its best readings if they would be too many.

    Only where one reading alone has too many entries, the store chooses among them.
    """
    query = base._replace(groups=tuple(group.tokens for group in groups))
    if _entries(groups) <= SOME:
        return Request(query, None)
    tokens = list(dict.fromkeys(token for group in groups for token in group.tokens))
    fitting = _fitting(tokens, plan.counts)
    return Request(base._replace(groups=(fitting,)), None) if fitting else Request(query, FEW)


def _fitting(tokens: Sequence[str], counts: Mapping[str, int]) -> tuple[str, ...]:
    """Return the first of *tokens*, as many as `SOME` entries have together."""
    sums = accumulate(counts[token] for token in tokens)
    return tuple(token for token, entries in zip(tokens, sums, strict=True) if entries <= SOME)


def _two_of(base: TermQuery, rare: Sequence[_Group], common: Sequence[_Group]) -> Request:
    """Ask for entries with a word of *rare*, or with two of *common*."""
    rare_tokens = tuple(dict.fromkeys(token for group in rare for token in group.tokens))
    most = _entries(rare) + _entries(common) // 2  # seldom are there nearly so many
    query = base._replace(groups=_any_two(rare_tokens, common), match="all")
    return Request(query, None if most <= SOME else SOME)


def _entries(groups: Sequence[_Group]) -> int:
    return sum([group.entries for group in groups])


def _any_two(rare: tuple[str, ...], common: Sequence[_Group]) -> tuple[tuple[str, ...], ...]:
    """Return groups: who has a token of *rare*, or tokens of two words of *common*, has one of each.

    Whoever lacks all words but one lacks the group from which that one is left out.
    """
    groups = []
    for left_out in common:
        others = [token for group in common if group is not left_out for token in group.tokens]
        groups.append(tuple(dict.fromkeys([*rare, *others])))
    return tuple(groups)


def _parted(groups: Sequence[_Group]) -> tuple[list[_Group], list[_Group]]:
    """Return the rarest words, which have `FEW` entries together, and those of the others that are heavy."""
    heavy = max([group.weight for group in groups], default=0.0) * _HEAVY
    rare: list[_Group] = []
    common: list[_Group] = []
    for group in groups:
        (common if common or _entries(rare) + group.entries > FEW else rare).append(group)
    if not any(group.weight >= heavy for group in common):
        return (rare, []) if rare else ([], common[:_MOST_COMMON])
    return rare, sorted(common, key=lambda group: -group.weight)[:_MOST_COMMON]


def _groups(plan: Plan) -> list[_Group]:
    """Return the words that make candidates, the one with the fewest entries first."""
    telling = max(plan.weights, default=0.0) * _TELLING
    return sorted(
        _group(plan, place)
        for place, weight in enumerate(plan.weights)
        if weight >= telling and place not in plan.unknown
    )


def _group(plan: Plan, place: int) -> _Group:
    strong: dict[str, int] = {}
    weak: dict[str, int] = {}
    own = [reading for reading in plan.readings if place in reading.places]
    for reading in sorted(own, key=lambda reading: -reading.quality):
        token = min(reading.tokens, key=plan.counts.__getitem__)
        (strong if reading.quality >= _STRONG else weak).setdefault(token, plan.counts[token])
    if sum(strong.values()) < _NEXT_TO_NONE:
        strong.update(weak)
    return _Group(sum(strong.values()), plan.weights[place], tuple(strong))


class Proposal(NamedTuple):
    """A candidate, and how sure its source is that it is meant, from 0 to 1; 0 leaves that to the words."""

    candidate: Candidate
    sureness: float = 0.0


class Source(Protocol):
    """What proposes candidates."""

    async def __call__(self, store: Store, plan: Plan, wanted: int | None) -> list[Proposal]:
        """Return proposals for *plan*; fewer than *wanted* cannot fill the page that was asked for.

        If it is None, every hit will be counted.
        """
        ...


async def by_words(store: Store, plan: Plan, wanted: int | None) -> list[Proposal]:
    """Propose what the store's index finds, nearly always by one command; what is wanted by filters alone."""
    if not plan.words:
        return _proposals(await store.candidates(make_filter(plan), limit=wanted))
    for query, limit in plan.requests:
        candidates = await store.candidates(query, limit=limit)
        if candidates:
            return _proposals(candidates)
    return []


async def by_key(store: Store, plan: Plan, wanted: int | None) -> list[Proposal]:
    """Propose entries by id, and by name, slug or synonym where `by_words` may not see them all."""
    sees_all = bool(plan.requests) and plan.requests[0].limit is None
    keys = list(plan.query.ids)
    if plan.query.key and not plan.query.facets and not sees_all:
        keys.append(plan.query.key)
    return [Proposal(_candidate(entry)) for entry in await store.lookup(keys)] if keys else []


def _proposals(candidates: Iterable[Candidate]) -> list[Proposal]:
    return list(map(Proposal, candidates))


SOURCES: Sequence[Source] = (by_words, by_key)


def _candidate(entry: EntryRow) -> Candidate:
    terms = analyze_entry(
        entry["name"], entry["synonyms"] or (), entry["description"] or "", entry["tags"] or ()
    )
    return Candidate(entry["oifm_id"], terms, entry)
