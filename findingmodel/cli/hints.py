"""What to tell a user for whom there is nothing: that the index is empty, or what there is instead."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from findingmodel.settings import Settings
    from findingmodel.stores.protocol import Store
    from findingmodel.text.query import Query

__all__ = ["empty_hint", "not_found_hints", "or_hint", "why_nothing"]

T = TypeVar("T")

_MAIN = "main"
_TAG = "tag:"
_MOST_NEAR = 3
_NEAR_ENOUGH = 0.5  # of a score; below it a hit is doubtful
_MOST_KEYS = 5  # a person who asks for more of them reads no advice on each


async def empty_hint(store: Store, settings: Settings) -> str:
    """Return what to do about an index that is empty; nothing if it is not."""
    if (await store.counts()).models:
        return ""
    branch = "" if settings.branch == _MAIN else f"branch {settings.branch} of "
    return f"{branch}the index {store.label} is empty; findingmodel index update DIR fills it"


async def or_hint(
    store: Store, settings: Settings, question: Callable[[Store], Awaitable[T]]
) -> tuple[T, str]:
    """Return what *question* finds, and `empty_hint` if that is nothing."""
    found = await question(store)
    return found, "" if found else await empty_hint(store, settings)


async def why_nothing(store: Store, settings: Settings, query: Query | None = None) -> str:
    """Return what to add to "nothing found": that the index is empty, or that no model has a tag; or nothing.

    Args:
        store, settings: the index.
        query: what was searched for; None for several.
    """
    hint = await empty_hint(store, settings)
    if not hint and query is not None:
        hint = await _unknown_tag(store, query)
    return hint and f": {hint}"


async def not_found_hints(store: Store, settings: Settings, keys: Sequence[str]) -> dict[str, str]:
    """Return by key what to add to "not found", for keys that nothing has.

    What is nearest takes a search, so it is told only where somebody watches.
    """
    hint = await empty_hint(store, settings)
    watched = sys.stderr is not None and sys.stderr.isatty()
    if hint or not watched or len(keys) > _MOST_KEYS:
        return dict.fromkeys(keys, hint and f": {hint}")
    return {key: await _instead(store, key) for key in keys}


async def _instead(store: Store, key: str) -> str:
    """Return the model that has the attribute *key*, or those that are named like it."""
    from findingmodel.search.lookup import find_by_attribute

    owner = await find_by_attribute(store, key)
    if owner is not None:
        return f"; it is an attribute of {owner['oifm_id']} ({owner['name']})"
    return _named(await _near(store, key))


async def _unknown_tag(store: Store, query: Query) -> str:
    from findingmodel.search.facets import count_tags
    from findingmodel.search.suggest import nearest_tags

    wanted = [group[0].removeprefix(_TAG) for group in query.facets if group[0].startswith(_TAG)]
    known = [count.tag for count in await count_tags(store)] if wanted else []
    for tag in wanted:
        near = nearest_tags(tag, known)
        if near is not None:
            return f"no model has the tag {tag!r}{_named(near)}"
    return ""


async def _near(store: Store, key: str) -> list[str]:
    """Return the names of the models that a search for the words of *key* finds."""
    from findingmodel.search.searcher import Searcher
    from findingmodel.text.normalize import tokenize
    from findingmodel.text.query import parse_query

    words = " ".join(tokenize(key))
    if not words:
        return []
    hits = await Searcher(store).search(parse_query(words), limit=_MOST_NEAR)
    return [hit.entry["name"] for hit in hits if hit.score >= _NEAR_ENOUGH]


def _named(names: Iterable[str]) -> str:
    listed = ", ".join(names)
    return f"; nearest: {listed}" if listed else ""
