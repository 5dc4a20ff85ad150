"""The benchmark: cases run, verdicts are right, and the report is readable."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from benchmarks.budgets import BUDGETS, Budget, Verdict, judge
from benchmarks.child import CASES
from benchmarks.plots import Bar, Line, bars, lines
from benchmarks.report import Run, rows, write_report

from tests.cli.commands import COUNT, SAMPLES
from tests.servers import running

if TYPE_CHECKING:
    from pathlib import Path

SVG = "{http://www.w3.org/2000/svg}"
AT_MOST = Budget("a / b", "a", "seconds", 2.0, "b")
AT_LEAST = Budget("rate", "a", "per_second", 10.0, at_least=True, unit="/s")


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    shutil.copytree(SAMPLES, tmp_path / "defs")
    return tmp_path / "defs"


def test_cases_measure_the_values_of_budgets(corpus: Path, tmp_path: Path) -> None:
    directory, url = str(corpus), str(tmp_path / "x.db")
    results = CASES["floors"](directory) | CASES["cold"](directory, url)
    results |= CASES["updates"](directory, url) | CASES["reads"](url, ["collapsed lung", "lung cyst", "MS"])
    results |= CASES["reports"](url, ["Pneumothorax", "Lung cyst", "MS"])
    judged = {verdict.budget.case for verdict in judge(results, COUNT)}
    assert judged == {
        *("update: cold", "update: no change", "update: 1 % changed", "update: touched"),
        *("search: uncached", "search: cached", "search: batch", "get by id", "metrics: disabled"),
        "reports: read",
    }
    assert all(verdict.value > 0 for verdict in judge(results, COUNT))
    assert results["update: cold"]["peak_mb"] > 10


@pytest.mark.mongo
@pytest.mark.parametrize("driver", ["motor", "pymongo"])
def test_commands_and_bytes_are_counted(corpus: Path, driver: str) -> None:
    with running("nx") as server:
        url = f"{server.uri.split('/?')[0]}/bench_test"
        facts = CASES["traffic"](str(corpus), url, driver, ["collapsed lung", "lung cyst", "MS", "edema"])
    assert facts["update: no change"]["commands"] <= 3
    assert facts["get by id"]["commands"] == facts["get_full_batch(1000)"]["commands"] == 1
    assert facts["search: cached"]["commands"] == 0
    assert 1 <= facts["search: batch"]["commands"] <= 2
    assert facts["update: cold"]["bytes_sent"] > sum(path.stat().st_size for path in corpus.iterdir()) / 5


@pytest.mark.parametrize(
    ("budget", "value", "is_met", "is_alarming"),
    [
        (AT_MOST, 2.0, True, False),
        (AT_MOST, 3.9, False, False),
        (AT_MOST, 4.1, False, True),
        (AT_MOST._replace(alarm=5.0), 4.1, False, False),
        (AT_LEAST, 10.0, True, False),
        (AT_LEAST, 4.9, False, True),
        (AT_LEAST._replace(alarm=4.0), 4.9, False, False),
        (AT_LEAST, 0.0, False, True),
    ],
)
def test_a_value_meets_its_budget_or_misses_it_or_is_alarming(
    budget: Budget, value: float, is_met: bool, is_alarming: bool
) -> None:
    verdict = Verdict(budget, 1, value)
    assert (verdict.is_met, verdict.is_alarming) == (is_met, is_alarming)


def test_load_of_the_machine_does_not_raise_an_alarm() -> None:
    assert not Verdict(AT_MOST, 1, 40.0, cpu=3.0).is_alarming
    assert Verdict(AT_MOST, 1, 40.0, cpu=5.0).is_alarming


def test_only_measured_values_are_judged() -> None:
    results = {"a": {"seconds": 3.0, "per_second": 20.0}, "b": {"seconds": 2.0}}
    budgets = [AT_MOST, AT_LEAST, AT_MOST._replace(over="c"), AT_MOST._replace(sizes=range(6, 9))]
    assert [verdict.value for verdict in judge(results, 5, budgets)] == [1.5, 20.0]
    assert [verdict.value for verdict in judge(results, 7, budgets)] == [1.5, 20.0, 1.5]


def test_budgets_are_distinct() -> None:
    assert len({(budget.what, budget.sizes) for budget in BUDGETS}) == len(BUDGETS)


def test_plots_are_well_formed_and_mark_missed_budgets() -> None:
    plot = ElementTree.fromstring(bars("<title>", [Bar("a & b", 0.5, "ok"), Bar("c", 9.0, "bad")]))
    colours = [one.get("fill") for one in plot.iter(f"{SVG}rect")][1:]
    assert len(set(colours)) == 2
    assert {"a & b", "<title>"} <= {one.text for one in plot.iter(f"{SVG}text")}
    plot = ElementTree.fromstring(lines("t", "s", [Line("x", [(10, 1.0), (1000, 3.0)]), Line("y", [])]))
    assert len(list(plot.iter(f"{SVG}circle"))) == 2
    assert ElementTree.fromstring(lines("t", "s", [])) is not None


def test_a_report_has_every_value_and_its_plots(tmp_path: Path) -> None:
    cold = {"seconds": 1.0, "cpu": 0.9, "peak_mb": 99.0}
    results = {
        size: {"update: cold": cold, "floor: read + SHA-256 + parse": {"seconds": 0.5}}
        for size in (10_000, 100_000)
    }
    run = Run(results, 3, ["a note"])
    write_report(run, tmp_path / "performance.md")
    page = (tmp_path / "performance.md").read_text()
    assert [row[-1] for row in rows(run)] == ["UNMET", "met", "UNMET", "met"]
    for expected in ("- a note", "| 2 x ", "99 MB", "## All measurements, 100,000 models"):
        assert expected in page
    for plot in ("budgets", "seconds", "memory"):
        assert f"(performance-{plot}.svg)" in page
        assert (tmp_path / f"performance-{plot}.svg").read_text().startswith("<svg")
