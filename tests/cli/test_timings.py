"""``--timings`` and log lines: the time of each stage, on stderr."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import COUNT, SAMPLES, run

if TYPE_CHECKING:
    from pathlib import Path


def stages(table: str) -> dict[str, list[str]]:
    """Return the cells of each row by its stage."""
    lines = [line for line in table.splitlines() if line.startswith(("stage", "sync.", "search", "index"))]
    rows = [line.split() for line in lines]
    return {row[0] if row[0] != "index" else "index update": row for row in rows}


def test_timings_of_an_update_show_each_stage(tmp_path: Path) -> None:
    done = run("index", "update", SAMPLES, "--db", tmp_path / "x.db", "--timings", "--json")
    assert json.loads(done.stdout)["added"] == COUNT
    found = stages(done.stderr)
    assert list(found) == [
        *("stage", "sync.scan", "sync.manifest", "sync.compare", "sync.setup", "sync.load", "sync.decide"),
        *("sync.write", "sync.contributors", "sync.finish", "index update"),
    ]
    assert found["sync.load"][2] == found["sync.write"][2] == str(COUNT)
    assert found["sync.scan"][1] == "1"


def test_an_update_with_nothing_to_do_has_few_stages(db: Path) -> None:
    run("index", "update", SAMPLES, "--db", db)
    done = run("index", "update", SAMPLES, "--timings")
    assert list(stages(done.stderr)) == [
        "stage",
        "sync.scan",
        "sync.manifest",
        "sync.compare",
        "index update",
    ]


@pytest.mark.usefixtures("db")
def test_timings_of_a_search_show_each_stage() -> None:
    done = run("search", "collapsed lung", "--timings", "--json")
    assert json.loads(done.stdout)
    assert {"search.plan", "search.candidates", "search.rank", "search.entries"} <= stages(done.stderr).keys()


@pytest.mark.usefixtures("db")
@pytest.mark.parametrize("command", [["search", "lung"], ["index", "stats"]])
def test_without_timings_nothing_is_printed(command: list[str]) -> None:
    assert run(*command).stderr == ""


@pytest.mark.usefixtures("db")
def test_a_setting_turns_on_log_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FINDINGMODEL_LOG", "json")
    done = run("search", "lung", "--json")
    events = [json.loads(line)["event"] for line in done.stderr.splitlines()]
    assert events[-1] == "search"
    assert "search.rank" in events
    assert json.loads(done.stdout)


@pytest.mark.usefixtures("db")
def test_a_batch_is_logged_as_search_batch(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FINDINGMODEL_LOG", "json")
    phrases = tmp_path / "phrases.txt"
    phrases.write_text("collapsed lung\n")
    done = run("search", "--batch", phrases, "--output", tmp_path / "hits.jsonl", "--json")
    events = [json.loads(line)["event"] for line in done.stderr.splitlines() if line.startswith("{")]
    assert "search batch" in events
    assert "search" not in events
