"""Errors from which an agent learns what to ask instead: the nearest ids, names and tags that there are."""

from __future__ import annotations

import re
from difflib import get_close_matches
from typing import TYPE_CHECKING

from pydantic import ValidationError

from findingmodel.agents.budget import count_tokens, largest
from findingmodel.errors import NotFoundError, QueryError
from findingmodel.search.suggest import nearest_tags, similar_ids
from findingmodel.text.normalize import tokenize
from findingmodel.text.query import parse_query

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from findingmodel.index.aio import Index
    from findingmodel.index.results import IndexEntry
    from findingmodel.model.finding import FindingModelFull

__all__ = ["check_tags", "empty_hint", "not_found", "tags_in", "unknown_argument", "wrong_arguments"]


def unknown_argument(tool: str, given: Iterable[str], known: Collection[str]) -> str | None:
    """Return that *tool* does not have the first of the *given* arguments that is not *known*; else None.

    >>> unknown_argument("list_tags", ["tag"], ["containing", "limit"])
    "list_tags has no argument 'tag'; it has containing, limit"
    """
    for name in given:
        if name not in known:
            arguments = f"it has {', '.join(known)}" if known else "it takes none"
            return f"{tool} has no argument {name[:60]!r}; {arguments}"
    return None


def wrong_arguments(error: BaseException | None) -> str | None:
    """Return which arguments an *error* of the SDK is about, and what is allowed; None if it is another."""
    if not isinstance(error, ValidationError):
        return None
    wrong = error.errors(include_url=False, include_input=False, include_context=False)
    return "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in wrong)


_MOST = 5
_LIKE_ID = 0.7
_LONGEST_ECHO = 60
_TAG = "tag:"
_ID = re.compile(r"oifma?[_ -]", re.IGNORECASE)
_UPDATE = "The index is empty: run `findingmodel index update DIR` with a directory of finding models."


async def not_found(index: Index, key: str, max_tokens: int) -> NotFoundError:
    """Return the error for a *key* that no model has, with the models whose ids or names are nearest."""
    owner = await index.get_by_attribute(key) if _ID.match(key) else None
    if owner is not None:
        fact = f"{key.upper()} is no model but an attribute of {owner.oifm_id}"
        return NotFoundError(_within(max_tokens, fact, (), f"get_finding_model {owner.oifm_id} shows it"))
    near: Iterable[IndexEntry | FindingModelFull] = await (
        _near_ids(index, key) if _ID.match(key) else _near_names(index, key)
    )
    names = [f"{entry.oifm_id} ({entry.name})" for entry in near]
    fact = f"no model has the id, name or synonym {_echo(key)}"
    advice = "search_finding_models finds models by other words" if await index.count() else _UPDATE
    return NotFoundError(_within(max_tokens, fact, names, advice))


async def check_tags(index: Index, tags: Sequence[str], max_tokens: int) -> None:
    """Accept *tags* that some model has.

    Raises:
        QueryError: one of them no model has; says which are nearest.
    """
    known = list(await index.count_tags()) if tags else []
    for tag in tags:
        near = nearest_tags(tag, known)
        if near is not None:
            names = list(map(repr, near))
            fact = f"no model has the tag {_echo(tag)}"
            raise QueryError(_within(max_tokens, fact, names, "list_tags shows all tags"))


def tags_in(query: str) -> list[str]:
    """Return the tags that a query asks for in its text.

    >>> tags_in("nodule tag:x-ray")
    ['x-ray']
    """
    groups = parse_query(query).facets if tokenize(query) else ()
    return [group[0].removeprefix(_TAG) for group in groups if len(group) == 1 and group[0].startswith(_TAG)]


async def empty_hint(index: Index) -> str | None:
    """Return what to do about an index that is empty; None if it is not."""
    return None if await index.count() else _UPDATE


async def _near_names(index: Index, key: str) -> Iterable[IndexEntry]:
    hits: Sequence[IndexEntry] = await index.search(_plain(key), _MOST)
    return hits or [suggestion.entry for suggestion in await index.suggest(key, _MOST)]


async def _near_ids(index: Index, key: str) -> Iterable[FindingModelFull]:
    """Return the models with ids like *key*."""
    sources = [organization.code for organization in await index.get_organizations()]
    slips = similar_ids(key, sources)
    models = await index.get_full_batch(slips)
    if slips and slips[0] in models:  # zeros are what gets lost most often
        return [models[slips[0]]]
    return [models[oifm_id] for oifm_id in get_close_matches(key.upper(), list(models), _MOST, _LIKE_ID)]


def _plain(text: str) -> str:
    """Return *text* without anything that a query would obey."""
    return " ".join(tokenize(text))


def _echo(text: str) -> str:
    shown = repr(text)
    return shown if count_tokens(shown) <= _LONGEST_ECHO else "that was asked for"


def _within(max_tokens: int, fact: str, names: Sequence[str], advice: str) -> str:
    """Return a message with as many of *names* as keep it within *max_tokens*."""

    def message(count: int) -> str:
        near = f"; nearest are {', '.join(names[:count])}" if count else ""
        return f"{fact}{near}. {advice}"

    return message(largest(len(names), lambda count: count_tokens(message(count)) <= max_tokens))
