"""What can be listed of an index: all entries in order, entries by their slug, and one table of all."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.errors import QueryError
from findingmodel.export import pages as index_page
from findingmodel.export.pages import page_names
from findingmodel.stores.paging import iter_pages
from findingmodel.text.normalize import fold, slug

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from findingmodel.runtime.run_without_loop import Offload
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

__all__ = ["each_entry", "markdown_page", "page_by_slug", "page_of"]

_SORTS = ("name", "oifm_id", "filename")
_DIRECTIONS = ("asc", "desc")
_MATCH_TYPES = ("exact", "prefix", "contains")


async def page_of(store: Store, *, limit: int, offset: int, order_by: str, order_dir: str) -> list[EntryRow]:
    """Return one page of all entries.

    Raises:
        QueryError: an argument is out of range.
        StoreError: the store failed.
    """
    _check_page(limit, offset)
    _check("order_by", order_by, _SORTS)
    _check("order_dir", order_dir, _DIRECTIONS)
    return await store.page(sort=order_by, descending=order_dir == "desc", offset=offset, limit=limit)


async def each_entry(store: Store) -> AsyncIterator[EntryRow]:
    """Yield every entry by name; one that is written or removed meanwhile may be missed or come twice."""
    async for rows in iter_pages(store, "name"):
        for row in rows:
            yield row


async def page_by_slug(
    store: Store, pattern: str, match_type: str, *, limit: int, offset: int
) -> tuple[list[EntryRow], int]:
    """Return one page of the entries whose slug matches, and how many do.

    Whole slugs come first, then beginnings, then the others, each by slug.

    Args:
        store: the index.
        pattern: any text; its slug is looked for. Without a letter or digit it matches nothing.
        match_type: "exact", "prefix" or "contains".
        limit, offset: which part of them.

    Raises:
        QueryError: an argument is out of range.
        StoreError: the store failed.
    """
    _check_page(limit, offset)
    _check("match_type", match_type, _MATCH_TYPES)
    ids = await _find_slugs(store, pattern, match_type)
    page = ids[offset : offset + limit]
    rows = await store.get(page)
    return [rows[oifm_id] for oifm_id in page if oifm_id in rows], len(ids)


async def _find_slugs(store: Store, pattern: str, match_type: str) -> list[str]:
    wanted = slug(pattern)
    if not wanted:
        return []
    if match_type == "exact":
        holders = await store.lookup([fold(wanted)])
        return sorted(entry["oifm_id"] for entry in holders if entry["slug_name"] == wanted)
    found = []
    async for rows in store.iter_labels():
        for row in rows:
            whole = slug(row.name)
            at = whole.find(wanted)
            if at == 0 or (at > 0 and match_type == "contains"):
                found.append((whole != wanted, at > 0, whole, row.oifm_id))
    return [oifm_id for *_, oifm_id in sorted(found)]


def _check_page(limit: int, offset: int) -> None:
    if limit < 1 or offset < 0:
        raise QueryError(f"limit is {limit} and offset {offset}: ask for at least one entry, from 0 on")


async def markdown_page(store: Store, threads: Offload) -> str:
    """Return the page ``index.md`` as an export writes it: all entries in one table, by name.

    Raises:
        StoreError: the store failed.
    """
    files = [(state.oifm_id, state.path) for state in await store.manifest()]
    return await threads(_page, [entry async for entry in each_entry(store)], files)


def _page(entries: Sequence[EntryRow], files: Sequence[tuple[str, str]]) -> str:
    names = page_names(files)
    rows = [index_page.row(entry, names[entry["oifm_id"]]) for entry in entries if entry["oifm_id"] in names]
    return "".join([index_page.heading(len(rows)), *rows])


def _check(name: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise QueryError(f"{name} cannot be {value!r}; allowed is {' or '.join(allowed)}")
