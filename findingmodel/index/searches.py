"""IndexSearches: find entries by words, by slug, by an unfinished name, and by ontology code."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from findingmodel.batch.search import search_batch
from findingmodel.errors import ConfigError, QueryError
from findingmodel.index.arguments import check_items, check_page, check_text, check_texts
from findingmodel.index.base import IndexBase
from findingmodel.index.results import (
    CodeMatch,
    Hits,
    Page,
    SearchAnswers,
    Suggestion,
    copy_hits,
    to_entries,
    to_entry,
    to_hits,
)
from findingmodel.limits import MAX_QUERY_CHARACTERS
from findingmodel.search.lookup import find_by_code
from findingmodel.text.normalize import fold, slug, tokenize
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Self

    from findingmodel.search.cache import CacheStatistics
    from findingmodel.text.query import Query


def frequent_queries(path: str) -> list[str]:
    """Return the lines of the file *path* that are not empty; none without a path.

    Raises:
        ConfigError: the file cannot be read.
    """
    if not path:
        return []
    try:
        text = Path(path).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8"
        raise ConfigError(f"cannot read the file {path!r} of the setting warm_queries: {reason}") from error
    return [line.strip() for line in text.splitlines() if line.strip()]


class IndexSearches(IndexBase):
    """Searching an index."""

    async def __aenter__(self) -> Self:
        await super().__aenter__()
        if self._session.settings.warm_queries:
            await self.warm()
        return self

    async def search(
        self, query: str, limit: int = 10, *, tags: Sequence[str] | None = None, offset: int = 0
    ) -> Hits:
        """Return the entries that match *query*, best first; exact ids, names and synonyms come first.

        Text without a letter or digit matches nothing. Only the first 4,000 characters are used.

        Args:
            query: words, "phrases", -exclusions, filters such as ``tag:CT``, ids (`findingmodel.text.query`).
            limit: the most hits to return, at least 1.
            tags: only entries that have all of these tags.
            offset: how many hits to skip.

        Raises:
            QueryError: a filter is not valid, or an argument is out of range.
        """
        with self._session.timer("search"):
            check_page(limit, offset)
            parsed = _parsed(
                check_text("query", query)[:MAX_QUERY_CHARACTERS], tuple(check_texts("tags", tags))
            )
            if parsed is None:
                return Hits()
            searcher = self._session.searcher
            return copy_hits(await searcher.search_as(to_hits, parsed, limit=limit, offset=offset))

    async def search_batch(
        self,
        queries: Iterable[str],
        limit: int = 10,
        *,
        limit_per_query: int | None = None,
        tags: Sequence[str] | None = None,
    ) -> SearchAnswers:
        """Return the hits of each query as a dict; ``.errors`` has the queries that are not valid.

        Args:
            queries: as for `search`; each distinct query is searched once.
            limit: the most hits for each query.
            limit_per_query: another name of *limit*, as in findingmodel 0.4.
            tags: only entries that have all of these tags.

        Raises:
            QueryError: *limit* is out of range. An invalid query raises nothing and does not stop the others.
        """
        if isinstance(queries, str):
            raise QueryError(f"a batch is a list of queries: for one query write [{queries[:60]!r}]")
        tags = check_texts("tags", tags)
        limit = limit if limit_per_query is None else limit_per_query
        check_page(limit)
        with self._session.timer("search batch") as span:
            wanted = check_items("queries", queries)
            texts = {query: query[:MAX_QUERY_CHARACTERS] for query in wanted if isinstance(query, str)}
            rows = await search_batch(
                self._session.searcher,
                [text for text in texts.values() if tags or tokenize(text)],
                limit=limit,
                tags=tags,
                concurrency=self._session.concurrency,
            )
            results = {query: rows[text] for query, text in texts.items() if text in rows}
            hits = {query: to_hits(results[query].hits) if query in results else Hits() for query in wanted}
            errors = {query: row.error for query, row in results.items() if row.error is not None}
            for query in wanted:
                if query not in texts:
                    errors[query] = QueryError(f"a query must be text, not {query!r}")
            span.items = len(wanted)
        return SearchAnswers(hits, errors)

    async def warm(self, queries: Iterable[str] | None = None, *, limit: int = 10) -> CacheStatistics:
        """Load the words of the index and answer *queries*, so that the first users need not wait.

        ``async with Index(...)`` does this by itself if the setting ``warm_queries`` names a file. Call it
        again after an update: answers hold for one generation of the index.

        Args:
            queries: as for `search`; by default the lines of the file of the setting, if any. Those that are
                not valid are skipped.
            limit: the most hits of each query; answers are kept by query and limit.

        Returns:
            The statistics of the cache, whose `hit_rate` shows later how often it answered.

        Raises:
            ConfigError: the file of the setting cannot be read.
            QueryError: *limit* is out of range.
        """
        searcher = self._session.searcher
        if queries is None:
            queries = await self._session.use_threads()(frequent_queries, self._session.settings.warm_queries)
        await (await searcher.vocabulary()).words()
        await self.search_batch(queries, limit)
        return self.cache_statistics

    async def count_tags(
        self, query: str | None = None, *, tags: Sequence[str] | None = None
    ) -> dict[str, int]:
        """Return how many models have each tag, the most frequent first; case and accents do not matter.

        Args:
            query: count only models that match, as in `search`.
            tags: count only models that have all of these tags.

        Raises:
            QueryError: a filter is not valid.
        """
        tags = check_texts("tags", tags)
        if query is not None:
            check_text("query", query)
        searcher = self._session.searcher
        if query is None and not tags:
            return await searcher.all_tags()
        return await searcher.count_tags(parse_query(query or "", tags=tags))

    async def search_by_slug(
        self, pattern: str, limit: int = 100, offset: int = 0, match_type: str = "contains"
    ) -> Page:
        """Return entries by slug and their total number: ``entries, total = await ...``.

        Args:
            pattern: any text; it is converted to a slug. Equal slugs come first, then those that begin so.
            limit: the most entries to return, at least 1.
            offset: how many entries to skip.
            match_type: "exact", "prefix" or "contains".

        Raises:
            QueryError: an argument is out of range.
        """
        check_page(limit, offset)
        if match_type not in ("exact", "prefix", "contains"):
            raise QueryError(f"match_type must be exact, prefix or contains, not {match_type!r}")
        ids = await self._ids_by_slug(slug(check_text("pattern", pattern)), match_type)
        page = ids[offset : offset + limit]
        rows = await self._store.get(page)
        return Page(to_entries(rows[oifm_id] for oifm_id in page if oifm_id in rows), len(ids))

    async def _ids_by_slug(self, part: str, match_type: str) -> list[str]:
        if not part:
            return []
        if match_type == "exact":
            holders = await self._store.lookup([fold(part)])
            return sorted(entry["oifm_id"] for entry in holders if entry["slug_name"] == part)
        matches = []
        async for rows in self._store.terms.iter_labels():
            for row in rows:
                whole = slug(row.name)
                start = whole.find(part)
                if start == 0 or (start > 0 and match_type == "contains"):
                    matches.append((whole != part, start > 0, whole, row.oifm_id))
        return [oifm_id for *_, oifm_id in sorted(matches)]

    async def suggest(self, text: str, limit: int = 10) -> list[Suggestion]:
        """Return entries with a name or synonym that completes *text*; its words may be unfinished.

        Raises:
            QueryError: *limit* is out of range.
        """
        check_page(limit)
        check_text("text", text)
        suggestions = await self._session.searcher.suggest(text, limit=limit)
        return [Suggestion(to_entry(entry), label) for entry, label in suggestions]

    async def find_by_code(
        self, system: str, code: str, limit: int = 100, offset: int = 0
    ) -> list[CodeMatch]:
        """Return models, attributes and values with an ontology code, models first.

        Args:
            system: the ontology, such as "RADLEX", in any case.
            code: the code, such as "RID1301", in any case.
            limit: the most models to return, at least 1.
            offset: how many models to skip.

        Raises:
            QueryError: an argument is out of range.
        """
        check_page(limit, offset)
        check_text("system", system)
        check_text("code", code)
        matches = await find_by_code(self._store, system, code, limit=limit, offset=offset)
        return [CodeMatch(to_entry(entry), *element) for entry, element in matches]


@lru_cache(maxsize=512)
def _parsed(text: str, tags: tuple[str, ...]) -> Query | None:
    """Return the query, or None if there is nothing to search for.

    Parsing takes longer than to answer from the cache, so it is cached as well.
    """
    return parse_query(text, tags=tags) if tags or tokenize(text) else None
