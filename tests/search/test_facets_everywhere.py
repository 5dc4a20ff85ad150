"""Every store has the same counts of tags and contributors."""

from __future__ import annotations

from typing import TYPE_CHECKING

from findingmodel.search.facets import ContributorCount, count_contributors, count_tags
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_organization, make_person, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store


async def test_tags_are_counted_by_models_whatever_their_spelling(store: Store, tmp_path: Path) -> None:
    for number, tags in enumerate([["CT", "chest"], ["ct", "CT"], ["CT", "Thorax"], ["Chést"], ...], 1):
        write_model(tmp_path, f"m{number}.fm.json", number, tags=tags)
    assert (await update(store, tmp_path, UpdateOptions())).ok
    assert list((await count_tags(store)).items()) == [("CT", 3), ("Chést", 2), ("Thorax", 1)]


async def test_contributors_are_counted_by_models(store: Store, tmp_path: Path) -> None:
    other = make_organization(code="MORE", name="Another Group")
    lists = [[make_person(), make_organization()], [make_organization()], [other], ...]
    for number, contributors in enumerate(lists, 1):
        write_model(tmp_path, f"m{number}.fm.json", number, contributors=contributors)
    assert (await update(store, tmp_path, UpdateOptions())).ok
    assert await count_contributors(store) == [
        ContributorCount("organization", "TEST", "Test Radiology Group", None, 2),
        ContributorCount("organization", "MORE", "Another Group", None, 1),
        ContributorCount("person", "test-reader", "Test Reader", "TEST", 1),
    ]


async def test_an_empty_index_has_none(store: Store) -> None:
    assert await count_tags(store) == {}
    assert await count_contributors(store) == []
