"""A user's file: checked by mypy in `tests/test_typing.py`, never run.

Each ``type: ignore`` marks a mistake; mypy --strict fails if it does not report one.
"""

from typing import assert_type

from findingmodel import (
    FindingModelFull,
    Hits,
    Index,
    IndexEntry,
    IndexReturnType,
    Organization,
    Page,
    Person,
    SearchHit,
    Suggestion,
    SyncIndex,
    UpdateReport,
    add_ids,
    to_dicts,
)


async def asynchronous() -> None:
    async with Index("sqlite:///findings.db", branch="main") as index:
        assert_type(index, Index)
        assert_type(await index.get("PE"), IndexEntry | None)
        assert_type(await index.get_full("OIFM_SMPL_000001"), FindingModelFull)
        assert_type(await index.get_full_batch(["OIFM_SMPL_000001"]), dict[str, FindingModelFull])
        assert_type(await index.get_people(), list[Person])
        assert_type(await index.suggest("pul"), list[Suggestion])
        for hit in await index.search("lung", limit=3, tags=["CT"]):
            assert_type(hit, SearchHit)
            assert_type(hit.score, float)
            assert_type(hit.negated, bool)
            assert_type(hit.synonyms, list[str] | None)
        async for entry in index:
            assert_type(entry, IndexEntry)
        report = await index.update_from_directory("defs", dry_run=True)
        assert_type(report, UpdateReport)
        added, updated, removed = report
        assert_type((added, updated, removed), tuple[int, int, int])
        async with index.transaction():
            assert_type(await index.add_or_update_entry_from_file("x.fm.json"), IndexReturnType)
        print(index.get("PE").name)  # type: ignore[attr-defined]  # it was not awaited
        await index.search("lung", lmit=3)  # type: ignore[call-arg]


def synchronous() -> None:
    with Index.sync("sqlite:///findings.db", branch="main") as index:
        assert_type(index, SyncIndex)
        assert_type(index.get("PE"), IndexEntry | None)
        assert_type(index.get_organization("SMPL"), Organization | None)
        assert_type(index.get_full("OIFM_SMPL_000001"), FindingModelFull)
        assert_type(index.get_full_batch(["OIFM_SMPL_000001"]), dict[str, FindingModelFull])
        assert_type(index.all(limit=3, order_by="name"), Page)
        for hit in index.search("lung", limit=3, tags=["CT"]):
            assert_type(hit, SearchHit)
        for entry in index:
            assert_type(entry, IndexEntry)
        for query, hits in index.search_batch(["PE"], limit_per_query=2).items():
            assert_type(query, str)
            assert_type(hits[0], SearchHit)
        assert_type(index.update_from_directory("defs", progress=print), UpdateReport)
        with index.transaction():
            assert_type(index.remove_entry("PE"), bool)
        index.search(3)  # type: ignore[arg-type]
        index.search("lung", lmit=3)  # type: ignore[call-arg]
        print(index.get("PE").name)  # type: ignore[union-attr]  # it may be None
    Index.sync(client=None)  # type: ignore[call-arg]


def tables(index: SyncIndex) -> None:
    hits = index.search("lung")
    assert_type(hits, Hits)
    assert_type(to_dicts(hits), list[dict[str, str | float | bool | None]])
    assert_type(hits.to_dicts(), list[dict[str, str | float | bool | None]])
    assert_type(index.all().to_dicts(), list[dict[str, str | float | bool | None]])


def models(model: FindingModelFull) -> None:
    assert_type(model.as_markdown(hide_ids=True), str)
    assert_type(model.oifm_id, str)
    add_ids(model, "SMPL")  # type: ignore[arg-type]  # it has ids
