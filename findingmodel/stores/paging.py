"""Iterate over a whole index in chunks, holding one chunk in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.stores.records import PageMark

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import EntryRow

_ENTRIES_PER_READ = 1_000
_MODELS_PER_READ = 500


async def iter_pages(store: Store, sort: str) -> AsyncIterator[list[EntryRow]]:
    """Yield every entry, in pages ordered by *sort*.

    An entry whose place changes meanwhile may be missed or yielded twice; no other is.

    Raises:
        StoreError: the store failed.
    """
    after: PageMark | None = None
    while entries := await store.page(
        sort=sort, descending=False, offset=0, limit=_ENTRIES_PER_READ, after=after
    ):
        yield entries
        after = PageMark.of(entries[-1], sort)


async def iter_models(store: Store, ids: Sequence[str]) -> AsyncIterator[dict[str, bytes]]:
    """Yield models by id in the order of *ids*, in chunks, without those that are gone.

    Raises:
        StoreError: the store failed.
    """
    for start in range(0, len(ids), _MODELS_PER_READ):
        chunk = ids[start : start + _MODELS_PER_READ]
        found = await store.models(chunk)
        yield {oifm_id: found[oifm_id] for oifm_id in chunk if oifm_id in found}
