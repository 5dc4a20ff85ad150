"""A `TermQuery` in MongoDB's terms. Pure.

With a text index the server proposes by ``$text``: any of the words, weighed by field. Without one it
selects by the multikey index of tokens, and the same weights are summed up in the pipeline. What a text
search cannot say (all of several groups, exclusions, facets) is a plain condition beside it, so that both
ways select the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from findingmodel.stores.records import TermQuery

__all__ = ["FIELD_WEIGHTS", "TEXT_FIELDS", "by_text", "by_tokens", "selection", "tokens_of"]

Condition = dict[str, Any]

FIELD_WEIGHTS = {"name": 5, "synonyms": 4}
"""What a token counts for in a field of `Terms`, 1 in the others; some servers allow no more than three."""

TEXT_FIELDS = ("name", "synonyms", "description", "other")


def tokens_of(query: TermQuery) -> list[str]:
    """Return every token that is asked for, once."""
    return list(dict.fromkeys(token for group in query.groups for token in group))


def by_text(query: TermQuery) -> Condition | None:
    """Return the filter for a text search; None where one of the tokens is no word to a text index.

    A hyphen or a quotation mark would be an operator there, and other marks would split the token
    (https://www.mongodb.com/docs/manual/reference/operator/query/text/).
    """
    tokens = tokens_of(query)
    if not tokens or not all(token.isalnum() for token in tokens):
        return None
    words = [{"$text": {"$search": " ".join(tokens)}}]
    return _every(words + (_groups(query) if query.match == "all" else []) + _limits(query))


def by_tokens(query: TermQuery, limit: int, fields: Condition) -> list[Condition]:
    """Return the aggregation that selects *fields* and weighs by tokens, without a text index."""
    wanted = {"$literal": tokens_of(query)}
    found = [
        {"$multiply": [FIELD_WEIGHTS.get(name, 1), {"$size": {"$setIntersection": [_words(name), wanted]}}]}
        for name in TEXT_FIELDS
    ]
    return [
        {"$match": selection(query)},
        {"$project": {**fields, "score": {"$add": found}}},
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
    """Return the conditions for facets and exclusions; always ``$in``, which any server takes for arrays."""
    facets: list[Condition] = [{"facets": {"$in": list(group)}} for group in query.facets if group]
    return facets + ([{"name_tokens": {"$nin": list(query.excluded)}}] if query.excluded else [])


def _every(conditions: Sequence[Condition]) -> Condition:
    """Join *conditions*; the first stays outermost, where every server looks for an index."""
    first, *rest = conditions
    return {**first, "$and": rest} if rest else first


def _words(name: str) -> Condition:
    return {"$split": [f"$terms.{name}", " "]}
