"""``index history``: what was done to the index, and what the ledger cannot tell."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

from tests.cli.commands import COUNT, SAMPLES, answer, edit, run

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def ledger_of(database: Path) -> Path:
    return database.with_name(f"{database.name}.ledger.jsonl")


def test_each_update_that_did_something_is_a_line_the_newest_first(tmp_path: Path, defs: Path) -> None:
    database = tmp_path / "x.db"
    for _ in range(2):
        run("index", "update", SAMPLES, "--db", database)
    (tmp_path / "empty").mkdir()
    run("index", "update", tmp_path / "empty", "--db", database)
    result = run("index", "history", "--db", database)
    refused, done = result.stdout.splitlines()
    assert "\trefused\tupdate: would-empty\t" in refused
    assert f"\tdone\tupdate: added {COUNT}\t" in done
    assert str(SAMPLES) in done
    assert len(answer("index", "history", "--db", database)) == 2
    assert len(answer("index", "history", "--db", database, "--limit", "1")) == 1


def test_times_are_those_of_the_clock_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    database = tmp_path / "x.db"
    note = {"at": "2026-03-01T23:30:00.123+00:00", "run": "1", "outcome": "done", "action": "update"}
    ledger_of(database).write_text(json.dumps(note | {"branch": "main"}) + "\n")
    try:
        for zone, told in (("UTC", "2026-03-01 23:30:00"), ("Asia/Tokyo", "2026-03-02 08:30:00")):
            monkeypatch.setenv("TZ", zone)
            time.tzset()
            assert run("index", "history", "--db", database).stdout.startswith(f"{told}\tdone\t")
            assert answer("index", "history", "--db", database)[0]["at"] == note["at"]
    finally:
        monkeypatch.undo()
        time.tzset()


def test_what_has_no_end_and_what_was_cut_short_is_told(tmp_path: Path, defs: Path) -> None:
    database = tmp_path / "x.db"
    run("index", "update", defs, "--db", database)
    begun = {"run": "1", "outcome": "begun", "action": "update", "branch": "main", "user": "a\x1b[2J"}
    with ledger_of(database).open("a") as ledger:
        ledger.write(json.dumps(begun) + '\n{"run": "2", "outc')
    result = run("index", "history", "--db", database)
    assert result.exit_code == 0
    assert "1 update begun and not ended: still at work, or killed" in result.stderr
    assert "1 line of the ledger cut short" in result.stderr
    assert "\x1b" not in result.output


def test_a_failure_is_told_with_its_reason(tmp_path: Path, defs: Path) -> None:
    database = tmp_path / "x.db"
    run("index", "update", defs, "--db", database)
    edit(next(defs.iterdir()), description="Another description than before.")
    failed = {"run": "9", "outcome": "failed", "action": "update", "error": "StoreError: x", "branch": "main"}
    with ledger_of(database).open("a") as ledger:
        ledger.write(json.dumps(failed) + "\n")
    assert "\tfailed\tupdate: StoreError: x\t" in run("index", "history", "--db", database).stdout


def test_where_nothing_is_noted_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    result = run("index", "history", "--db", tmp_path / "x.db")
    assert (result.exit_code, result.stdout) == (0, "")
    assert "nothing is noted in" in result.stderr
    monkeypatch.setenv("FINDINGMODEL_LEDGER", "off")
    assert "no ledger is kept" in run("index", "history", "--db", tmp_path / "x.db").stderr
