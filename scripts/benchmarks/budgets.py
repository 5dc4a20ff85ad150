"""Budgets: the limit of each measurement, as data, and whether it is met."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Facts = Mapping[str, float]
    Results = Mapping[str, Facts]

__all__ = ["BUDGETS", "Budget", "Verdict", "judge"]


_ALARMING = 2
"""Factor between a budget and its alarm."""


class Budget(NamedTuple):
    """The limit of a measurement, or of its ratio to another one in the same run.

    Attributes:
        what: a description for readers.
        case, fact: the measurement.
        limit: the maximum, or the minimum with *at_least*.
        over: the case to divide by; None for an absolute value.
        unit: the unit of the value.
        scale: the factor that converts the measurement to that unit.
        at_least: whether more is better.
        sizes: sizes of corpora that the budget applies to; None for all.
        alarm: the value that fails the benchmark, for budgets known to be missed; by default twice the limit.
    """

    what: str
    case: str
    fact: str
    limit: float
    over: str | None = None
    unit: str = "x"
    scale: float = 1.0
    at_least: bool = False
    sizes: range | None = None
    alarm: float | None = None

    @property
    def alarming(self) -> float:
        """The value that fails the benchmark."""
        if self.alarm is not None:
            return self.alarm
        return self.limit / _ALARMING if self.at_least else self.limit * _ALARMING


_PARSE, _STAT = "floor: read + SHA-256 + parse", "floor: scandir + stat"
_COLD = "update: cold"
_BARE, _BARE_LOOP = "floor: FTS5 OR query", "floor: FTS5 OR loop"
_PYTHON = "floor: python -c pass"
_SMALL, _LARGE = range(10_001), range(10_001, 1_000_000)
BUDGETS = (
    Budget("first update / read, hash and parse each file", _COLD, "seconds", 1.6, _PARSE, alarm=4.5),
    Budget("no-change update / stat each file", "update: no change", "seconds", 4, _STAT),
    Budget("update of 1 % / first update", "update: 1 % changed", "seconds", 0.08, _COLD),
    Budget("update of touched files / first update", "update: touched", "seconds", 0.15, _COLD),
    Budget("parsing / parsing by findingmodel 0.3.2", "parse: ours", "cpu", 0.5, "parse: 0.3.2"),
    Budget("parsing / parsing by findingmodel 1.0.4", "parse: ours", "cpu", 0.5, "parse: 1.0.4"),
    Budget("first update on MongoDB, CPU / 0.3.2", "motor update: cold", "cpu", 0.4, "0.3.2 update: cold"),
    Budget("no-change update, Motor", "motor update: no change", "commands", 3, unit="commands"),
    Budget("no-change update, pymongo", "pymongo update: no change", "commands", 3, unit="commands"),
    Budget("search / bare FTS5 query for any word", "search: uncached", "seconds", 4, _BARE, alarm=12),
    Budget("cached search", "search: cached", "seconds", 60, unit="us", scale=1e6),
    Budget("disabled metrics", "metrics: disabled", "seconds", 1, unit="us", scale=1e6),
    Budget("get by id", "get by id", "seconds", 100, unit="us", scale=1e6),
    Budget(
        "batch / bare FTS5 queries", "search: batch", "per_second", 1, _BARE_LOOP, at_least=True, alarm=0.1
    ),
    Budget(
        "sentences of reports",
        "reports: read",
        "per_second",
        2_000,
        unit="/s",
        at_least=True,
        sizes=_SMALL,
        alarm=300,
    ),
    Budget(
        "sentences of reports",
        "reports: read",
        "per_second",
        500,
        unit="/s",
        at_least=True,
        sizes=_LARGE,
        alarm=100,
    ),
    Budget("sentences / medspaCy", "reports: read", "per_second", 5, "reports: medspaCy", at_least=True),
    Budget("peak memory, reading reports", "reports: read", "peak_mb", 250, unit="MB", sizes=_LARGE),
    Budget(
        "findingmodel report / findingmodel search", "start: report", "seconds", 1.5, "start: search", alarm=4
    ),
    Budget("findingmodel --help / python -c pass", "start: --help", "seconds", 6, _PYTHON),
    Budget("findingmodel search / python -c pass", "start: search", "seconds", 8, _PYTHON),
    Budget("findingmodel index get / python -c pass", "start: index get", "seconds", 8, _PYTHON),
    Budget("no-change index update / python -c pass", "start: index update", "seconds", 10, _PYTHON),
    Budget("peak memory, first update", _COLD, "peak_mb", 150, unit="MB", sizes=_SMALL),
    Budget("peak memory, first update", _COLD, "peak_mb", 225, unit="MB", sizes=_LARGE),
    Budget("search of 100,000 models", "search: uncached", "seconds", 10, unit="ms", scale=1e3, sizes=_LARGE),
    Budget("CPU per model / at 10,000 models", "scale: cpu", "ratio", 1.3),
    Budget("memory per additional model", "scale: memory", "kilobytes", 1.5, unit="kB"),
)


class Verdict(NamedTuple):
    """A budget and its measured value.

    Attributes:
        budget, size, value: the budget, the number of models, and the value.
        cpu: the value in CPU seconds, which depend less on other load; None if they do not apply.
    """

    budget: Budget
    size: int
    value: float
    cpu: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the value is within the budget."""
        return self._excess(self.budget.limit) <= 1

    @property
    def is_alarming(self) -> bool:
        """Whether the value is beyond the alarm in CPU seconds too, so not because of other load."""
        limit = self.budget.alarming
        in_cpu = self._excess(limit) if self.cpu is None else self.cpu / limit
        return min(self._excess(limit), in_cpu) > 1

    def _excess(self, limit: float) -> float:
        value = max(self.value, 1e-12)
        return limit / value if self.budget.at_least else value / limit


def judge(results: Results, size: int, budgets: Sequence[Budget] = BUDGETS) -> list[Verdict]:
    """Return the verdict on each budget that *results*, of a corpus of *size* models, contain."""
    verdicts = []
    for budget in budgets:
        value = results.get(budget.case, {}).get(budget.fact)
        base = results.get(budget.over, {}).get(budget.fact) if budget.over else 1.0
        if value is None or not base or (budget.sizes and size not in budget.sizes):
            continue
        verdicts.append(Verdict(budget, size, value / base * budget.scale, _cpu_ratio(results, budget)))
    return verdicts


def _cpu_ratio(results: Results, budget: Budget) -> float | None:
    """Return a value in seconds, or a ratio of them, in CPU seconds."""
    used = results[budget.case].get("cpu") if budget.fact == "seconds" else None
    base = results[budget.over].get("cpu") if budget.over else 1.0
    return used / base * budget.scale if used and base else None
