"""Sources of candidates: each proposes entries for a plan, behind one interface.

`findingmodel.search.rank` fuses what they propose. A source that knows entries by other means than words, as
vectors do, says with each proposal how sure it is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from findingmodel.search.proposing import make_filter
from findingmodel.stores.records import Candidate
from findingmodel.text.terms import analyze_entry

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from findingmodel.search.plan import Plan
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["SOURCES", "Proposal", "Source", "by_key", "by_words"]


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
