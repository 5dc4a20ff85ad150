"""compare: which files an update must load, by sizes and times alone."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.errors import Problem
from findingmodel.stores.records import FileState
from findingmodel.update.compare import compare
from findingmodel.update.report import FileReport
from findingmodel.update.scan import Scan, SourceFile

MTIME_NS = 1_700_000_000_123_456_789
SECOND_NS = 1_000_000_000
FAILED = (Problem("", "link", "refused"),)


def source(path: str, *, size: int = 10, mtime_ns: int = MTIME_NS, stamp: int = 7) -> SourceFile:
    return SourceFile(path, size, mtime_ns, stamp)


def state(path: str, *, indexed_ns: int = MTIME_NS + 3_600 * SECOND_NS) -> FileState:
    return FileState(path, 10, MTIME_NS, "00", indexed_ns, f"OIFM_TEST_{path}", stamp=7)


def scanned(*files: SourceFile, failed: tuple[str, ...] = (), unreadable: tuple[str, ...] = ()) -> Scan:
    reports = tuple(FileReport(path, FAILED) for path in failed)
    return Scan(Path("defs"), sorted(files), reports, unreadable)


def test_unchanged_files_are_not_loaded() -> None:
    found = compare(scanned(source("a"), source("b")), [state("b"), state("a")])
    assert (found.to_load, found.missing, found.unchanged) == ([], {}, 2)
    assert found.is_clean


def test_a_new_file_is_loaded() -> None:
    found = compare(scanned(source("a"), source("b")), [state("a")])
    assert (found.to_load, found.unchanged, found.is_clean) == ([source("b")], 1, False)


@pytest.mark.parametrize(
    "file",
    [
        source("a", size=11),
        source("a", mtime_ns=MTIME_NS + 1),
        source("a", mtime_ns=MTIME_NS - SECOND_NS),
        source("a", stamp=8),
    ],
    ids=["size", "later by a nanosecond", "earlier", "another inode or change time"],
)
def test_a_file_of_another_size_or_time_is_loaded_even_an_older_one(file: SourceFile) -> None:
    assert compare(scanned(file), [state("a")]).to_load == [file]


@pytest.mark.parametrize(
    ("age_ns", "is_racy"),
    [
        (0, True),
        (2 * SECOND_NS - 1, True),
        (2 * SECOND_NS, False),
        (-SECOND_NS, True),
        (-2 * SECOND_NS, False),
    ],
)
def test_a_file_modified_within_two_seconds_of_being_indexed_is_loaded(age_ns: int, is_racy: bool) -> None:
    found = compare(scanned(source("a")), [state("a", indexed_ns=MTIME_NS + age_ns)])
    assert (found.to_load == [source("a")]) == is_racy
    assert found.is_clean == (not is_racy)


def test_rehash_loads_every_file() -> None:
    found = compare(scanned(source("a"), source("b")), [state("a"), state("b")], rehash=True)
    assert (found.to_load, found.unchanged) == ([source("a"), source("b")], 0)


def test_a_file_that_no_longer_exists_is_missing() -> None:
    found = compare(scanned(source("a")), [state("a"), state("b")])
    assert (found.missing, found.is_clean) == ({"b": state("b")}, False)


def test_a_file_that_the_scan_refuses_is_not_missing() -> None:
    found = compare(scanned(failed=("a",)), [state("a")])
    assert (found.missing, found.unchanged, found.is_clean) == ({}, 0, True)


def test_nothing_below_an_unreadable_directory_is_missing() -> None:
    known = [
        state("shut/a"),
        state("shut/deep/b"),
        state("shut.fm.json"),
        state("shut2/c"),
        state("x/shut/d"),
    ]
    found = compare(scanned(failed=("shut",), unreadable=("shut/",)), known)
    assert sorted(found.missing) == ["shut.fm.json", "shut2/c", "x/shut/d"]


def test_an_empty_directory_and_an_empty_index_do_not_differ() -> None:
    assert compare(scanned(), []).is_clean


paths = st.sets(st.sampled_from([f"{directory}{name}" for directory in ("", "d/", "d/e/") for name in "abc"]))


@given(paths, paths, paths, st.booleans())
def test_each_file_is_accounted_for_once(
    present: set[str], known: set[str], failed: set[str], rehash: bool
) -> None:
    files = [source(path, size=10 + len(path) % 2) for path in present - failed]
    found = compare(
        scanned(*files, failed=tuple(failed)), [state(path) for path in sorted(known)], rehash=rehash
    )
    assert len(found.to_load) + found.unchanged == len(files)
    assert found.to_load == sorted(found.to_load)
    assert found.missing.keys() == known - present - failed
    assert {file.path for file in found.to_load} >= present - failed - known
    assert found.known.keys() == known


def test_if_two_models_have_one_path_the_one_matching_the_file_keeps_it_and_the_other_is_left_behind() -> (
    None
):
    """The state after an update that was killed between two writes."""
    rows = [state("a")._replace(oifm_id="X", size=1), state("a")._replace(oifm_id="Y"), state("b")]
    for manifest in (rows, rows[::-1]):
        found = compare(scanned(source("a"), source("b")), manifest)
        assert (found.to_load, found.unchanged, found.is_clean) == ([], 2, False)
        (path,) = found.left_behind.values()
        assert found.left_behind.keys() == {"X"}
        assert found.missing == {path: rows[0]}
        assert found.known["a"].oifm_id == "Y"


def test_if_two_models_have_the_path_of_a_changed_file_the_one_indexed_last_keeps_it() -> None:
    rows = [state("a", indexed_ns=MTIME_NS + n)._replace(oifm_id=oifm_id) for n, oifm_id in enumerate("YX")]
    for manifest in (rows, rows[::-1]):
        found = compare(scanned(source("a", size=99)), manifest)
        assert found.known["a"].oifm_id == "X"
        assert list(found.left_behind) == ["Y"]
        assert len(found.to_load) == 1
