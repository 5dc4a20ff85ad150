"""Read reports with an index: its labels, the attributes of its models, and its search for the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from findingmodel.errors import QueryError
from findingmodel.limits import MAX_REPORT_CHARACTERS
from findingmodel.reports.attributes import AttributeFiller
from findingmodel.reports.lexicon import Lexicon
from findingmodel.reports.reader import ReportReader
from findingmodel.reports.values import MentionHit
from findingmodel.runtime.single_flight import SingleFlight
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Sequence

    from findingmodel.reports.attributes import Attribute
    from findingmodel.reports.values import Mention, ReportReading
    from findingmodel.search.hits import HitRow
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import LabelRow
    from findingmodel.text.query import Query

LIKELY = 0.8
"""A hit of a search for a mention that no label fits is believed from this score on."""

_MOST_MODELS = 5_000  # whose attributes are kept
_MOST_PHRASES = 5_000  # whose searches are kept


class _Searcher(Protocol):
    async def generation(self) -> int: ...

    async def search(
        self, query: Query, *, limit: int = ..., offset: int = ..., generation: int | None = ...
    ) -> Sequence[HitRow]: ...


class StoreReports:
    """Reads reports with the labels, the attributes and the search of one store.

    Args:
        store: the index; it must be open.
        searcher: searches it, and knows its generation.
        offload: calls what takes long, in a thread where there is one.
    """

    def __init__(
        self,
        store: Store,
        searcher: _Searcher,
        offload: Callable[..., Awaitable[Any]] | None = None,
    ) -> None:
        self._store = store
        self._searcher = searcher
        self._offload = offload or _in_place
        self._flight = SingleFlight()
        self._generation: int | None = None
        self._reader: ReportReader | None = None
        self._filler: AttributeFiller | None = None
        self._attributes: dict[str, tuple[Attribute, ...]] = {}
        self._searched: dict[str, tuple[MentionHit, ...]] = {}

    async def read(self, text: str, *, exam: str = "", limit: int = 5) -> ReportReading:
        """Return what the report *text* says.

        Args:
            text: the report.
            exam: the name of the examination, such as "CT chest", where the text does not tell.
            limit: the most hits per mention.

        Raises:
            QueryError: *text* is too long, or *limit* is less than 1.
            StoreError: the store failed.
        """
        if limit < 1:
            raise QueryError(f"limit is {limit}: ask for at least one hit")
        if len(text) > MAX_REPORT_CHARACTERS:
            raise QueryError(
                f"the report has {len(text):,} characters, the most are {MAX_REPORT_CHARACTERS:,}: "
                "is it more than one report?"
            )
        reader = await self.reader()
        reading: ReportReading = await self._offload(reader.read, text, exam, limit)
        return await self.complete(reading, limit)

    async def complete(self, reading: ReportReading, limit: int = 5) -> ReportReading:
        """Return *reading* with hits of the search where no label fits, and with attributes."""
        await self.reader()
        mentions = [await self._searched_for(mention, limit) for mention in reading.mentions]
        await self._load({mention.hits[0].oifm_id for mention in mentions if mention.hits})
        return reading._replace(mentions=tuple(self._filled(reading.text, mention) for mention in mentions))

    async def reader(self) -> ReportReader:
        """Return a reader for the newest generation of the index."""
        generation = await self._searcher.generation()
        if self._reader is None or generation != self._generation:
            reader: ReportReader = await self._flight.share(generation, self._make_reader)
            self._generation, self._reader = generation, reader
            self._filler = AttributeFiller(reader.lexicon.concepts)
            self._attributes, self._searched = {}, {}
        return self._reader

    async def _make_reader(self) -> ReportReader:
        rows: list[LabelRow] = []
        async for chunk in self._store.terms.iter_labels():
            rows += chunk
        reader: ReportReader = await self._offload(_reader_of, rows)
        return reader

    async def _searched_for(self, mention: Mention, limit: int) -> Mention:
        """Return *mention* with what a search finds with confidence, if no label fits it."""
        if mention.hits:
            return mention
        phrase = " ".join(mention.text.lower().split())
        if phrase not in self._searched:
            if len(self._searched) >= _MOST_PHRASES:
                self._searched.clear()
            self._searched[phrase] = await self._search(phrase, limit)
        hits = self._searched[phrase]
        return mention._replace(hits=hits[:limit], status="ambiguous") if hits else mention

    async def _search(self, phrase: str, limit: int) -> tuple[MentionHit, ...]:
        try:
            query = parse_query(phrase)
        except QueryError:
            return ()
        found = await self._searcher.search(query._replace(facets=(), ids=()), limit=limit)
        return tuple(
            MentionHit(hit.entry["oifm_id"], hit.entry["name"], min(hit.score, 1.0))
            for hit in found
            if hit.score >= LIKELY
        )

    async def _load(self, ids: Collection[str]) -> None:
        """Read the attributes of the models with these *ids* that are not known yet."""
        missing = [oifm_id for oifm_id in ids if oifm_id not in self._attributes]
        if not missing or self._filler is None:
            return
        if len(self._attributes) + len(missing) > _MOST_MODELS:
            self._attributes.clear()
            missing = list(ids)
        for oifm_id, model in (await self._store.models(missing)).items():
            self._attributes[oifm_id] = self._filler.parse(model)

    def _filled(self, text: str, mention: Mention) -> Mention:
        attributes = self._attributes.get(mention.hits[0].oifm_id, ()) if mention.hits else ()
        if not attributes or self._filler is None:
            return mention
        return mention._replace(attributes=self._filler.fill(text, mention, attributes))


def _reader_of(rows: Iterable[LabelRow]) -> ReportReader:
    return ReportReader(Lexicon(rows))


async def _in_place(function: Callable[..., Any], /, *args: Any) -> Any:
    return function(*args)
