"""Search an index: from a query to hits, best first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.errors import QueryError
from findingmodel.runtime.timing import untimed
from findingmodel.search.candidates import SOURCES
from findingmodel.search.expansion import STAGES, make_plan
from findingmodel.search.hits import HitRow, Match, explain, is_denied
from findingmodel.search.lookup import code_facets_of, find_coded_elements, match_field
from findingmodel.search.rank import AS_TYPED, BY_ID, EXACT, exact_order, rank
from findingmodel.search.vocabulary import Vocabulary
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from findingmodel.runtime.timing import Timer
    from findingmodel.search.candidates import Source
    from findingmodel.search.expansion import Plan
    from findingmodel.search.rank import Ranked
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import Candidate, EntryRow
    from findingmodel.text.query import Query

_MIN_FILTERED = 10  # candidates of filters alone: an excluded phrase may remove some from a short page
_LEAST_COUNTED = 0.05  # the score of a hit whose tags are counted
_MAX_EXACT = 100  # exact hits put in order by their fields; as many models never share a name


async def search(store: Store, text: str, *, limit: int = 10, tags: Sequence[str] = ()) -> list[HitRow]:
    """Return the entries that answer *text*, best first, at most *limit*; for a single search.

    Raises:
        QueryError: *text* is not a query.
    """
    return await Searcher(store).search(parse_query(text, tags=tags), limit=limit)


class Searcher:
    """Searches one index, and keeps what it learns of the index's words until the index changes.

    Args:
        store: the index; it must be open.
        sources: where candidates come from.
        stages: how words are expanded (`findingmodel.search.expansion.STAGES`).
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
        """Return the vocabulary of this *generation* of the index, or of the newest."""
        current = await self.generation() if generation is None else generation
        if current != self._generation:
            self._generation, self._vocabulary = current, Vocabulary(self._store)
        return self._vocabulary

    async def search(
        self, query: Query, *, limit: int = 10, offset: int = 0, generation: int | None = None
    ) -> list[HitRow]:
        """Return at most *limit* hits from *offset* on, best first.

        Pass the *generation* of the index if you know it; else the store is asked for it.

        Raises:
            QueryError: *limit* or *offset* is out of range.
        """
        if limit < 1 or offset < 0:
            raise QueryError(f"limit is {limit} and offset {offset}: ask for at least one hit, from 0 on")
        plan, ranked = await self._ranked(query, offset + limit, generation)
        exact = [one for one in ranked[:_MAX_EXACT] if one.score >= EXACT]
        shown = slice(offset, offset + limit)
        entries = await self._entries([*exact, *ranked[shown]])
        ordered = _exact_first(query.key, exact, entries) + ranked[len(exact) :]
        # An entry is missing if it was removed since.
        page = [one for one in ordered[shown] if one.candidate.oifm_id in entries]
        with self._timer("search.explain", items=len(page)):
            hits = [_hit(plan, one, entries[one.candidate.oifm_id]) for one in page]
        return await self._with_coded_elements(query, hits)

    async def count_tags(self, query: Query) -> dict[str, int]:
        """Return how many hits have each tag, the most frequent first; case and accents do not matter.

        Hits that are hardly likely to be right are not counted.
        """
        from findingmodel.search.facets import TagCounter  # a search for hits does not need it

        _, ranked = await self._ranked(query, None)
        counter = TagCounter()
        counted = [one for one in ranked if one.score >= _LEAST_COUNTED or not query.words]
        counter.add((await self._entries(counted)).values())
        return counter.counts()

    async def _ranked(
        self, query: Query, limit: int | None, generation: int | None = None
    ) -> tuple[Plan, list[Ranked]]:
        """Return all that answers *query*, best first; of filters alone about *limit*."""
        with self._timer("search.plan"):
            plan = await make_plan(query, await self.vocabulary(generation), self._stages)
        candidates: list[Candidate] = []
        most = None if limit is None else max(limit, _MIN_FILTERED)
        with self._timer("search.candidates") as span:
            for source in self._sources:
                candidates += await source(self._store, plan, most)
            span.items = len(candidates)
        with self._timer("search.rank", items=len(candidates)):
            return plan, rank(plan, candidates)

    async def _with_coded_elements(self, query: Query, hits: list[HitRow]) -> list[HitRow]:
        """Return *hits* with the parts of each model that carry a code which *query* asks for."""
        codes = code_facets_of(query)
        if not (codes and hits):
            return hits
        found = await find_coded_elements(self._store, [hit.entry["oifm_id"] for hit in hits], codes)
        with_codes = []
        for hit in hits:
            elements = found.get(hit.entry["oifm_id"], ())
            codes_matched = [Match("filter", "code", tuple(element), 0.0) for element in elements]
            with_codes.append(hit._replace(matched=(*hit.matched, *codes_matched)))
        return with_codes

    async def _entries(self, ranked: Sequence[Ranked]) -> dict[str, EntryRow]:
        entries = {one.candidate.oifm_id: one.candidate.entry for one in ranked if one.candidate.entry}
        missing = {one.candidate.oifm_id for one in ranked} - entries.keys()
        if missing:
            with self._timer("search.entries", items=len(missing)):
                entries.update(await self._store.get(missing))
        return entries


def _exact_first(key: str, exact: Sequence[Ranked], entries: Mapping[str, EntryRow]) -> list[Ranked]:
    """Order exact matches: first by the field that equals the query, then those that do after analysis."""
    found = []
    for one in exact:
        entry = entries.get(one.candidate.oifm_id)
        field = match_field(key, entry) if entry and one.score < BY_ID else None
        found.append(one._replace(score=AS_TYPED[field]) if field else one)
    return sorted(found, key=exact_order)


def _hit(plan: Plan, one: Ranked, entry: EntryRow) -> HitRow:
    return HitRow(entry, one.score, explain(plan, one, entry), is_denied(plan, one))
