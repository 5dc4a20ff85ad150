"""The text of all entries in MongoDB: candidates by the text index or by tokens, and labels.

With a text index the server proposes candidates by ``$text``: any of the words, weighed by field. Without
one, it selects them by the multikey index of tokens and sums up the same weights in the pipeline. Conditions
that a text search cannot express (a token of each group, exclusions, facets) are added as plain conditions,
so that both ways select the same entries.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from findingmodel.stores.mongo import documents
from findingmodel.stores.mongo.commands import BATCH
from findingmodel.stores.mongo.connection import operation
from findingmodel.stores.mongo.documents import FIELD_WEIGHTS, TEXT_FIELDS
from findingmodel.stores.mongo.pool import maybe_await

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence

    from findingmodel.stores.mongo.connection import Connection
    from findingmodel.stores.mongo.setup import BranchSetup
    from findingmodel.stores.records import Candidate, Frequencies, LabelRow, TermQuery

Condition = dict[str, Any]

_LABELS_PER_CHUNK = 2_000
_MOST_WITH_ENTRIES = 600
"""Up to this limit candidates come with their entries; of more, search ranks a part and fetches the hits."""


class MongoTerms:
    """The `TermIndex` of a branch in MongoDB."""

    def __init__(self, connection: Connection, setup: BranchSetup) -> None:
        self.connection = connection
        self._setup = setup

    async def candidates(self, query: TermQuery, *, limit: int | None) -> list[Candidate]:
        """Return the best entries for *query* by the weights of the fields that have its tokens.

        Without a *limit* these are all matches, in any order.
        """
        if limit == 0 or not (any(query.groups) or any(query.facets)):
            return []
        return await self._find(query, limit)

    async def frequencies(self, tokens: Collection[str] | None) -> Frequencies | None:
        """Return None: a server counts one token per command; `iter_labels` needs one command for all."""
        self.connection.reach()
        return None

    async def words(self) -> Mapping[str, int] | None:
        """Return None: a server has no list of words; `iter_labels` yields the names that contain them."""
        self.connection.reach()
        return None

    async def iter_labels(self) -> AsyncIterator[Sequence[LabelRow]]:
        """Yield every entry's names and terms, in chunks."""
        cursor, rows = await self._first_labels()
        try:
            while rows:
                yield rows
                rows = await self.connection.call("read the names of", lambda: _labels(cursor), once=True)
        finally:
            await maybe_await(cursor.close())

    @operation("search")
    async def _find(self, query: TermQuery, limit: int | None) -> list[Candidate]:
        """Find candidates in the way that suits the query and the server."""
        entries = self.connection.reach().reading.entries
        state = self._setup.state or await self._setup.read()
        fields = documents.CANDIDATE_FIELDS
        if limit is None or limit <= _MOST_WITH_ENTRIES:
            fields = fields | documents.ENTRY_FIELDS
        words = by_text(query) if state.text else None
        if limit is None:
            cursor = entries.find(words or selection(query), fields, batch_size=BATCH)
        elif words:
            score = {"$meta": "textScore"}
            cursor = entries.find(words, {**fields, "score": score}, batch_size=limit + 1)
            cursor = cursor.sort([("score", score), ("_id", 1)]).limit(limit)
        elif tokens_of(query):
            pipeline = by_tokens(query, limit, fields)
            cursor = await maybe_await(entries.aggregate(pipeline, batchSize=limit + 1))
        else:
            cursor = entries.find(selection(query), fields, batch_size=limit + 1)
            cursor = cursor.sort([("_id", 1)]).limit(limit)
        return [documents.candidate(document) for document in await cursor.to_list(None)]

    @operation("read the names of")
    async def _first_labels(self) -> tuple[Any, list[LabelRow]]:
        """Return a cursor over all entries, and its first labels."""
        cursor = self.connection.reach().reading.entries.find({}, documents.LABEL_FIELDS, batch_size=BATCH)
        try:
            return cursor, await _labels(cursor)
        except BaseException:
            await maybe_await(cursor.close())
            raise


async def _labels(cursor: Any) -> list[LabelRow]:
    return [documents.label_row(document) for document in await cursor.to_list(_LABELS_PER_CHUNK)]


def tokens_of(query: TermQuery) -> list[str]:
    """Return every token of *query* once."""
    return list(dict.fromkeys(token for group in query.groups for token in group))


def by_text(query: TermQuery) -> Condition | None:
    """Return the filter for a text search; None if a token is not a word for a text index.

    It takes a hyphen or a quotation mark for an operator, and splits the token at other marks
    (https://www.mongodb.com/docs/manual/reference/operator/query/text/).
    """
    tokens = tokens_of(query)
    if not tokens or not all(token.isalnum() for token in tokens):
        return None
    words = [{"$text": {"$search": " ".join(tokens)}}]
    return _every(words + (_groups(query) if query.match == "all" else []) + _limits(query))


def by_tokens(query: TermQuery, limit: int, fields: Condition) -> list[Condition]:
    """Return the aggregation that selects *fields*, best first, without a text index."""
    tokens = {"$literal": tokens_of(query)}
    scores = [
        {"$multiply": [FIELD_WEIGHTS.get(name, 1), {"$size": {"$setIntersection": [_words(name), tokens]}}]}
        for name in TEXT_FIELDS
    ]
    return [
        {"$match": selection(query)},
        {"$project": {**fields, "score": {"$add": scores}}},
        {"$sort": {"score": -1, "_id": 1}},
        {"$limit": limit},
    ]


def selection(query: TermQuery) -> Condition:
    """Return the filter that selects by tokens and facets, without a text index."""
    return _every(_groups(query) + _limits(query))


def _groups(query: TermQuery) -> list[Condition]:
    if not any(query.groups):
        return []
    if query.match == "all":
        return [{"tokens": {"$in": list(group)}} for group in query.groups if group]
    return [{"tokens": {"$in": tokens_of(query)}}]


def _limits(query: TermQuery) -> list[Condition]:
    """Return the conditions for facets and exclusions; any server accepts ``$in`` for arrays."""
    facets: list[Condition] = [{"facets": {"$in": list(group)}} for group in query.facets if group]
    return facets + ([{"name_tokens": {"$nin": list(query.excluded)}}] if query.excluded else [])


def _every(conditions: Sequence[Condition]) -> Condition:
    """Join *conditions*, with the first outermost, where every server looks for an index."""
    first, *rest = conditions
    return {**first, "$and": rest} if rest else first


def _words(name: str) -> Condition:
    return {"$split": [f"$terms.{name}", " "]}
