"""The rules of files with equal metadata, and of files that were renamed and broken, for every store."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from findingmodel.search.lookup import find
from findingmodel.update import load, scan
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from tests.builders import make_choice, write_model
from tests.update.update_rules import LONG_AGO, counts, edit, ids, run

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store

ONE, THREE, FIVE = (f"chest/model_0{number}.fm.json" for number in (1, 3, 5))


def rewrite(path: Path, old: str, new: str) -> None:
    """Edit a file without changing its size or its modification time."""
    assert len(old) == len(new)
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    os.utime(path, (LONG_AGO, LONG_AGO))


@pytest.fixture
def no_stamps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Be on a file system that has neither inodes nor change times."""
    for module in (scan, load):
        monkeypatch.setattr(module, "file_stamp", lambda _status: 0)


class MetadataRules:
    """Files that archives, images and Nix give one modification time; half of them also have equal sizes."""

    async def test_an_edit_that_keeps_size_and_time_is_seen(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        rewrite(defs / ONE, "rounded", "ROUNDED")
        assert counts(await run(store, defs)) == {"updated": 1, "unchanged": 29}
        assert counts(await run(store, defs)) == {"unchanged": 30}

    async def test_a_file_that_replaces_one_of_equal_size_and_time_is_seen(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        (defs / THREE).replace(defs / ONE)
        assert counts(await run(store, defs)) == {"removed": 1, "unchanged": 29, "moved": 1}
        assert "OIFM_TEST_000001" not in await ids(store)
        assert (await store.get(["OIFM_TEST_000003"]))["OIFM_TEST_000003"]["filename"] == ONE

    async def test_two_files_of_equal_size_and_time_that_swap_names_are_seen(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        (defs / ONE).rename(defs / "x")
        (defs / THREE).rename(defs / ONE)
        (defs / "x").rename(defs / THREE)
        assert counts(await run(store, defs)) == {"unchanged": 30, "moved": 2}
        assert counts(await run(store, defs)) == {"unchanged": 30}

    @pytest.mark.usefixtures("no_stamps")
    async def test_without_stamps_an_update_with_nothing_to_do_reads_nothing(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        generation = await store.generation()
        assert counts(await run(store, defs)) == {"unchanged": 30}
        assert await store.generation() == generation

    @pytest.mark.usefixtures("no_stamps")
    async def test_before_a_model_is_removed_the_files_that_may_hold_it_are_read(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        (defs / THREE).replace(defs / ONE)
        assert counts(await run(store, defs)) == {"removed": 1, "unchanged": 29, "moved": 1}
        assert "OIFM_TEST_000003" in await ids(store)

    @pytest.mark.usefixtures("no_stamps")
    async def test_before_a_model_that_was_replaced_is_removed_they_are_read_too(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        (defs / THREE).replace(defs / ONE)
        write_model(defs, THREE, 40)
        assert counts(await run(store, defs)) == {"added": 1, "removed": 1, "unchanged": 29, "moved": 1}
        assert "OIFM_TEST_000003" in await ids(store)

    @pytest.mark.usefixtures("no_stamps")
    async def test_before_a_file_fails_the_file_that_it_conflicts_with_is_read(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        rewrite(defs / ONE, "nodule of type 1", "nodule of type x")
        write_model(defs, "a.fm.json", 40, name="pulmonary nodule of type 1")
        assert counts(await run(store, defs)) == {"added": 1, "updated": 1, "unchanged": 29}
        assert [row["oifm_id"] for row in await find(store, "pulmonary nodule of type x")] == [
            "OIFM_TEST_000001"
        ]

    @pytest.mark.usefixtures("no_stamps")
    async def test_a_file_that_conflicts_with_one_that_was_read_fails(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        write_model(defs, "a.fm.json", 40, name="pulmonary nodule of type 1", attributes=[make_choice(30)])
        report = await run(store, defs)
        assert counts(report) == {"unchanged": 30, "failed": 1}
        assert [problem.code for problem in report.failed[0].problems] == [
            "duplicate-name",
            "duplicate-attribute-id",
        ]


class RenamedAndBrokenRules:
    """A file that fails keeps its model even if it was renamed as well, as long as its id can be read."""

    @pytest.mark.parametrize(
        ("old", "new"),
        [('"attributes": [', '"attributes": {'), ('"name": "pul', '"nome": "pul'), ("}", "")],
        ids=["not JSON", "no name", "cut short"],
    )
    async def test_its_model_stays_until_it_is_mended(
        self, store: Store, defs: Path, old: str, new: str
    ) -> None:
        await run(store, defs)
        good = (defs / ONE).read_text()
        (defs / ONE).unlink()
        (defs / "z.fm.json").write_text(good.replace(old, new))
        report = await run(store, defs)
        assert counts(report) == {"unchanged": 29, "moved": 1, "failed": 1}
        assert [failed.path for failed in report.failed] == ["z.fm.json"]
        (row,) = await find(store, "pulmonary nodule of type 1")
        assert (row["oifm_id"], row["filename"]) == ("OIFM_TEST_000001", "z.fm.json")
        assert counts(await run(store, defs)) == {"unchanged": 29, "failed": 1}
        (defs / "z.fm.json").write_text(good.replace("rounded", "round"))
        assert counts(await run(store, defs)) == {"updated": 1, "unchanged": 29}
        (defs / "z.fm.json").unlink()
        assert counts(await run(store, defs)) == {"removed": 1, "unchanged": 29}

    async def test_a_renamed_file_that_wants_the_name_of_another_keeps_its_model(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        (defs / ONE).rename(defs / "z.fm.json")
        edit(defs / "z.fm.json", name="pulmonary nodule of type 3")
        assert counts(await run(store, defs)) == {"unchanged": 29, "moved": 1, "failed": 1}
        assert [row["oifm_id"] for row in await find(store, "pulmonary nodule of type 1")] == [
            "OIFM_TEST_000001"
        ]

    async def test_its_names_stay_its_own(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        (defs / ONE).rename(defs / "z.fm.json")
        edit(defs / "z.fm.json", attributes=[])
        write_model(defs, "a.fm.json", 40, name="pulmonary nodule of type 1")
        report = await run(store, defs)
        assert counts(report) == {"unchanged": 29, "moved": 1, "failed": 2}
        (problem,) = report.failed[0].problems
        assert "OIFM_TEST_000001 in z.fm.json" in problem.message

    async def test_a_broken_file_over_another_keeps_the_model_of_its_path(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        (defs / ONE).replace(defs / THREE)
        edit(defs / THREE, attributes=[])
        assert counts(await run(store, defs)) == {"removed": 1, "unchanged": 28, "failed": 1}
        assert counts(await run(store, defs)) == {"unchanged": 28, "failed": 1}
        assert "OIFM_TEST_000003" in await ids(store)

    async def test_a_good_file_with_the_id_wins_over_the_broken_one(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        text = (defs / ONE).read_text()
        (defs / ONE).unlink()
        (defs / "a.fm.json").write_text(text.replace("attributes", "attribute_"))
        (defs / "z.fm.json").write_text(text.replace("rounded", "round"))
        assert counts(await run(store, defs)) == {"updated": 1, "unchanged": 29, "moved": 1, "failed": 1}
        assert (await store.get(["OIFM_TEST_000001"]))["OIFM_TEST_000001"]["filename"] == "z.fm.json"

    async def test_a_copy_that_is_broken_moves_nothing(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        text = (defs / ONE).read_text()
        (defs / "z.fm.json").write_text(text.replace("attributes", "attribute_"))
        assert counts(await run(store, defs)) == {"unchanged": 30, "failed": 1}
        assert (await store.get(["OIFM_TEST_000001"]))["OIFM_TEST_000001"]["filename"] == ONE

    async def test_it_does_not_count_as_removed_for_the_guard(self, store: Store, tmp_path: Path) -> None:
        write_model(tmp_path, "defs/a.fm.json", 1)
        await run(store, tmp_path / "defs")
        (tmp_path / "defs/a.fm.json").rename(tmp_path / "defs/b.fm.json")
        edit(tmp_path / "defs/b.fm.json", attributes=[])
        report = await update(store, tmp_path / "defs", UpdateOptions())
        assert report.refused is None
        assert await ids(store) == ["OIFM_TEST_000001"]
