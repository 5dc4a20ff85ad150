"""Hints for empty answers: that the index is empty, or which keys and tags are similar."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.text.query import Query

T = TypeVar("T")

_DEFAULT_BRANCH = "main"
_MAX_NEAREST = 3
_MIN_SCORE = 0.5  # a hit with a lower score is doubtful
_MAX_KEYS = 5  # for more keys than this, hints would be too many to read


async def empty_hint(store: Store, settings: Settings) -> str:
    """Return what to do about an index that is empty or does not exist, otherwise an empty string."""
    if (await store.counts()).models:
        return ""
    from findingmodel.stores import branch_sizes, is_missing

    if is_missing(settings):
        check = "" if settings.sources.get("db", "default") == "default" else "check the path, or "
        return f"there is no index {store.label}: {check}make one with findingmodel index update DIR"
    full = [f"{name} ({size:,})" for name, size in (await branch_sizes(settings)).items() if size]
    branch = "" if settings.branch == _DEFAULT_BRANCH else f"branch {settings.branch} of "
    empty = f"{branch}the index {store.label} is empty"
    if full:
        return f"{empty}; there are models in {', '.join(full)}: select a branch with --branch"
    return f"{empty}; fill it with findingmodel index update DIR"


async def with_empty_hint(
    store: Store, settings: Settings, question: Callable[[Store], Awaitable[T]]
) -> tuple[T, str]:
    """Return the answer to *question*, and the `empty_hint` if the answer is empty."""
    answer = await question(store)
    return answer, "" if answer else await empty_hint(store, settings)


async def no_hits_hint(
    store: Store, settings: Settings, query: Query | None = None, *, text: str = ""
) -> str:
    """Return what to append to "nothing found": an empty string, an empty index, or a filter without models.

    Args:
        store, settings: the index.
        query: the query that had no hits; None for a batch.
        text: the same as the user typed it.
    """
    hint = await empty_hint(store, settings)
    if not hint and query is not None:
        hint = _unknown_filter(text) or await _unknown_value(store, query)
    return hint and f": {hint}"


FILTERS = ("tag", "modality", "contributor", "attribute", "code", "id")
"""The filters of a query, as `findingmodel.text.query` reads them."""


def _unknown_filter(text: str) -> str:
    for word in text.split():
        name, colon, value = word.lstrip('-"(').partition(":")
        is_address = value.startswith("//")
        if colon and value and name.isalpha() and name.lower() not in FILTERS and not is_address:
            return f"{name}: is not a filter; the filters are {', '.join(FILTERS)}"
    return ""


async def _unknown_value(store: Store, query: Query) -> str:
    """Return the first filter of *query* that no model matches, and what is similar to it."""
    for name, _, value in (group[0].partition(":") for group in query.facets):
        if name == "tag":
            hint = await _unknown_tag(store, value)
        elif name == "contributor":
            hint = await _unknown_contributor(store, value)
        elif name == "attribute":
            known = ("choice", "numeric")
            hint = "" if value in known else f"attributes are {' or '.join(known)}, not {value!r}"
        else:
            hint = await _unknown_code(store, value)
        if hint:
            return hint
    return ""


async def _unknown_code(store: Store, code: str) -> str:
    from findingmodel.search.lookup import find_by_code

    system, _, rest = code.partition("@")[0].partition(":")  # after it is the place of the code in a model
    known = await find_by_code(store, system, rest, limit=1)
    return "" if known else f"no model has the code {system.upper()}:{rest.upper()}"


async def _unknown_tag(store: Store, tag: str) -> str:
    from findingmodel.search.facets import count_tags
    from findingmodel.search.suggest import nearest_tags

    similar = nearest_tags(tag, list(await count_tags(store)))
    return "" if similar is None else f"no model has the tag {tag!r}{_nearest(similar)}"


async def _unknown_contributor(store: Store, key: str) -> str:
    from findingmodel.search.suggest import nearest_tags

    rows = [*await store.contributors("person"), *await store.contributors("organization")]
    similar = nearest_tags(key, [row.key for row in rows])
    return "" if similar is None else f"no model names the contributor {key!r}{_nearest(similar)}"


async def not_found_hints(store: Store, settings: Settings, keys: Sequence[str]) -> dict[str, str]:
    """Return by key what to append to "not found", for keys that no model has.

    Finding similar models takes a search, so it is done only if stderr is a terminal.
    """
    hint = await empty_hint(store, settings)
    is_terminal = sys.stderr is not None and sys.stderr.isatty()
    if hint or not is_terminal or len(keys) > _MAX_KEYS:
        return dict.fromkeys(keys, hint and f": {hint}")
    return {key: await _similar_models(store, key) for key in keys}


async def _similar_models(store: Store, key: str) -> str:
    """Name the model that has the attribute *key*, or the models with a name similar to it."""
    from findingmodel.search.lookup import find_by_attribute
    from findingmodel.search.searcher import Searcher
    from findingmodel.text.normalize import tokenize
    from findingmodel.text.query import parse_query

    owner = await find_by_attribute(store, key)
    if owner is not None:
        return f"; it is an attribute of {owner['oifm_id']} ({owner['name']})"
    words = " ".join(tokenize(key))
    hits = await Searcher(store).search(parse_query(words), limit=_MAX_NEAREST) if words else ()
    return _nearest(hit.entry["name"] for hit in hits if hit.score >= _MIN_SCORE)


def _nearest(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"; nearest: {listed}" if listed else ""
