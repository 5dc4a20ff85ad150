"""What ranking weighs for each judged query: the input of `train_rank`."""

from __future__ import annotations

import asyncio
import tempfile
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from typing import TYPE_CHECKING, NamedTuple

from findingmodel.errors import QueryError
from findingmodel.search import meaning
from findingmodel.search.candidates import SOURCES
from findingmodel.search.expansion import make_plan
from findingmodel.search.rank import exact_order, unknown_share, weigh
from findingmodel.search.vocabulary import Vocabulary
from findingmodel.stores import open_store
from findingmodel.text.query import parse_query
from judging.queries import fill, without

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from judging.queries import Judged, Models

__all__ = ["Case", "collect"]

_LIMIT = 10


class Case(NamedTuple):
    """A judged query with its candidates.

    Attributes:
        judged: the query.
        narrative: whether it is a sentence.
        unknown: the share of it that no entry has.
        words: how many words it has.
        exact: ids of exact matches, the best first.
        ids: of the other candidates.
        evidence: for each of *ids* what ranking weighs.
        contradicts: for each of *ids* whether it contradicts the query.
    """

    judged: Judged
    narrative: bool
    unknown: float
    words: int
    exact: list[str]
    ids: list[str]
    evidence: list[tuple[float, ...]]
    contradicts: list[bool]


def collect(judged: Sequence[Judged], models: Models, table: Path, table_without: Path) -> list[Case]:
    """Return the cases of *judged* with the *table* of meanings, of dropped synonyms with *table_without*.

    Each half runs in a process of its own, because a process has one table.
    """
    parts = [
        ([one for one in judged if not one.dropped], table),
        ([one for one in judged if one.dropped], table_without),
    ]
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        halves = [pool.submit(_collect, part, models, path) for part, path in parts if part]
        return [case for half in halves for case in half.result()]


def _collect(judged: Sequence[Judged], models: Models, table: Path) -> list[Case]:
    meaning.PATH = table
    return asyncio.run(_cases(judged, without(models, {one.dropped for one in judged if one.dropped})))


async def _cases(judged: Sequence[Judged], models: Models) -> list[Case]:
    with tempfile.TemporaryDirectory() as directory:
        store = open_store(f"sqlite:///{directory}/index.db")
        await store.open()
        try:
            await fill(store, models)
            vocabulary = Vocabulary(store)
            return [case for one in judged if (case := await _case(one, store, vocabulary))]
        finally:
            await store.close()


async def _case(one: Judged, store: Store, vocabulary: Vocabulary) -> Case | None:
    try:
        plan = await make_plan(parse_query(one.query), vocabulary)
    except QueryError:
        return None
    candidates = [found for source in SOURCES for found in await source(store, plan, _LIMIT)]
    exact, weighed = weigh(plan, candidates)
    exact.sort(key=exact_order)
    return Case(
        one,
        plan.query.narrative,
        unknown_share(plan),
        len(plan.words),
        [ranked.candidate.oifm_id for ranked in exact],
        [fit.candidate.oifm_id for fit, _ in weighed],
        [tuple(evidence) for _, evidence in weighed],
        [fit.contradicts for fit, _ in weighed],
    )
