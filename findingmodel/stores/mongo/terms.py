"""The text of all entries in MongoDB: candidates by the text index or by tokens, and labels.

With a text index the server proposes candidates by ``$text``: any of the words, weighed by field. Without
one, it selects them by the multikey index of tokens and sums up the same weights in the pipeline, or, if it
lacks the operators, this module does. Conditions that a text search cannot express (a token of each group,
exclusions, facets) are added as plain conditions, so that all ways select the same entries.
"""

from __future__ import annotations

from heapq import nsmallest
from typing import TYPE_CHECKING, Any

from pymongo.errors import OperationFailure

from findingmodel.stores.mongo import documents
from findingmodel.stores.mongo.commands import BATCH
from findingmodel.stores.mongo.connection import operation
from findingmodel.stores.mongo.documents import FIELD_WEIGHTS, TEXT_FIELDS
from findingmodel.stores.mongo.errors import is_content_refused
from findingmodel.stores.mongo.pool import maybe_await

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from findingmodel.stores.mongo.connection import Connection
    from findingmodel.stores.mongo.setup import BranchSetup
    from findingmodel.stores.records import Candidate, Frequencies, LabelRow, TermQuery
    from findingmodel.text.terms import Terms

Condition = dict[str, Any]

_NO_TEXT_INDEX = 27  # IndexNotFound: "text index required for $text query"
_LABELS_PER_CHUNK = 2_000
_MOST_WITH_ENTRIES = 600
"""Up to this limit candidates come with their entries; of more, search ranks a part and fetches the hits."""


class MongoTerms:
    """The `TermIndex` of a branch in MongoDB."""

    def __init__(self, connection: Connection, setup: BranchSetup) -> None:
        self.connection = connection
        self._setup = setup
        self._can_add_up = True  # until the server says that it lacks an operator

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
        """Yield every entry's names and terms, in chunks, and go on after a lost connection."""
        reader = _LabelReader(self.connection)
        try:
            while rows := await self.connection.call("read the names of", reader.next_chunk):
                yield rows
        finally:
            await reader.close()

    @operation("search")
    async def _find(self, query: TermQuery, limit: int | None) -> list[Candidate]:
        """Find candidates in the way that suits the query and the server."""
        entries = self.connection.reach().reading.entries
        state = self._setup.state or await self._setup.read()
        fields = documents.CANDIDATE_FIELDS
        if limit is None or limit <= _MOST_WITH_ENTRIES:
            fields = fields | documents.ENTRY_FIELDS
        words = by_text(query) if state.text else None
        if words is not None:
            try:
                return await _find_by_text(entries, words, limit, fields)
            except OperationFailure as error:
                if error.code != _NO_TEXT_INDEX:
                    raise
                self._setup.miss_text_index()
        if limit is None:
            return await _candidates(entries.find(selection(query), fields, batch_size=BATCH))
        if tokens_of(query):
            return await self._find_by_tokens(entries, query, limit, fields)
        cursor = entries.find(selection(query), fields, batch_size=limit + 1)
        return await _candidates(cursor.sort([("_id", 1)]).limit(limit))

    async def _find_by_tokens(
        self, entries: Any, query: TermQuery, limit: int, fields: Condition
    ) -> list[Candidate]:
        """Find the best candidates by weights that the server adds up, or that are added up here."""
        if self._can_add_up:
            try:
                pipeline = by_tokens(query, limit, fields)
                return await _candidates(await maybe_await(entries.aggregate(pipeline, batchSize=limit + 1)))
            except OperationFailure as error:
                if not is_content_refused(error):
                    raise
                self._can_add_up = False
        cursor = entries.find(selection(query), documents.CANDIDATE_FIELDS, batch_size=BATCH)
        tokens = set(tokens_of(query))
        return nsmallest(
            limit, await _candidates(cursor), key=lambda found: (-weight(found.terms, tokens), found.oifm_id)
        )


class _LabelReader:
    """Reads the labels of all entries in the order of ids, by one cursor as long as the connection holds."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._cursor: Any = None
        self._last = ""

    async def next_chunk(self) -> list[LabelRow]:
        """Return the next labels; none after the last. A call that fails may be repeated."""
        if self._cursor is None:
            rest = {"_id": {"$gt": self._last}} if self._last else {}
            entries = self._connection.reach().reading.entries
            self._cursor = entries.scan(rest, documents.LABEL_FIELDS, batch_size=BATCH).sort([("_id", 1)])
        try:
            found = await self._cursor.to_list(_LABELS_PER_CHUNK)
            rows = [documents.label_row(document) for document in found]
        except BaseException:
            await self.close()
            raise
        if rows:
            self._last = rows[-1].oifm_id
        return rows

    async def close(self) -> None:
        """Close the cursor. Idempotent."""
        cursor, self._cursor = self._cursor, None
        if cursor is not None:
            await maybe_await(cursor.close())


async def _find_by_text(
    entries: Any, words: Condition, limit: int | None, fields: Condition
) -> list[Candidate]:
    if limit is None:
        return await _candidates(entries.find(words, fields, batch_size=BATCH))
    score = {"$meta": "textScore"}
    cursor = entries.find(words, {**fields, "score": score}, batch_size=limit + 1)
    return await _candidates(cursor.sort([("score", score), ("_id", 1)]).limit(limit))


async def _candidates(cursor: Any) -> list[Candidate]:
    return [documents.candidate(document) for document in await cursor.to_list(None)]


def weight(terms: Terms, tokens: AbstractSet[str]) -> int:
    """Return the sum of the weights of *tokens* in the fields of *terms*, as `by_tokens` adds it up.

    >>> from findingmodel.text.terms import Terms
    >>> weight(Terms("lung mass", "lung", "", "a lung"), {"lung"})
    10
    """
    fields = terms._asdict()
    return sum(FIELD_WEIGHTS.get(name, 1) * len(tokens & set(fields[name].split())) for name in TEXT_FIELDS)


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
