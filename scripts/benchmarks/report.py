"""The report: what was measured, as a page of Markdown with plots beside it."""

from __future__ import annotations

import os
import platform
import sqlite3
from typing import TYPE_CHECKING, NamedTuple

from benchmarks.budgets import judge
from benchmarks.plots import Bar, Line, bars, lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from benchmarks.budgets import Results, Verdict

__all__ = ["HEADING", "Run", "rows", "shown", "write_report"]

_UPDATES = (
    "update: cold",
    "update: no change",
    "update: touched",
    "update: 1 % changed",
    "update: all changed",
)

_ASKED_FIRST = (
    ("first update", "update: cold", 1, "s"),
    ("update of 1 %", "update: 1 % changed", 1e3, "ms"),
    ("update without a change", "update: no change", 1e3, "ms"),
    ("`get`", "get by id", 1e6, "us"),
    ("search", "search: uncached", 1e3, "ms"),
    ("the same search again", "search: cached", 1e6, "us"),
    ("the command `findingmodel search`", "start: search", 1e3, "ms"),
)

_HOW = """\
Written by `scripts/bench.py --report`: do not edit it, run it. Figures are medians of {rounds} rounds. In
each of them every case ran once, in turn, in a process of its own. What counts are the ratios to a
floor or a peer in the same run: seconds vary with what else the machine does.
"""


_ALARMS = """\
The benchmark fails where a figure is worse than its alarm, in CPU seconds too. That is twice the budget;
where more is known to be missed, somewhat more than what is known.
"""


class Run(NamedTuple):
    """What one run of the benchmark measured.

    Attributes:
        results: by the number of models, then by case.
        rounds: of how many rounds the figures are medians.
        notes: what was left out, and why.
    """

    results: Mapping[int, Results]
    rounds: int
    notes: Sequence[str] = ()

    @property
    def verdicts(self) -> list[Verdict]:
        """What became of the budgets."""
        return [verdict for size, results in self.results.items() for verdict in judge(results, size)]


HEADING = ("what", "models", "budget", "alarm", "measured", "in CPU seconds", "")


def rows(run: Run) -> Iterator[tuple[str, ...]]:
    """Yield a row for each budget, as in `HEADING`."""
    for verdict in run.verdicts:
        budget = verdict.budget
        sign = ">=" if budget.at_least else "<="
        limit = f"{sign} {budget.limit:g} {budget.unit}"
        yield (
            *(budget.what, f"{verdict.size:,}", limit, f"{budget.alarming:g}"),
            f"{verdict.value:.3g} {budget.unit}",
            "" if verdict.cpu is None else f"{verdict.cpu:.3g} {budget.unit}",
            "met" if verdict.is_met else "UNMET",
        )


def shown(table: Sequence[Sequence[str]]) -> str:
    """Return rows as a table of Markdown; the first is the heading."""
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    padded = [[cell.ljust(width) for cell, width in zip(row, widths, strict=True)] for row in table]
    padded.insert(1, ["-" * width for width in widths])
    return "\n".join(f"| {' | '.join(row)} |" for row in padded)


def write_report(run: Run, path: Path) -> None:
    """Write the page *path*, and its plots beside it."""
    for name, plot in _plots(run).items():
        path.with_name(f"{path.stem}-{name}.svg").write_text(plot, encoding="utf-8")
    path.write_text(_page(run, path.stem), encoding="utf-8")


def _page(run: Run, stem: str) -> str:
    parts = [
        "# How fast it is\n",
        _HOW.format(rounds=run.rounds),
        f"{_machine()}\n",
        "## In short\n",
        *_in_short(run),
        "\n## Budgets\n",
        _ALARMS,
        shown([HEADING, *rows(run)]),
        f"\n![Each figure as a share of its budget]({stem}-budgets.svg)\n",
        *(f"- {note}" for note in run.notes),
    ]
    if len(run.results) > 1:
        parts += ["\n## Over the number of models\n", f"![Seconds]({stem}-seconds.svg)\n"]
        parts += [f"![Peak memory of a cold update]({stem}-memory.svg)\n"]
    for size, results in run.results.items():
        parts += [f"\n## Everything that was measured, {size:,} models\n", _everything(results)]
    return "\n".join(parts) + "\n"


def _in_short(run: Run) -> Iterator[str]:
    """Yield what people ask first, a line for each corpus; and how many budgets are kept."""
    for size, results in run.results.items():
        told = [
            f"{name} {_three_digits(results[case]['seconds'] * scale)} {unit}"
            for name, case, scale, unit in _ASKED_FIRST
            if case in results
        ]
        yield f"- {size:,} models: {', '.join(told)}."
    verdicts = run.verdicts
    yield f"- {sum(verdict.is_met for verdict in verdicts)} of {len(verdicts)} budgets are met."


def _three_digits(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _machine() -> str:
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return (
        f"Measured on {platform.system()} {platform.machine()} with {cpus} CPUs, "
        f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}. The load at the end was "
        f"{os.getloadavg()[0]:.1f}: what exceeds 1 was other work."
    )


def _everything(results: Results) -> str:
    table = [("case", "seconds", "CPU seconds", "peak MB", "other")]
    for case, facts in results.items():
        others = {k: v for k, v in facts.items() if k not in ("seconds", "cpu", "peak_mb")}
        other = ", ".join(f"{name.replace('_', ' ')} {value:,.4g}" for name, value in others.items())
        columns = [f"{facts[k]:.4g}" if k in facts else "" for k in ("seconds", "cpu", "peak_mb")]
        table.append((case, columns[0], columns[1], columns[2], other))
    return shown(table)


def _plots(run: Run) -> dict[str, str]:
    budgets = []
    for verdict in run.verdicts:
        budget = verdict.budget
        share = verdict.value / budget.limit
        share = 1 / max(share, 1e-9) if budget.at_least else share
        label = f"{budget.what}, {verdict.size:,}"
        budgets.append(Bar(label[:60], share, f"{verdict.value:.3g} {budget.unit}"))

    def line(name: str, case: str, fact: str) -> Line:
        points = [(size, results[case][fact]) for size, results in run.results.items() if case in results]
        return Line(name, points)

    floor = line("floor: read, hash, parse", "floor: read + SHA-256 + parse", "seconds")
    seconds = [floor, *(line(case.removeprefix("update: "), case, "seconds") for case in _UPDATES[:3])]
    return {
        "budgets": bars("Share of the budget; the dashed line is the limit", budgets),
        "seconds": lines("Updates", "seconds", seconds),
        "memory": lines("Peak memory of a cold update", "MB", [line("SQLite", "update: cold", "peak_mb")]),
    }
