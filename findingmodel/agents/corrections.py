"""Error messages that tell an agent what to ask instead: the nearest ids, names and tags."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from findingmodel.agents.budget import count_tokens, largest
from findingmodel.errors import NotFoundError, QueryError
from findingmodel.search.hits import status_of
from findingmodel.search.suggest import nearest_tags, similar_ids
from findingmodel.text.normalize import tokenize
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from findingmodel.index.aio import Index
    from findingmodel.index.results import IndexEntry
    from findingmodel.model.finding import FindingModelFull

_MAX_NEAREST = 5
_ID_SIMILARITY = 0.7
_MAX_ECHO_TOKENS = 60
_TAG = "tag:"
_ID = re.compile(r"oifma?[_ -]", re.IGNORECASE)
_EMPTY = "The index is empty: run `findingmodel index update DIR` with a directory of finding models."


def unknown_argument(tool: str, arguments: Iterable[str], known: Collection[str]) -> str | None:
    """Return a message about the first of *arguments* that *tool* does not have, or None.

    >>> unknown_argument("list_tags", ["tag"], ["containing", "limit"])
    "list_tags has no argument 'tag'; it has containing, limit"
    """
    for name in arguments:
        if name not in known:
            alternatives = f"it has {', '.join(known)}" if known else "it takes none"
            return f"{tool} has no argument {name[:60]!r}; {alternatives}"
    return None


def wrong_arguments(error: BaseException | None) -> str | None:
    """Return the arguments that an *error* of the SDK rejects, and what is allowed; None for other errors."""
    if not isinstance(error, ValidationError):
        return None
    details = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, detail['loc']))}: {detail['msg']}" for detail in details)


async def not_found(index: Index, key: str, max_tokens: int) -> NotFoundError:
    """Return the error for a *key* that no model has, with the models whose ids or names are nearest."""
    is_id = _ID.match(key) is not None
    owner = await index.get_by_attribute(key) if is_id else None
    if owner is not None:
        fact = f"{key.upper()} is not a model but an attribute of {owner.oifm_id}"
        return NotFoundError(_message(max_tokens, fact, (), f"get_finding_model {owner.oifm_id} shows it"))
    nearest: Iterable[IndexEntry | FindingModelFull] = await (
        _nearest_by_id(index, key) if is_id else _nearest_by_name(index, key)
    )
    names = [f"{entry.oifm_id} ({entry.name})" for entry in nearest]
    fact = f"no model has the id, name or synonym {_echo(key)}"
    advice = await empty_hint(index) or "search_finding_models finds models by other words"
    return NotFoundError(_message(max_tokens, fact, names, advice))


async def check_tags(index: Index, tags: Sequence[str], max_tokens: int) -> None:
    """Check that each of *tags* is a tag of some model.

    Raises:
        QueryError: no model has one of them; the message names the nearest tags.
    """
    known = list(await index.count_tags()) if tags else []
    for tag in tags:
        nearest = nearest_tags(tag, known)
        if nearest is not None:
            fact = f"no model has the tag {_echo(tag)}"
            raise QueryError(_message(max_tokens, fact, [*map(repr, nearest)], "list_tags shows all tags"))


def tags_in(query: str) -> list[str]:
    """Return the tags that the text of a query filters by.

    >>> tags_in("nodule tag:x-ray")
    ['x-ray']
    """
    groups = parse_query(query).facets if tokenize(query) else ()
    return [group[0].removeprefix(_TAG) for group in groups if len(group) == 1 and group[0].startswith(_TAG)]


async def empty_hint(index: Index) -> str | None:
    """Return how to fill the index if it is empty, or None."""
    return None if await index.count() else _EMPTY


async def _nearest_by_name(index: Index, key: str) -> Iterable[IndexEntry]:
    words = " ".join(tokenize(key))  # without the operators and filters of a query
    hits = await index.search(words, _MAX_NEAREST)
    if status_of(hits) != "unmatched":
        return hits
    return [suggestion.entry for suggestion in await index.suggest(key, _MAX_NEAREST)]


async def _nearest_by_id(index: Index, key: str) -> Iterable[FindingModelFull]:
    sources = [organization.code for organization in await index.get_organizations()]
    candidates = similar_ids(key, sources)
    models = await index.get_full_batch(candidates)
    if candidates and candidates[0] in models:  # the id with its leading zeros, which are dropped most often
        return [models[candidates[0]]]
    close = get_close_matches(key.upper(), list(models), _MAX_NEAREST, _ID_SIMILARITY)
    return [models[oifm_id] for oifm_id in close]


def _echo(text: str) -> str:
    quoted = repr(text)
    return quoted if count_tokens(quoted) <= _MAX_ECHO_TOKENS else "that was asked for"


def _message(max_tokens: int, fact: str, names: Sequence[str], advice: str) -> str:
    """Return a message with as many of *names* as fit into *max_tokens*."""

    def message(count: int) -> str:
        nearest = f"; nearest are {', '.join(names[:count])}" if count else ""
        return f"{fact}{nearest}. {advice}"

    return message(largest(len(names), lambda count: count_tokens(message(count)) <= max_tokens))
