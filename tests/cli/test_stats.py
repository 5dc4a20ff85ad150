"""``index stats``: counts, and measurements with --performance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.commands import COUNT, answer, run

if TYPE_CHECKING:
    from pathlib import Path


def test_stats_count_models_and_contributors(db: Path) -> None:
    facts = answer("index", "stats")
    assert facts["models"] == COUNT
    assert facts["people"] > 0
    assert facts["organizations"] > 0
    assert facts["generation"] > 0
    assert facts["branch"] == "main"
    assert str(db) in facts["db"]
    assert f"models         {COUNT}\n" in run("index", "stats").stdout


def test_branches_are_separate_indexes(db: Path) -> None:
    assert answer("index", "stats", "--branch", "other")["models"] == 0
    assert answer("index", "stats", "--branch", "main")["models"] == COUNT


@pytest.mark.usefixtures("db")
def test_performance_measures_each_kind_of_read() -> None:
    facts = answer("index", "stats", "--performance")
    reads = facts["performance"]["reads"]
    assert {"generation", "page", "get by id", "get by name", "whole model", "search"} == reads.keys()
    assert reads["get by id"]["count"] == 10
    assert 0 < reads["get by id"]["least"] <= reads["get by id"]["p95"] <= reads["get by id"]["most"]
    assert facts["performance"]["bytes"]["index"] > 10_000
    assert facts["performance"]["pool"] is None


@pytest.mark.usefixtures("db")
def test_performance_is_printed_as_text_too() -> None:
    done = run("index", "stats", "--performance")
    assert "get by id" in done.stdout
    assert "index bytes" in done.stdout
