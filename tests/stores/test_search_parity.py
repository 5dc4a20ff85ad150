"""Searches return the same hits with the same scores on both stores."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from findingmodel.search.searcher import Searcher
from findingmodel.search.suggest import suggest
from findingmodel.stores.mongo.pool import PoolSettings
from findingmodel.stores.mongo.store import MongoStore
from findingmodel.stores.records import WriteBatch
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.text.query import parse_query
from scripts.relevance import fill, read_models
from tests.search_index import FINDINGS, filled, make_records

if TYPE_CHECKING:
    from collections.abc import Iterable

    from findingmodel.stores.protocol import Store
    from tests.servers import Server

pytestmark = pytest.mark.mongo

CROWD = [(f"bone mass of kind {number}", [f"skeletal tumor {number}"], "", ["CT"]) for number in range(180)]
RECORDS = make_records([*FINDINGS, *CROWD])
QUERIES = [
    *(label for name, synonyms, *_ in FINDINGS for label in (name, *synonyms)),
    *(
        "nodul",
        "portal v",
        "pulm emb",
        "nephrolithasis",
        "big heart",
        "stone in the kidney",
        "AAA",
        "PVT",
        "HBL",
    ),
    *(
        "bone mass",
        "bone tumor mass",
        "skeletal mass of the lung",
        "mass",
        "mass -bone",
        '"bone mass" kind 7',
    ),
    *(
        "There is a 6 mm nodule in the right upper lobe of the lung.",
        "No pneumothorax.",
        "xyzzy",
        "tag:CT",
        "cyst tag:US",
    ),
]


SAMPLES = Path(__file__).parents[2] / "samples"
JUDGED = "FINDINGMODEL_TEST_JUDGED"
"""Environment variable: judged queries, JSON Lines; files are set off as in PATH. Else our samples'."""
MODELS = "FINDINGMODEL_TEST_MODELS"
"""Environment variable: the directory of the models that these are asked of; else the samples."""


async def answers(store: Store, queries: Iterable[str] = QUERIES) -> dict[str, list[tuple[str, float]]]:
    searcher = Searcher(store)
    found = {}
    for text in queries:
        hits = await searcher.search(parse_query(text), limit=20)
        found[text] = [(hit.entry["oifm_id"], hit.score) for hit in hits]
    return found


async def test_both_stores_give_the_same_hits_in_the_same_order(
    mongo_server: Server, mongo_database: str
) -> None:
    mongo = MongoStore(mongo_server.uri, database=mongo_database, branch="main", pool=PoolSettings())
    local = filled(RECORDS)
    try:
        await mongo.open()
        await mongo.setup()
        await mongo.write(WriteBatch(upserts=RECORDS))
        await mongo.advance()
        assert await answers(mongo) == await answers(local)
        for typed in ("pneum", "emb pulm", "b", "fatty l"):
            one = await suggest(mongo, await Searcher(mongo).vocabulary(), typed)
            other = await suggest(local, await Searcher(local).vocabulary(), typed)
            assert [label for _, label in one] == [label for _, label in other]
    finally:
        await mongo.close()
        await local.close()


@pytest.mark.timeout(900)  # a few hundred queries of the whole collection, on a slow test server
async def test_both_stores_give_the_same_hits_to_every_judged_query(
    mongo_server: Server, mongo_database: str
) -> None:
    files = os.environ.get(JUDGED, str(SAMPLES / "queries.jsonl")).split(os.pathsep)
    lines = [line for file in files for line in Path(file).read_text(encoding="utf-8").splitlines()]
    models = read_models(Path(os.environ.get(MODELS, SAMPLES / "defs")))
    queries = [json.loads(line)["query"] for line in lines]
    mongo = MongoStore(mongo_server.uri, database=mongo_database, branch="main", pool=PoolSettings())
    local = SQLiteStore(":memory:")
    try:
        for store in (mongo, local):
            await store.open()
            await fill(store, models)
        assert await answers(mongo, queries) == await answers(local, queries)
    finally:
        await mongo.close()
        await local.close()
