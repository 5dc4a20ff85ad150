"""Contributors: the index holds those that stored models name, as the newest file describes them."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from findingmodel.stores.records import Credit, newest
from findingmodel.stores.sqlite.store import SQLiteStore
from findingmodel.update.contributors import Credits
from findingmodel.update.directory import update
from findingmodel.update.options import UpdateOptions
from findingmodel.update.report import CreditConflict
from tests.builders import make_organization, make_person, model_bytes, write_model
from tests.stores.samples import make_file, make_id, make_record, organization, person, upserts

if TYPE_CHECKING:
    from findingmodel.stores.protocol import Store
    from findingmodel.update.report import UpdateReport

LONG_AGO = 1_700_000_000


class File(NamedTuple):
    """A file of the model *number*: its contributors, their names, and its modification time."""

    number: int
    names: tuple[tuple[str, str], ...]
    age: int = 0
    version: int = 0

    def to_bytes(self) -> bytes:
        stated = [
            make_organization(code="ANNS", name=name)
            if key == "ANNS"
            else make_person(github_username=key, name=name)
            for key, name in self.names
        ]
        return model_bytes(self.number, contributors=stated or ..., tags=[f"v{self.version}"])


Directory = dict[str, File | None]
"""Files by path; None is a file that is not a model."""

Known = dict[str, tuple[str, str]]
"""The believed name of each contributor, and the file it is from."""


def write(root: Path, old: Directory, new: Directory) -> None:
    for path in old.keys() - new.keys():
        (root / path).unlink()
    for path, file in new.items():
        if path not in old or old[path] != file:
            (root / path).write_bytes(file.to_bytes() if file else b"{")
            age = file.age if file else 0
            os.utime(root / path, (LONG_AGO - age, LONG_AGO - age))


async def believed(store: Store) -> Known:
    rows = [*await store.contributors("person"), *await store.contributors("organization")]
    return {row.key: (row.fields["name"], row.path) for row in rows}


def best(stored: dict[str, File]) -> Known:
    """Return the contributors of the files in *stored*, by the plain rule."""
    claims: dict[str, list[tuple[int, str, str]]] = {}
    for path, file in stored.items():
        for key, name in file.names:
            claims.setdefault(key, []).append((LONG_AGO - file.age, path, name))
    return {key: (max(found)[2], max(found)[1]) for key, found in claims.items()}


def check_conflicts(report: UpdateReport, changed: set[str], stored: dict[str, File], known: Known) -> None:
    """Check that each conflict is between the believed file and one that differs; none is dropped."""
    for one in report.conflicts:
        assert one.kept == known[one.key][1]
        assert one.fields == ("name",)
        assert dict(stored[one.other].names)[one.key] != known[one.key][0]
    reported = {one.key for one in report.conflicts}
    for path, file in stored.items():
        if path in changed:
            disagreeing = {key for key, name in file.names if name != known[key][0]}
            assert disagreeing <= reported


async def check_updates(directories: list[Directory]) -> None:
    store, options = SQLiteStore(":memory:"), UpdateOptions(force=True, rehash=True)
    stored: dict[str, File] = {}
    before: Directory = {}
    try:
        with tempfile.TemporaryDirectory() as place:
            for files in directories:
                write(Path(place), before, files)
                report = await update(store, Path(place), options)
                stored = {path: file for path in files if (file := files[path] or stored.get(path))}
                assert await believed(store) == best(stored)
                changed = {path for path, file in files.items() if file and file != before.get(path)}
                check_conflicts(report, changed, stored, best(stored))
                assert tuple(await update(store, Path(place), options)) == (0, 0, 0)
                assert await believed(store) == best(stored)
                before = files
    finally:
        await store.close()


names = st.dictionaries(
    st.sampled_from(["anna", "bobby", "ANNS"]), st.sampled_from(["Ann A", "Bob B"]), max_size=2
)


def files_of(number: int) -> st.SearchStrategy[File]:
    return st.builds(
        File,
        st.just(number),
        names.map(lambda stated: tuple(sorted(stated.items()))),
        st.integers(0, 2).map(lambda days: 86_400 * days),
        st.integers(0, 1),
    )


directories = st.fixed_dictionaries(
    {}, optional={f"{number}.fm.json": files_of(number) | st.none() for number in (1, 2, 3)}
)
OLD = File(1, (("anna", "Ann A"),), age=9)
NEW = File(2, (("anna", "Bob B"),))


@pytest.mark.slow
@settings(max_examples=120)
@given(st.lists(directories, min_size=1, max_size=3))
@example([{"1.fm.json": OLD, "2.fm.json": NEW}, {"1.fm.json": OLD}]).via("the believed file is removed")
@example([{"1.fm.json": OLD, "2.fm.json": NEW}, {"1.fm.json": OLD, "2.fm.json": None}]).via(
    "the believed file fails"
)
@example([{"1.fm.json": OLD}, {"2.fm.json": OLD}, {}]).via("a file is moved and then removed")
@example(
    [{"1.fm.json": OLD}, {"1.fm.json": None, "2.fm.json": NEW}, {"1.fm.json": None, "2.fm.json": None}]
).via("a file keeps failing while another one starts to fail")
def test_after_any_updates_the_newest_stored_file_is_believed(history: list[Directory]) -> None:
    asyncio.run(check_updates(history))


def test_among_files_of_the_same_time_the_greater_path_is_the_newest() -> None:
    one, other = (Credit("person", "ann", {}, 5, path) for path in ("a", "b"))
    key = ("person", "ann")
    assert newest([one, other])[key] is newest([other, one])[key] is other
    assert newest([one._replace(mtime_ns=6), other])[key].path == "a"


@pytest.fixture
async def filled(memory: Store) -> Store:
    """A store with two models: both name Ann; the second, newer one also names the organization."""
    first = make_record(1, contributors=[person("ann", name="Old")])
    second = make_record(2, contributors=[person("ann", name="New"), organization("ACR")])
    await memory.write(upserts(first, second)._replace(credits=second.credits))
    return memory


async def test_an_update_without_contributors_reads_and_changes_nothing(filled: Store) -> None:
    assert await Credits().changes(filled) == ((), (), ())


async def test_an_unchanged_contributor_is_not_written_again(filled: Store) -> None:
    contributors = Credits()
    record = make_record(2, contributors=[person("ann", name="New"), organization("ACR")])
    contributors.add(record.credits, record.file)
    assert await contributors.changes(filled) == ((), (), ())


async def test_an_older_description_is_reported_and_not_believed(filled: Store) -> None:
    contributors = Credits()
    older = person("ann", name="Oldest", url="https://example.org")._replace(mtime_ns=1, path="x.fm.json")
    contributors.add([older], None)
    found = await contributors.changes(filled)
    assert (found.upserts, found.withdrawn) == ((), ())
    assert found.conflicts == (CreditConflict("ann", "finding_2.fm.json", "x.fm.json", ("name", "url")),)


async def test_a_newer_description_is_believed_and_the_older_one_reported(filled: Store) -> None:
    contributors = Credits()
    newer = person("ann", name="Newest")._replace(mtime_ns=2**62, path="x.fm.json")
    contributors.add([newer], None)
    found = await contributors.changes(filled)
    assert found.upserts == (newer,)
    assert found.conflicts == (CreditConflict("ann", "x.fm.json", "finding_2.fm.json", ("name",)),)


async def test_a_file_does_not_conflict_with_its_own_earlier_version(filled: Store) -> None:
    contributors = Credits()
    record = make_record(2, contributors=[person("ann", name="Newest"), organization("ACR")])
    await filled.write(upserts(record))
    contributors.add(record.credits, record.file)
    found = await contributors.changes(filled)
    assert [credit.fields["name"] for credit in found.upserts] == ["Newest"]
    assert found.conflicts == ()


async def test_a_person_and_an_organization_may_have_the_same_key(memory: Store) -> None:
    contributors = Credits()
    contributors.add([person("acr"), organization("acr")], None)
    found = await contributors.changes(memory, was_empty=True)
    assert [(credit.kind, credit.key) for credit in found.upserts] == [
        ("organization", "acr"),
        ("person", "acr"),
    ]
    assert found.conflicts == ()


async def test_a_contributor_named_only_by_removed_models_is_withdrawn(filled: Store) -> None:
    contributors = Credits()
    contributors.remove(make_file(2, "finding_2.fm.json", contributors=["ann", "ACR"]))
    await filled.write(upserts()._replace(removals=[make_id(2)]))
    found = await contributors.changes(filled)
    assert found.withdrawn == (("organization", "ACR"),)
    assert [credit.fields["name"] for credit in found.upserts] == ["Old"]


async def test_a_revoked_description_is_not_believed(filled: Store) -> None:
    contributors = Credits()
    newer = person("ann", name="Newest")._replace(mtime_ns=2**62, path="x.fm.json")
    contributors.add([newer, person("new")], None)
    contributors.revoke([newer, person("new")])
    assert await contributors.changes(filled) == ((), (), ())


async def test_every_file_that_disagrees_is_reported(memory: Store, tmp_path: Path) -> None:
    for number, name in enumerate(["Ann A", "Ann B", "Ann A", "Ann C"], 1):
        write_model(tmp_path, f"{number}.fm.json", number, contributors=[make_person(name=name)])
        os.utime(tmp_path / f"{number}.fm.json", (LONG_AGO + number, LONG_AGO + number))
    report = await update(memory, tmp_path, UpdateOptions())
    assert report.conflicts == (
        ("test-reader", "4.fm.json", "1.fm.json", ("name",)),
        ("test-reader", "4.fm.json", "2.fm.json", ("name",)),
    )
    assert report.ok
