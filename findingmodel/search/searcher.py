"""Searcher: from what a user typed to hits, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.errors import QueryError
from findingmodel.runtime.timing import untimed
from findingmodel.search.candidates import SOURCES
from findingmodel.search.expansion import STAGES
from findingmodel.search.explain import carried, explain, is_denied
from findingmodel.search.hits import EXACT, HitRow
from findingmodel.search.lookup import carriers, code_facets_of, match_field
from findingmodel.search.plan import make_plan
from findingmodel.search.rank import rank
from findingmodel.search.score import AS_TYPED, BY_ID
from findingmodel.search.vocabulary import Vocabulary
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from findingmodel.runtime.timing import Timer
    from findingmodel.search.candidates import Proposal, Source
    from findingmodel.search.plan import Plan
    from findingmodel.search.score import Ranked
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow
    from findingmodel.text.query import Query

__all__ = ["Searcher", "search"]

_FEWEST = 10  # candidates where filters alone choose: an excluded phrase may take some of a short page away
_MOST_EXACT = 100  # hits put in order by their fields: so many models never share a name


async def search(store: Store, text: str, *, limit: int = 10, tags: Sequence[str] = ()) -> list[HitRow]:
    """Return the entries that answer *text*, best first, at most *limit*; for one search (else `Searcher`).

    Raises:
        QueryError: *text* is no query.
    """
    return await Searcher(store).search(parse_query(text, tags=tags), limit=limit)


class Searcher:
    """Searches one index, and keeps what it learns of its words until the index changes.

    Args:
        store: the index; it must be open.
        sources: what proposes candidates.
        stages: the ways in which words are read (`findingmodel.search.expansion.STAGES`).
        timer: measures each step.
    """

    def __init__(
        self,
        store: Store,
        *,
        sources: Sequence[Source] = SOURCES,
        stages: Collection[str] = STAGES,
        timer: Timer = untimed,
    ) -> None:
        self._store = store
        self._timer = timer
        self._sources = sources
        self._stages = stages
        self._vocabulary = Vocabulary(store)
        self._generation = -1  # of the vocabulary

    async def generation(self) -> int:
        """Return the generation of the index."""
        return await self._store.generation()

    async def vocabulary(self, generation: int | None = None) -> Vocabulary:
        """Return what is known of the words of this *generation* of the index; else of the newest."""
        current = await self.generation() if generation is None else generation
        if current != self._generation:
            self._generation, self._vocabulary = current, Vocabulary(self._store)
        return self._vocabulary

    async def search(
        self, query: Query, *, limit: int = 10, offset: int = 0, generation: int | None = None
    ) -> list[HitRow]:
        """Return the hits from *offset* on, at most *limit*, best first.

        Give the *generation* if it is known, and it is not asked for.
        """
        if limit < 1 or offset < 0:
            raise QueryError(f"limit is {limit} and offset {offset}: ask for at least one hit, from 0 on")
        plan, ranked = await self._ranked(query, offset + limit, generation)
        exact = [one for one in ranked[:_MOST_EXACT] if one.score >= EXACT]
        shown = slice(offset, offset + limit)
        entries = await self._entries([*exact, *ranked[shown]])
        ordered = _exact_first(query.key, exact, entries) + ranked[len(exact) :]
        page = [one for one in ordered[shown] if one.candidate.oifm_id in entries]  # else it is gone by now
        with self._timer("search.explain", items=len(page)):
            hits = [_hit(plan, one, entries[one.candidate.oifm_id]) for one in page]
        return await self._with_carriers(query, hits)

    async def count_tags(self, query: Query) -> dict[str, int]:
        """Return how many hits have each tag, the most frequent first; case and accents do not matter."""
        from findingmodel.search.facets import TagCounter  # no search for hits needs it

        _, ranked = await self._ranked(query, None)
        tally = TagCounter()
        tally.add((await self._entries(ranked)).values())
        return {count.tag: count.models for count in tally.counts()}

    async def _ranked(
        self, query: Query, wanted: int | None, generation: int | None = None
    ) -> tuple[Plan, list[Ranked]]:
        """Return all that answers *query*, best first; at most *wanted* of what filters alone let through."""
        with self._timer("search.plan"):
            plan = await make_plan(query, await self.vocabulary(generation), self._stages)
        proposals: list[Proposal] = []
        most = None if wanted is None else max(wanted, _FEWEST)
        with self._timer("search.candidates") as span:
            for source in self._sources:
                proposals += await source(self._store, plan, most)
            span.items = len(proposals)
        with self._timer("search.rank", items=len(proposals)):
            return plan, rank(plan, proposals)

    async def _with_carriers(self, query: Query, hits: list[HitRow]) -> list[HitRow]:
        """Return *hits* with what in each model carries a code that *query* asks for."""
        codes = code_facets_of(query)
        if not (codes and hits):
            return hits
        found = await carriers(self._store, [hit.entry["oifm_id"] for hit in hits], codes)
        return [
            hit._replace(matched=(*hit.matched, *map(carried, found.get(hit.entry["oifm_id"], ()))))
            for hit in hits
        ]

    async def _entries(self, ranked: Sequence[Ranked]) -> dict[str, EntryRow]:
        entries = {one.candidate.oifm_id: one.candidate.entry for one in ranked if one.candidate.entry}
        missing = {one.candidate.oifm_id for one in ranked} - entries.keys()
        if missing:
            with self._timer("search.entries", items=len(missing)):
                entries.update(await self._store.get(missing))
        return entries


def _exact_first(key: str, ranked: Sequence[Ranked], entries: Mapping[str, EntryRow]) -> list[Ranked]:
    """Order exact matches: by the field that is the query, then those that only are after analysis."""
    found = []
    for one in ranked:
        entry = entries.get(one.candidate.oifm_id)
        field = match_field(key, entry) if entry and one.score < BY_ID else None
        found.append(one._replace(score=AS_TYPED[field]) if field else one)
    return sorted(found, key=lambda one: (-one.score, one.candidate.oifm_id))


def _hit(plan: Plan, one: Ranked, entry: EntryRow) -> HitRow:
    return HitRow(entry, one.score, explain(plan, one, entry), is_denied(plan, one))
