"""`index coverage` and the conditions of `index list`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import COUNT, SAMPLES, answer, run

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def db(tmp_path: Path) -> Path:
    run("index", "update", SAMPLES, "--db", tmp_path / "x.db")
    return tmp_path / "x.db"


def test_the_report_is_the_same_of_an_index_and_of_files(db: Path) -> None:
    of_index = answer("index", "coverage", "--db", db)
    assert of_index == answer("index", "coverage", "--files", SAMPLES)
    assert of_index["models"] == COUNT
    lines = [line.split("\t") for line in run("index", "coverage", "--db", db).stdout.splitlines()]
    assert {line[0]: int(line[1]) for line in lines} == of_index["lacking"]
    assert all(line[2].endswith("%") and line[3] for line in lines)


def test_what_the_report_counts_can_be_listed(db: Path) -> None:
    for name, count in answer("index", "coverage", "--db", db)["lacking"].items():
        listed = answer("index", "list", "--without", name, "--limit", 1_000, "--db", db)
        assert len(listed) == count


def test_an_empty_index_says_so(tmp_path: Path) -> None:
    for command in (("coverage",), ("list", "--tag", "CT")):
        result = run("index", *command, "--db", tmp_path / "none.db")
        assert (result.exit_code, result.stdout) == (0, "")
        assert "there is no index" in result.stderr


def test_conditions_page_and_sort_as_the_whole_list_does(db: Path) -> None:
    both = answer("index", "list", "--tag", "ct", "--modality", "mr", "--limit", 1_000, "--db", db)
    assert both
    assert all({"CT", "MR"} <= set(entry["tags"]) for entry in both)
    page = run("index", "list", "--tag", "ct", "--modality", "mr", "--limit", 2, "--offset", 1, "--db", db)
    assert [line.split("\t")[0] for line in page.stdout.splitlines()] == [one["oifm_id"] for one in both[1:3]]
    assert f"2 to 3 of {len(both)}; continue with --offset 3" in page.stderr
    backwards = answer(
        "index", "list", "--tag", "ct", "--modality", "mr", "--desc", "--limit", 1_000, "--db", db
    )
    assert backwards == both[::-1]
    every = answer("index", "list", "--limit", 1_000, "--sort", "filename", "--db", db)
    own = ("--contributor", "SMPL", "--limit", 1_000, "--sort", "filename")
    of_one = answer("index", "list", *own, "--db", db)
    assert of_one == [entry for entry in every if "SMPL" in (entry["contributors"] or ())]


def test_bad_conditions_are_one_sentence(db: Path) -> None:
    result = run("index", "list", "--without", "colour", "--db", db)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: without cannot be 'colour'; choose one of description, synonyms")
    none = run("index", "list", "--tag", "bogus", "--db", db)
    assert (none.exit_code, none.stderr) == (0, "nothing to list: no models meet the conditions\n")
