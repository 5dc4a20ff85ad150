"""`index triage`: a list is compared, ids are written into it, stubs are written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import SAMPLES, answer, run

if TYPE_CHECKING:
    from pathlib import Path

LIST = (
    b'finding;aka;note\r\n"Pneumothorax";;"a;b"\r\nbreast masses;;\r\n'
    b"small pneumothorax;;x\r\nfrobnication;frob|XF;\r\n"
)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    path = tmp_path / "list.csv"
    path.write_bytes(LIST)
    return path


def options(listed: Path) -> list[object]:
    return ["index", "triage", listed, "--column", "finding", "--synonyms", "aka", "--files", SAMPLES]


def test_each_row_is_a_match_a_maybe_or_none(listed: Path) -> None:
    result = run(*options(listed))
    rows = [line.split("\t") for line in result.stdout.splitlines()]
    assert [row[:3] for row in rows] == [
        ["2", "match", "Pneumothorax"],
        ["3", "match", "breast masses"],
        ["4", "maybe", "small pneumothorax"],
        ["5", "none", "frobnication"],
    ]
    assert rows[1][5] == "same words as its name 'Breast mass'"
    assert rows[2][5] == "wider: 'Pneumothorax' says less"
    assert result.stderr == "4 rows: match 2, maybe 1, none 1\n"
    assert listed.read_bytes() == LIST


def test_ids_are_written_and_nothing_else(listed: Path, tmp_path: Path) -> None:
    new = tmp_path / "new"
    arguments = [*options(listed), "--write-ids", "oifm_id", "--stubs", new, "--source", "ABCD"]
    trial = answer(*arguments, "--dry-run")
    assert listed.read_bytes() == LIST
    assert not new.exists()
    assert trial["files"] == [str(new / "frobnication.fm.json"), str(listed)]
    done = answer(*arguments)
    stub = json.loads((new / "frobnication.fm.json").read_bytes())
    assert stub["synonyms"] == ["frob", "XF"]
    assert [row["new_id"] for row in done["rows"]] == [None, None, None, stub["oifm_id"]]
    ids = [b"oifm_id", *[row["oifm_id"].encode() for row in done["rows"][:2]], b"", stub["oifm_id"].encode()]
    lines = LIST.split(b"\r\n")
    assert listed.read_bytes() == b"\r\n".join([*map(b";".join, zip(lines, ids, strict=False)), b""])
    after = listed.read_bytes()
    run(*arguments)
    assert listed.read_bytes() == after


def test_the_index_is_compared_by_default(listed: Path, tmp_path: Path) -> None:
    db = tmp_path / "x.db"
    run("index", "update", SAMPLES, "--db", db)
    arguments = [word for word in options(listed) if word not in ("--files", SAMPLES)]
    assert answer(*arguments, "--db", db)["match"] == 2
    assert answer(*arguments, "--db", tmp_path / "none.db")["none"] == 4


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--column", "bogus"], "there is no column 'bogus'; the columns are 'finding', 'aka', 'note'"),
        (["--column", "finding", "--stubs", "new"], "--stubs requires --source"),
        (["--column", "finding", "--write-ids", "Finding"], "must name a column of its own"),
        (["--column", "finding", "--stubs", "new", "--source", "1"], "three or four letters"),
    ],
)
def test_bad_usage_is_one_sentence(listed: Path, arguments: list[str], message: str) -> None:
    result = run("index", "triage", listed, *arguments, "--files", SAMPLES)
    assert (result.exit_code, result.stdout) == (2, "")
    assert message in result.stderr
    assert listed.read_bytes() == LIST
