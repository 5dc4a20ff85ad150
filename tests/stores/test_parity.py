"""Both stores return the same results for the same records, on a file and on each MongoDB server."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.stores import open_store
from findingmodel.stores.records import TermQuery, WriteBatch
from tests.stores.contract_support import contents, ids_of, on_one_store
from tests.stores.databases import mongo_store, opening
from tests.stores.samples import make_id, make_record, moved, organization, person

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import Record
    from tests.servers import Server

pytestmark = pytest.mark.mongo

WORDS = ("lung", "mass", "nodule", "heart", "cyst", "left", "bone", "edema", "x-ray", "β2", "6", "mm")
TAGS = ("tag:ct", "tag:mr", "tag:chest", "code:radlex:rid1@model")
EVERYTHING = 1_000

Stores = tuple["Store", "Store"]


def library() -> list[Record]:
    """Return records whose words are as unevenly distributed as in real texts."""
    chance = random.Random(7)  # the same in every run

    def words(count: int) -> str:
        return " ".join(WORDS[min(int(chance.expovariate(0.4)), len(WORDS) - 1)] for _ in range(count))

    return [
        make_record(
            number,
            f"{words(2)} {number}",
            path=f"{chance.randrange(4)}/{number}.fm.json",
            synonyms=[words(2) for _ in range(chance.randrange(3))],
            description=words(8),
            other=words(3),
            facets=chance.sample(TAGS, chance.randrange(4)),
            contributors=[person(chance.choice(["ann", "bob"])), organization("ACR")],
        )
        for number in range(60)
    ]


def history() -> list[WriteBatch]:
    """Several updates: a first one, changes, a swap, a move, removals."""
    first = library()
    swapped = [
        make_record(3, first[4].entry["name"], path=first[4].file.path),
        make_record(4, first[3].entry["name"], path=first[3].file.path),
    ]
    return [
        WriteBatch(upserts=first, credits=[person("ann"), person("bob"), organization("ACR")]),
        WriteBatch(upserts=swapped, touches=[moved(first[9], "elsewhere/9.fm.json", mtime_ns=1).file]),
        WriteBatch(removals=[make_id(number) for number in range(50, 70)], withdrawn=[("person", "bob")]),
        WriteBatch(
            upserts=[make_record(70, "Ångström  sign", synonyms=["mass"])],
            credits=[person("ann", email="a@example.org")],
        ),
    ]


@pytest.fixture
async def stores(tmp_path: Path, mongo_server: Server, mongo_database: str) -> AsyncIterator[Stores]:
    """A SQLite and a MongoDB store with the same history."""

    def make_file(branch: str) -> Store:
        return open_store(f"sqlite:///{tmp_path}/index.db", branch=branch)

    def make_mongo(branch: str) -> Store:
        return mongo_store(mongo_server.uri, mongo_database, branch)

    async with opening(make_file) as open_file, opening(make_mongo) as open_mongo:
        pair = await open_file(), await open_mongo()
        for store in pair:
            await store.setup()
            for batch in history():
                await store.write(batch)
            await store.advance()
        yield pair


async def test_both_hold_the_same(stores: Stores) -> None:
    one, other = stores
    assert await contents(one) == await contents(other)
    assert [await store.generation() > 0 for store in (one, other)] == [True, True]


async def test_both_list_in_the_same_order(stores: Stores) -> None:
    one, other = stores
    for sort in ("name", "oifm_id", "filename"):
        for descending in (False, True):
            part: Any = {"sort": sort, "descending": descending, "offset": 5, "limit": 20}
            assert await one.page(**part) == await other.page(**part)


async def test_both_resolve_keys_alike(stores: Stores) -> None:
    one, other = stores
    records = library()
    keys = [key for record in records for key in record.keys]
    identity = [key for record in records for key in record.identity]
    for key in keys[:60]:
        found, also = await one.lookup([key]), await other.lookup([key])
        assert sorted(entry["oifm_id"] for entry in found) == sorted(entry["oifm_id"] for entry in also)
    assert sorted(await one.owners(identity)) == sorted(await other.owners(identity))
    everyone = ["ann", "bob", "ACR"]
    assert sorted(map(str, await one.credits(everyone))) == sorted(map(str, await other.credits(everyone)))


@on_one_store
@given(
    groups=st.lists(st.lists(st.sampled_from(WORDS), max_size=3).map(tuple), max_size=3).map(tuple),
    match=st.sampled_from(["all", "any"]),
    excluded=st.lists(st.sampled_from(WORDS), max_size=2).map(tuple),
    facets=st.lists(st.lists(st.sampled_from(TAGS), max_size=2).map(tuple), max_size=2).map(tuple),
)
async def test_both_return_the_same_candidates(stores: Stores, **parts: Any) -> None:
    one, other = stores
    query = TermQuery(**parts)
    found, also = await ids_of(one, query, EVERYTHING), await ids_of(other, query, EVERYTHING)
    assert set(found) == set(also)
    if not any(query.groups):
        assert found == also
