"""Iteration over a whole index: everything once, in order, in chunks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.runtime.run_without_loop import run_without_loop
from findingmodel.stores.paging import iter_models, iter_pages
from tests.search_index import filled, make_records

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store

COUNT = 1_001


@pytest.fixture(scope="module")
def many() -> Store:
    """A store with more models than one chunk."""
    return filled(make_records([(f"finding {COUNT - number}", [], "", []) for number in range(COUNT)]))


@pytest.mark.parametrize("sort", ["name", "oifm_id"])
def test_every_entry_is_yielded_once_in_order(many: Store, sort: str) -> None:
    async def walk() -> list[list[str]]:
        return [[str(dict(entry)[sort]) for entry in entries] async for entries in iter_pages(many, sort)]

    pages = run_without_loop(walk())
    assert len(pages) > 1
    found = [key for page in pages for key in page]
    assert found == sorted(found)
    assert len(set(found)) == COUNT


def test_models_are_yielded_in_the_order_of_the_ids_without_absent_ones(many: Store) -> None:
    async def walk() -> list[list[str]]:
        states = await many.manifest()
        ids = sorted((state.oifm_id for state in states), reverse=True)
        chunks = [list(models) async for models in iter_models(many, ["OIFM_GONE_000001", *ids])]
        assert [oifm_id for chunk in chunks for oifm_id in chunk] == ids
        return chunks

    assert len(run_without_loop(walk())) > 1
