"""The rules of updates, for every store; `UpdateContract` combines them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

from findingmodel.errors import DirectoryError, LeaseHeldError
from findingmodel.search.lookup import find
from findingmodel.stores.records import WriteBatch
from findingmodel.update.directory import update
from findingmodel.update.lease import writer_lease
from findingmodel.update.options import UpdateObserver, UpdateOptions
from tests.builders import make_choice, make_model, make_organization, make_person, write_model
from tests.stores.samples import steps_of
from tests.update.broken import BROKEN, ODD, Case

if TYPE_CHECKING:
    from pathlib import Path

    from findingmodel.stores.protocol import Store
    from findingmodel.update.report import FileReport, UpdateReport

LONG_AGO = 1_700_000_000


def age(directory: Path) -> None:
    """Date all files long before they are indexed, so that their times can be trusted."""
    for path in directory.rglob("*.fm.json"):
        os.utime(path, (LONG_AGO, LONG_AGO))


def counts(report: UpdateReport) -> dict[str, int]:
    """Return the counts that are not zero."""
    every = {name: getattr(report, name) for name in ("added", "updated", "removed", "unchanged", "moved")}
    return {name: count for name, count in every.items() if count} | (
        {"failed": len(report.failed)} if report.failed else {}
    )


async def run(store: Store, directory: Path, **options: Any) -> UpdateReport:
    """Update, after a dry run that must report the same."""
    chosen = UpdateOptions(**options)
    before = await store.generation()
    would = await update(store, directory, chosen._replace(dry_run=True))
    assert would.dry_run
    assert await store.generation() == before
    report = await update(store, directory, chosen)
    for fact in ("failed", "warnings", "refused"):
        assert getattr(would, fact) == getattr(report, fact)
    assert counts(would) == counts(report)
    return report


async def ids(store: Store) -> list[str]:
    return sorted(state.oifm_id for state in await store.manifest())


def edit(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


class CountingRules:
    """Each kind of change is counted; `run` checks that a dry run reports the same."""

    async def test_a_first_update_adds_and_a_second_changes_nothing(self, store: Store, defs: Path) -> None:
        assert counts(await run(store, defs)) == {"added": 30}
        assert counts(await run(store, defs)) == {"unchanged": 30}
        assert await steps_of(store) == 1
        assert len(await store.manifest()) == 30

    async def test_edits_additions_and_deletions_below_any_directory(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        edit(defs / "neck/deep/model_02.fm.json", description="Edited since then.")
        edit(defs / "chest/model_01.fm.json", synonyms=["another name"])
        (defs / "chest/model_03.fm.json").unlink()
        write_model(defs, "new/place/model_40.fm.json", 40)
        report = await run(store, defs)
        assert counts(report) == {"added": 1, "updated": 2, "removed": 1, "unchanged": 27}
        assert list(report) == [1, 2, 1]
        assert [entry["oifm_id"] for entry in await find(store, "ANOTHER name")] == ["OIFM_TEST_000001"]
        assert counts(await run(store, defs)) == {"unchanged": 30}

    async def test_a_new_time_with_the_same_bytes_is_unchanged(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        for path in defs.rglob("*.fm.json"):
            os.utime(path, (LONG_AGO + 60, LONG_AGO + 60))
        assert counts(await run(store, defs)) == {"unchanged": 30}
        assert {state.mtime_ns for state in await store.manifest()} == {(LONG_AGO + 60) * 10**9}

    async def test_a_renamed_file_is_unchanged_and_moved(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        (defs / "chest/model_01.fm.json").rename(defs / "neck/other.fm.json")
        assert counts(await run(store, defs)) == {"unchanged": 30, "moved": 1}
        entry = (await store.get(["OIFM_TEST_000001"]))["OIFM_TEST_000001"]
        assert entry["filename"] == "neck/other.fm.json"

    async def test_a_renamed_and_edited_file_is_updated_and_moved(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        (defs / "chest/model_01.fm.json").rename(defs / "aaa.fm.json")
        edit(defs / "aaa.fm.json", description="Moved and edited.")
        assert counts(await run(store, defs)) == {"updated": 1, "unchanged": 29, "moved": 1}

    async def test_a_tree_moved_into_a_directory_removes_nothing(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        (defs / "chest").rename(defs / "neck/chest")
        (defs / "neck").rename(defs / "all")
        assert counts(await run(store, defs)) == {"unchanged": 30, "moved": 30}

    async def test_two_files_that_swap_their_names_are_unchanged_and_moved(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        one, other = defs / "chest/model_01.fm.json", defs / "chest/model_03.fm.json"
        texts = one.read_text(), other.read_text()
        other.write_text(texts[0])
        one.write_text(texts[1])
        assert counts(await run(store, defs)) == {"unchanged": 30, "moved": 2}

    async def test_an_id_changed_in_place_is_one_added_and_one_removed(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        edit(defs / "chest/model_01.fm.json", oifm_id="OIFM_TEST_000099")
        assert counts(await run(store, defs)) == {"added": 1, "removed": 1, "unchanged": 29}
        assert "OIFM_TEST_000001" not in await ids(store)

    async def test_three_models_can_exchange_their_names(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        paths = [defs / f"chest/model_0{number}.fm.json" for number in (1, 3, 5)]
        names = [json.loads(path.read_text())["name"] for path in paths]
        for path, name in zip(paths, names[1:] + names[:1], strict=True):
            edit(path, name=name)
        assert counts(await run(store, defs, batch_size=1)) == {"updated": 3, "unchanged": 27}
        assert [entry["oifm_id"] for entry in await find(store, names[1])] == ["OIFM_TEST_000001"]

    async def test_without_removal_models_whose_file_is_gone_stay(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        (defs / "chest/model_01.fm.json").unlink()
        assert counts(await run(store, defs, remove=False)) == {"unchanged": 29}
        assert counts(await run(store, defs)) == {"unchanged": 29, "removed": 1}

    async def test_rehash_reads_every_file(self, store: Store, defs: Path) -> None:
        loaded: list[tuple[int, int]] = []
        observer = UpdateObserver(progress=lambda done, total: loaded.append((done, total)))
        await run(store, defs)
        await update(store, defs, UpdateOptions(), observer)
        assert loaded == []
        assert counts(await update(store, defs, UpdateOptions(rehash=True), observer)) == {"unchanged": 30}
        assert loaded[-1] == (30, 30)


class FailureRules:
    """A bad file is reported, keeps its entry, and stops no other file."""

    async def test_a_file_that_fails_keeps_its_last_good_entry(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        (defs / "chest/model_01.fm.json").write_text("{")
        edit(defs / "chest/model_03.fm.json", description="Edited since then.")
        for _ in range(2):
            report = await run(store, defs)
            assert [failed.path for failed in report.failed] == ["chest/model_01.fm.json"]
            assert "OIFM_TEST_000001" in await store.models(["OIFM_TEST_000001"])
        write_model(defs, "chest/model_01.fm.json", 1, description="Mended by now.")
        assert counts(await run(store, defs)) == {"updated": 1, "unchanged": 29}

    async def test_the_holder_of_a_name_keeps_it_and_the_loser_names_the_winner(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        write_model(defs, "a_newcomer.fm.json", 50, name="PULMONARY  nodule of type 30")
        report = await run(store, defs)
        (failed,) = report.failed
        (problem,) = failed.problems
        assert (failed.path, problem.pointer, problem.code) == (
            "a_newcomer.fm.json",
            "/name",
            "duplicate-name",
        )
        assert "OIFM_TEST_000030 in neck/deep/model_30.fm.json" in problem.message
        assert counts(report) == {"unchanged": 30, "failed": 1}

    async def test_of_new_files_the_first_path_wins(self, store: Store, defs: Path) -> None:
        write_model(defs, "zzz.fm.json", 1)
        write_model(defs, "yyy.fm.json", 60, attributes=[make_choice(20)])
        report = await run(store, defs)
        found = {failed.path: [problem[:2] for problem in failed.problems] for failed in report.failed}
        assert found["zzz.fm.json"][:2] == [("/oifm_id", "duplicate-id"), ("/name", "duplicate-name")]
        assert found["yyy.fm.json"] == [("/attributes/0/oifma_id", "duplicate-attribute-id")]
        assert counts(report) == {"added": 30, "failed": 2}

    async def test_a_copy_of_a_moved_model_fails(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        text = (defs / "chest/model_01.fm.json").read_text()
        (defs / "chest/model_01.fm.json").unlink()
        (defs / "a.fm.json").write_text(text)
        (defs / "b.fm.json").write_text(text)
        report = await run(store, defs, batch_size=1)
        assert counts(report) == {"unchanged": 30, "moved": 1, "failed": 1}
        assert report.failed[0].path == "b.fm.json"
        assert report.failed[0].problems[0].code == "duplicate-id"

    async def test_a_moved_model_keeps_its_name_against_new_files(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        (defs / "chest/model_01.fm.json").rename(defs / "a.fm.json")
        write_model(defs, "b.fm.json", 50, name="pulmonary nodule of type 1")
        report = await run(store, defs, batch_size=1)
        assert counts(report) == {"unchanged": 30, "moved": 1, "failed": 1}
        assert "OIFM_TEST_000001 in a.fm.json" in report.failed[0].problems[0].message

    async def test_strict_writes_nothing_if_anything_fails(self, store: Store, defs: Path) -> None:
        (defs / "bad.fm.json").write_text("")
        report = await run(store, defs, strict=True)
        assert report.refused is not None
        assert (report.refused.reason, counts(report)) == ("strict", {"failed": 1})
        assert (await store.counts()).models == 0
        (defs / "bad.fm.json").unlink()
        assert counts(await run(store, defs, strict=True)) == {"added": 30}
        (defs / "bad.fm.json").write_text("")
        edit(defs / "chest/model_01.fm.json", description="Edited since then.")
        assert (await run(store, defs, strict=True)).refused is not None
        assert "Edited" not in str(await store.get(["OIFM_TEST_000001"]))

    async def test_warnings_do_not_fail(self, store: Store, defs: Path) -> None:
        edit(defs / "chest/model_01.fm.json", unheard_of={"$set": {"a.b": 2**80}})
        report = await run(store, defs)
        assert counts(report) == {"added": 30}
        assert [(found.path, found.problems[0].pointer) for found in report.warnings] == [
            ("chest/model_01.fm.json", "/unheard_of")
        ]
        kept = json.loads((await store.models(["OIFM_TEST_000001"]))["OIFM_TEST_000001"])
        assert kept["unheard_of"] == {"$set": {"a.b": 2**80}}

    async def test_a_missing_directory_is_an_error(self, store: Store, tmp_path: Path) -> None:
        with pytest.raises(DirectoryError, match="not a valid directory"):
            await update(store, tmp_path / "absent", UpdateOptions())


class BrokenFileRules:
    """Whatever is wrong with one file, it keeps its entry and the others are indexed."""

    @pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
    async def test_a_new_file_that_is_broken_is_reported(
        self, store: Store, tmp_path: Path, case: Case
    ) -> None:
        directory = small(tmp_path)
        (directory / "7.fm.json").unlink()
        case.spoil(directory / "7.fm.json")
        report = await run(store, directory)
        assert counts(report) == {"added": 4, "failed": 1}
        check(report.failed, case)

    @pytest.mark.parametrize("case", BROKEN.values(), ids=BROKEN)
    async def test_a_file_that_becomes_broken_keeps_its_last_good_entry(
        self, store: Store, tmp_path: Path, case: Case
    ) -> None:
        directory = small(tmp_path)
        await run(store, directory)
        case.spoil(directory / "7.fm.json")
        edit(directory / "9.fm.json", description="Edited since then.")
        report = await run(store, directory)
        assert counts(report) == {"updated": 1, "unchanged": 3, "failed": 1}
        check(report.failed, case)
        assert [entry["oifm_id"] for entry in await find(store, "PN7")] == ["OIFM_TEST_000007"]
        (directory / "7.fm.json").unlink()
        write_model(directory, "7.fm.json", 7, description="Mended by now.")
        assert counts(await run(store, directory)) == {"updated": 1, "unchanged": 4}

    @pytest.mark.parametrize("case", ODD.values(), ids=ODD)
    async def test_an_odd_file_is_indexed_with_a_warning(
        self, store: Store, tmp_path: Path, case: Case
    ) -> None:
        directory = small(tmp_path)
        case.spoil(directory / "7.fm.json")
        report = await run(store, directory)
        assert counts(report) == {"added": 5}
        check(report.warnings, case)
        text = (await store.models(["OIFM_TEST_000007"]))["OIFM_TEST_000007"]
        assert text == (directory / "7.fm.json").read_bytes()

    async def test_a_directory_with_the_suffix_is_scanned(self, store: Store, tmp_path: Path) -> None:
        write_model(tmp_path / "defs", "weird.fm.json/1.fm.json", 1)
        assert counts(await run(store, tmp_path / "defs")) == {"added": 1}

    async def test_a_path_that_is_not_text_is_reported(self, store: Store, tmp_path: Path) -> None:
        directory = small(tmp_path)
        (directory / os.fsdecode(b"caf\xe9.fm.json")).write_bytes(b"{}")
        report = await run(store, directory)
        assert counts(report) == {"added": 5, "failed": 1}
        assert report.failed[0].problems[0].code == "bad-path"

    async def test_a_file_that_vanishes_after_the_scan_is_reported(
        self, store: Store, tmp_path: Path
    ) -> None:
        directory = small(tmp_path)

        def remove(done: int, total: int) -> None:
            (directory / "7.fm.json").unlink(missing_ok=True)

        for number in range(100, 300):  # enough that the last are not read together with the first
            write_model(directory, f"0/{number}.fm.json", number)
        report = await update(store, directory, UpdateOptions(concurrency=1), UpdateObserver(progress=remove))
        assert [failed.problems[0].code for failed in report.failed] == ["vanished"]
        assert report.added == 204


def small(tmp_path: Path) -> Path:
    """Return a directory of five models."""
    directory = tmp_path / "small"
    for number in (1, 3, 5, 7, 9):
        write_model(directory, f"{number}.fm.json", number)
    age(directory)
    return directory


def check(reports: tuple[FileReport, ...], case: Case) -> None:
    (report,) = reports
    problem = report.problems[0]
    assert (report.path, problem.pointer, problem.code) == ("7.fm.json", case.pointer, case.code)
    assert problem.message


class GuardRules:
    """An empty or wrong directory does not wipe the index."""

    async def test_an_empty_directory_removes_nothing_unless_forced(
        self, store: Store, defs: Path, tmp_path: Path
    ) -> None:
        await run(store, defs)
        empty = tmp_path / "empty"
        empty.mkdir()
        report = await run(store, empty)
        assert report.refused is not None
        assert (report.refused.reason, report.refused.would_remove) == ("would-empty", 30)
        assert counts(report) == {}
        assert (await store.counts()).models == 30
        assert counts(await run(store, empty, force=True)) == {"removed": 30}

    async def test_a_wrong_directory_adds_nothing_either(
        self, store: Store, defs: Path, tmp_path: Path
    ) -> None:
        await run(store, defs)
        for number in range(40, 50):
            write_model(tmp_path / "wrong", f"{number}.fm.json", number)
        report = await run(store, tmp_path / "wrong", batch_size=3)
        assert report.refused is not None
        assert (await store.counts()).models == 30
        assert await steps_of(store) == 1

    async def test_changing_most_ids_is_refused_before_anything_is_visible(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        for number in range(1, 21):
            path = next(defs.rglob(f"model_{number:02}.fm.json"))
            edit(path, oifm_id=f"OIFM_TEST_{500 + number:06d}")
        report = await run(store, defs, batch_size=2)
        assert report.refused is not None
        assert report.refused.would_remove == 20
        assert await ids(store) == [f"OIFM_TEST_{number:06d}" for number in range(1, 31)]

    async def test_editing_every_file_is_not_refused(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        for path in defs.rglob("*.fm.json"):
            edit(path, description="Edited since then.")
        assert counts(await run(store, defs, batch_size=4)) == {"updated": 30}

    async def test_half_of_the_models_may_be_removed(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        for path in (defs / "chest").iterdir():
            path.unlink()
        assert counts(await run(store, defs)) == {"removed": 15, "unchanged": 15}


class ContributorRules:
    """Contributors are those that the files name, as the newest file describes them."""

    async def people(self, store: Store) -> dict[str, str]:
        return {row.key: row.fields["name"] for row in await store.contributors("person")}

    async def test_the_newest_file_is_believed_and_the_others_are_reported(
        self, store: Store, defs: Path
    ) -> None:
        write_model(defs, "a.fm.json", 40, contributors=[make_person(name="Old Name")])
        write_model(defs, "b.fm.json", 41, contributors=[make_person(name="New Name")])
        os.utime(defs / "a.fm.json", (LONG_AGO, LONG_AGO))
        os.utime(defs / "b.fm.json", (LONG_AGO + 9, LONG_AGO + 9))
        report = await run(store, defs)
        (conflict,) = report.conflicts
        assert conflict == ("test-reader", "b.fm.json", "a.fm.json", ("name",))
        assert await self.people(store) == {"test-reader": "New Name"}
        (defs / "b.fm.json").unlink()
        await run(store, defs)
        assert await self.people(store) == {"test-reader": "Old Name"}

    async def test_a_contributor_that_no_file_names_any_more_is_removed(
        self, store: Store, defs: Path
    ) -> None:
        write_model(defs, "a.fm.json", 40, contributors=[make_person(), make_organization(code="GONE")])
        await run(store, defs)
        assert (await store.counts())[1:] == (1, 2)
        edit(defs / "a.fm.json", contributors=[make_organization()])
        await run(store, defs)
        assert (await store.counts())[1:] == (0, 1)


class LeaseRules:
    """One update of an index runs at a time; one with nothing to do takes no lease."""

    async def test_an_update_with_work_fails_and_names_the_holder_of_the_lease(
        self, store: Store, defs: Path
    ) -> None:
        await store.setup()
        async with writer_lease(store, lease_seconds=60):
            with pytest.raises(LeaseHeldError, match=f"process {os.getpid()} on "):
                await update(store, defs, UpdateOptions())
            assert (await update(store, defs, UpdateOptions(dry_run=True))).added == 30
        assert (await store.counts()).models == 0
        assert counts(await run(store, defs)) == {"added": 30}
        async with writer_lease(store, lease_seconds=60):
            assert counts(await update(store, defs, UpdateOptions())) == {"unchanged": 30}

    async def test_another_update_may_have_done_the_work_before_the_lease_was_taken(
        self, store: Store, defs: Path
    ) -> None:
        await run(store, defs)
        (state,) = [s for s in await store.manifest() if s.oifm_id == "OIFM_TEST_000001"]
        await store.write(WriteBatch(touches=[state._replace(mtime_ns=1)]))
        assert counts(await run(store, defs)) == {"unchanged": 30}


class UpdateContract(CountingRules, FailureRules, BrokenFileRules, GuardRules, ContributorRules, LeaseRules):
    """All rules."""

    async def test_the_index_holds_what_the_files_say(self, store: Store, defs: Path) -> None:
        await run(store, defs)
        text = (await store.models(["OIFM_TEST_000007"]))["OIFM_TEST_000007"]
        assert text == (defs / "chest/model_07.fm.json").read_bytes()
        entry = (await store.get(["OIFM_TEST_000007"]))["OIFM_TEST_000007"]
        model = make_model(7)
        for field in ("oifm_id", "name", "description", "synonyms", "tags"):
            assert entry[field] == model[field]  # type: ignore[literal-required]
        assert entry["contributors"] == ["TEST"]
        assert entry["filename"] == "chest/model_07.fm.json"

    async def test_progress_counts_every_file_that_is_loaded(self, store: Store, defs: Path) -> None:
        seen: list[tuple[int, int]] = []
        observer = UpdateObserver(progress=lambda done, total: seen.append((done, total)))
        await update(store, defs, UpdateOptions(), observer)
        assert seen[-1] == (30, 30)
        assert seen == sorted(seen)
