"""``index history``: entries of the ledger, the newest first."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest

from tests.cli.commands import COUNT, SAMPLES, answer, edit, run

if TYPE_CHECKING:
    from pathlib import Path


def ledger_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.ledger.jsonl")


def test_each_update_with_changes_is_a_line_the_newest_first(tmp_path: Path, defs: Path) -> None:
    database = tmp_path / "x.db"
    for _ in range(2):
        run("index", "update", SAMPLES, "--db", database)
    (tmp_path / "empty").mkdir()
    run("index", "update", tmp_path / "empty", "--db", database)
    result = run("index", "history", "--db", database)
    refused, done = result.stdout.splitlines()
    assert "\trefused\tupdate: would have removed all 58 models\t" in refused
    assert f"\tdone\tupdate: added {COUNT}\t" in done
    assert str(SAMPLES) in done
    assert len(answer("index", "history", "--db", database)) == 2
    assert len(answer("index", "history", "--db", database, "--limit", "1")) == 1


def test_times_are_local(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "x.db"
    note = {"at": "2026-03-01T23:30:00.123+00:00", "run": "1", "outcome": "done", "action": "update"}
    ledger_of(database).write_text(json.dumps(note | {"branch": "main"}) + "\n")
    try:
        for zone, local in (("UTC", "2026-03-01 23:30:00"), ("Asia/Tokyo", "2026-03-02 08:30:00")):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert run("index", "history", "--db", database).stdout.startswith(f"{local}\tdone\t")
            assert answer("index", "history", "--db", database)[0]["at"] == note["at"]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_unfinished_updates_and_torn_lines_are_reported(tmp_path: Path, defs: Path) -> None:
    database = tmp_path / "x.db"
    run("index", "update", defs, "--db", database)
    begun = {"run": "1", "outcome": "begun", "action": "update", "branch": "main", "user": "a\x1b[2J"}
    with ledger_of(database).open("a") as ledger:
        ledger.write(json.dumps(begun) + '\n{"run": "2", "outc')
    result = run("index", "history", "--db", database)
    assert result.exit_code == 0
    assert "1 update not ended: still running, or killed" in result.stderr
    assert "1 line of the ledger cut short by a killed writer" in result.stderr
    assert "\x1b" not in result.output


def test_a_failure_is_shown_with_its_reason(tmp_path: Path, defs: Path) -> None:
    database = tmp_path / "x.db"
    run("index", "update", defs, "--db", database)
    edit(next(defs.iterdir()), description="Another description than before.")
    failed = {"run": "9", "outcome": "failed", "action": "update", "error": "StoreError: x", "branch": "main"}
    with ledger_of(database).open("a") as ledger:
        ledger.write(json.dumps(failed) + "\n")
    assert "\tfailed\tupdate: StoreError: x\t" in run("index", "history", "--db", database).stdout


def test_an_empty_or_disabled_ledger_is_reported(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("index", "history", "--db", tmp_path / "x.db")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "no entries in" in result.stderr
    monkeypatch.setenv("FINDINGMODEL_LEDGER", "off")
    assert "no ledger is kept" in run("index", "history", "--db", tmp_path / "x.db").stderr


@pytest.mark.slow
def test_history_shows_what_was_done_the_newest_first(samples: str, edited: Path) -> None:
    run("index", "update", edited)
    notes: list[dict[str, Any]] = answer("index", "history")
    assert [note["counts"]["added"] for note in notes] == [1, COUNT]
    (newest,) = answer("index", "history", "--limit", 1)
    assert newest["failures"] == ["breast/breast_mass.fm.json"]
    lines = [line.split("\t") for line in run("index", "history").stdout.splitlines()]
    assert [line[1] for line in lines] == ["done", "done"]
    assert lines[0][2].startswith("update: added 1, updated 1, removed 1,")
    assert lines[0][4] == str(edited)


@pytest.mark.slow
def test_an_empty_history_is_not_an_error() -> None:
    result = run("index", "history", "--db", "none.db")
    assert (result.exit_code, result.stdout) == (0, "")
    assert result.stderr.startswith("no entries in ")
    assert answer("index", "history", "--db", "none.db") == []
