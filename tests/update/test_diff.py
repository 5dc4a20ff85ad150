"""diff: what an update would do, model by model, on every store; nothing is written."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from findingmodel.update.diff import ChangeList, diff
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateObserver, UpdateOptions
from tests.builders import model_bytes, write_model

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store

OPTIONS = UpdateOptions()


@pytest.fixture
async def defs(store: Store, tmp_path: Path) -> Path:
    """A directory of six models that are indexed."""
    directory = tmp_path / "defs"
    for number in range(1, 7):
        write_model(directory, f"m{number}.fm.json", number)
    assert (await update(store, directory, OPTIONS)).ok
    return directory


def change_all(defs: Path) -> None:
    """Add, update, move, remove and break a model, and change the layout of one."""
    write_model(defs, "m1.fm.json", 1, description="Another description.", tags=["CT", "MR"])
    (defs / "m2.fm.json").rename(defs / "two.fm.json")
    (defs / "m3.fm.json").unlink()
    (defs / "m4.fm.json").write_text("{")
    (defs / "m5.fm.json").write_bytes(model_bytes(5).replace(b"\n", b"\n\n"))
    write_model(defs, "m7.fm.json", 7)


async def test_a_byte_order_mark_does_not_change_a_field(store: Store, defs: Path) -> None:
    for mark, description in [
        (b"\xef\xbb\xbf", "As it was."),
        (b"", "As it is."),
        (b"\xef\xbb\xbf", "Again."),
    ]:
        (defs / "m1.fm.json").write_bytes(mark + model_bytes(1, description=description))
        (change,) = (await diff(store, defs, OPTIONS)).changes
        assert [(field.place, field.new) for field in change.fields] == [("description", description)]
        assert (await update(store, defs, OPTIONS)).ok


async def test_each_model_that_would_change_is_listed_by_path(store: Store, defs: Path) -> None:
    change_all(defs)
    report = await diff(store, defs, OPTIONS)
    told = [(change.kind, change.path, change.former_path, change.oifm_id[-1]) for change in report.changes]
    assert told == [
        ("updated", "m1.fm.json", None, "1"),
        ("removed", "m3.fm.json", None, "3"),
        ("updated", "m5.fm.json", None, "5"),
        ("added", "m7.fm.json", None, "7"),
        ("moved", "two.fm.json", "m2.fm.json", "2"),
    ]
    fields = [(field.kind, field.place, field.new) for field in report.changes[0].fields]
    assert ("changed", "description", "Another description.") in fields
    assert ("added", "tags", "MR") in fields
    assert report.changes[2].fields == (), "the layout is no field"
    assert [file.path for file in report.failed] == ["m4.fm.json"]
    assert report.counts() == {"added": 1, "updated": 2, "moved": 1, "removed": 1}
    assert (report.ok, report.refused) == (False, None)


async def test_nothing_is_written(store: Store, defs: Path) -> None:
    before = (await store.generation(), await store.counts(), await store.manifest())
    change_all(defs)
    await diff(store, defs, OPTIONS)
    assert (await store.generation(), await store.counts(), await store.manifest()) == before


async def test_the_update_makes_the_changes_that_diff_listed(store: Store, defs: Path) -> None:
    change_all(defs)
    told = await diff(store, defs, OPTIONS)
    seen = ChangeList(store, in_detail=True)
    report = await update(store, defs, OPTIONS, UpdateObserver(on_batch=seen))
    assert tuple(seen.sorted()) == told.changes
    assert (report.added, report.updated, report.removed, report.failed) == (1, 2, 1, told.failed)
    again = await diff(store, defs, OPTIONS)
    assert (again.changes, again.failed) == ((), told.failed)


async def test_models_that_swap_their_files_are_moved(store: Store, defs: Path) -> None:
    first, second = defs / "m1.fm.json", defs / "m2.fm.json"
    first.rename(defs / "x")
    second.rename(first)
    (defs / "x").rename(second)
    report = await diff(store, defs, UpdateOptions(rehash=True))
    told = {change.oifm_id[-1]: (change.kind, change.former_path, change.path) for change in report.changes}
    assert told == {"1": ("moved", first.name, second.name), "2": ("moved", second.name, first.name)}


async def test_an_id_changed_in_place_is_one_removal_and_one_addition(store: Store, defs: Path) -> None:
    write_model(defs, "m1.fm.json", 9)
    report = await diff(store, defs, OPTIONS)
    assert [(change.kind, change.oifm_id[-1]) for change in report.changes] == [
        ("removed", "1"),
        ("added", "9"),
    ]


async def test_a_diff_that_would_be_refused_lists_every_change(store: Store, defs: Path) -> None:
    for path in defs.iterdir():
        path.unlink()
    report = await diff(store, defs, OPTIONS)
    assert report.refused is not None
    assert (report.refused.reason, report.counts()["removed"], report.ok) == ("would-empty", 6, False)


async def test_without_removal_nothing_is_listed_as_removed(store: Store, defs: Path) -> None:
    (defs / "m1.fm.json").unlink()
    assert (await diff(store, defs, UpdateOptions(remove=False))).changes == ()


async def test_without_an_index_everything_is_new(memory: Store, tmp_path: Path) -> None:
    write_model(tmp_path, "m1.fm.json", 1)
    report = await diff(memory, tmp_path, OPTIONS)
    assert report.as_dict()["changes"][0]["kind"] == "added"
    assert report.ok
