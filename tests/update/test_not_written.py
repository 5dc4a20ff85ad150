"""Files that a store does not write: they fail, keep their entries, and stop no other file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.errors import NotWrittenError, StoreError
from findingmodel.stores.mongo import documents as mongo_documents
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_person, write_model
from tests.stores.databases import mongo_store, opening
from tests.stores.samples import make_id, steps_of
from tests.update.update_rules import counts, edit, ids, run

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from findingmodel.stores.lease import Writer
    from findingmodel.stores.protocol import Store
    from findingmodel.stores.records import WriteBatch
    from findingmodel.update.report import UpdateReport
    from tests.servers import Server

pytestmark = pytest.mark.slow

HUGE = "x" * 17_000_000
REASON = "it is too large: "


class Picky(SQLiteStore):
    """A store that rejects some models only when they are written, as a server may."""

    unwritten: frozenset[str] = frozenset()

    async def write(self, batch: WriteBatch, writer: Writer | None = None) -> None:
        refused = {s.oifm_id for s in (*(r.file for r in batch.upserts), *batch.touches)} & self.unwritten
        kept = batch._replace(
            upserts=[record for record in batch.upserts if record.file.oifm_id not in refused],
            touches=[state for state in batch.touches if state.oifm_id not in refused],
            removals=() if refused else batch.removals,
        )
        await super().write(kept, writer)
        if refused:
            raise NotWrittenError("some were not written", dict.fromkeys(refused, "the disk has a hole"))


@pytest.fixture
async def picky(tmp_path: Path) -> AsyncIterator[Picky]:
    async with opening(lambda branch: Picky(tmp_path / "x.db", branch=branch)) as open_store:
        yield await open_store()  # type: ignore[misc]


@pytest.fixture
def defs(tmp_path: Path) -> Path:
    for number in range(1, 7):
        write_model(tmp_path / "defs", f"{number}.fm.json", number)
    return tmp_path / "defs"


def codes(report: UpdateReport) -> dict[str, list[str]]:
    return {failed.path: [problem.code for problem in failed.problems] for failed in report.failed}


async def names(store: Store) -> dict[str, str]:
    return {entry["oifm_id"]: entry["name"] for entry in (await store.get(await ids(store))).values()}


async def test_a_new_file_that_is_not_written_fails_and_is_tried_again(picky: Picky, defs: Path) -> None:
    picky.unwritten = frozenset([make_id(2), make_id(5)])
    report = await update(picky, defs, UpdateOptions(batch_size=2))
    assert counts(report) == {"added": 4, "failed": 2}
    assert codes(report) == {"2.fm.json": ["not-written"], "5.fm.json": ["not-written"]}
    assert report.failed[0].problems[0].message == "the disk has a hole"
    assert await ids(picky) == [make_id(n) for n in (1, 3, 4, 6)]
    picky.unwritten = frozenset()
    assert counts(await update(picky, defs, UpdateOptions())) == {"added": 2, "unchanged": 4}


async def test_a_file_that_is_not_written_keeps_its_entry(picky: Picky, defs: Path) -> None:
    await update(picky, defs, UpdateOptions())
    picky.unwritten = frozenset([make_id(1), make_id(72), make_id(3)])
    edit(defs / "1.fm.json", description="Edited since.")
    write_model(defs, "2.fm.json", 72)  # another id
    (defs / "3.fm.json").rename(defs / "moved.fm.json")
    edit(defs / "4.fm.json", description="Edited since.")
    (defs / "6.fm.json").unlink()
    before = await names(picky)
    report = await update(picky, defs, UpdateOptions())
    assert codes(report) == {name: ["not-written"] for name in ("1.fm.json", "2.fm.json", "moved.fm.json")}
    assert counts(report) == {"updated": 1, "removed": 1, "unchanged": 1, "failed": 3}
    assert await names(picky) == {oifm_id: name for oifm_id, name in before.items() if oifm_id != make_id(6)}
    picky.unwritten = frozenset()
    report = await update(picky, defs, UpdateOptions())
    assert counts(report) == {"added": 1, "updated": 1, "removed": 1, "unchanged": 3, "moved": 1}


async def test_a_batch_that_was_held_back_may_be_rejected(picky: Picky, defs: Path) -> None:
    picky.unwritten = frozenset([make_id(2)])
    report = await update(picky, defs, UpdateOptions(strict=True, batch_size=2))
    assert counts(report) == {"added": 5, "failed": 1}
    assert report.refused is None


async def test_contributors_of_rejected_files_are_not_stored(picky: Picky, defs: Path) -> None:
    lone, shared = make_person(github_username="lone"), make_person(github_username="shared")
    edit(defs / "2.fm.json", contributors=[lone, shared])
    edit(defs / "3.fm.json", contributors=[shared])
    picky.unwritten = frozenset([make_id(2)])
    await update(picky, defs, UpdateOptions())
    assert [person.key for person in await picky.contributors("person")] == ["shared"]
    assert [person.path for person in await picky.contributors("person")] == ["3.fm.json"]
    picky.unwritten = frozenset()
    await update(picky, defs, UpdateOptions())
    assert [person.key for person in await picky.contributors("person")] == ["lone", "shared"]


async def test_a_rejection_that_is_not_about_files_ends_the_update(picky: Picky, defs: Path) -> None:
    class Strange(Picky):
        async def write(self, batch: WriteBatch, writer: Writer | None = None) -> None:
            raise NotWrittenError("a contributor was not written", {"ann": "too large"})

    store = Strange(defs.parent / "y.db")
    with pytest.raises(StoreError, match="a contributor was not written"):
        await update(store, defs, UpdateOptions())
    await store.close()


# limits of a server


@pytest.fixture
async def mongo(secantus: Server, database: str) -> AsyncIterator[Store]:
    async with opening(lambda branch: mongo_store(secantus.uri, database, branch)) as open_store:
        yield await open_store()


@pytest.mark.mongo
async def test_a_file_too_large_for_the_server_fails_alone(mongo: Store, defs: Path) -> None:
    await run(mongo, defs)
    edit(defs / "2.fm.json", description=HUGE)
    write_model(defs, "7.fm.json", 7, description=HUGE)
    edit(defs / "3.fm.json", description="Edited since.")
    before = await names(mongo)
    report = await run(mongo, defs)  # the dry run reports it too
    assert counts(report) == {"updated": 1, "unchanged": 4, "failed": 2}
    assert codes(report) == {"2.fm.json": ["not-written"], "7.fm.json": ["not-written"]}
    assert report.failed[0].problems[0].message.startswith(REASON)
    assert await names(mongo) == before
    edit(defs / "2.fm.json", description="Small again.")
    (defs / "7.fm.json").unlink()
    assert counts(await run(mongo, defs)) == {"updated": 1, "unchanged": 5}


@pytest.mark.mongo
async def test_a_strict_update_with_a_file_too_large_for_the_server_writes_nothing(
    mongo: Store, defs: Path
) -> None:
    edit(defs / "2.fm.json", description=HUGE)
    report = await run(mongo, defs, strict=True)
    assert report.refused is not None
    assert report.refused.reason == "strict"
    assert await ids(mongo) == []


@pytest.mark.mongo
async def test_an_error_of_the_server_is_reported_for_the_right_file(
    mongo: Store, defs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mongo_documents, "_MOST_BYTES", 2**40)
    edit(defs / "2.fm.json", description="x" * 5_800_000)  # three times in the document
    report = await update(mongo, defs, UpdateOptions())
    assert counts(report) == {"added": 5, "failed": 1}
    assert codes(report) == {"2.fm.json": ["not-written"]}
    assert await ids(mongo) == [make_id(n) for n in (1, 3, 4, 5, 6)]
    assert await steps_of(mongo) == 1


async def test_sqlite_accepts_files_that_are_too_large_for_a_server(tmp_path: Path, defs: Path) -> None:
    edit(defs / "2.fm.json", description=HUGE)
    async with opening(lambda branch: SQLiteStore(tmp_path / "x.db", branch=branch)) as open_store:
        store: Any = await open_store()
        assert counts(await update(store, defs, UpdateOptions())) == {"added": 6}
