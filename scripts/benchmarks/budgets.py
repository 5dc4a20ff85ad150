"""Budgets: what each thing may cost, as data, and whether it does."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    Facts = Mapping[str, float]
    Results = Mapping[str, Facts]

__all__ = ["BUDGETS", "Budget", "Verdict", "judge"]


_ALARMING = 2
"""How many times its budget a figure must be for an alarm."""


class Budget(NamedTuple):
    """What may be, at most or at least; where there is an *over*, as a multiple of it in the same run.

    Attributes:
        what: as a reader would say it.
        case, fact: what is measured.
        limit: the most that it may be; the least where *at_least*.
        over: the case that it is measured against; None where the figure itself counts.
        unit: behind the figure.
        scale: what the figure is multiplied with to be in that unit.
        at_least: whether more is better.
        sizes: how many models the corpora have that it is about; None for any.
        alarm: where a budget is known to be missed, what it must not be worse than; else twice the limit.
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
        """What a figure must not be worse than, lest it is an alarm."""
        if self.alarm is not None:
            return self.alarm
        return self.limit / _ALARMING if self.at_least else self.limit * _ALARMING


_PARSE, _STAT = "floor: read + SHA-256 + parse", "floor: scandir + stat"
_COLD = "update: cold"
_BARE, _BARE_LOOP = "floor: FTS5 OR query", "floor: FTS5 OR loop"
_PYTHON = "floor: python -c pass"
_SMALL, _LARGE = range(10_001), range(10_001, 1_000_000)
BUDGETS = (
    Budget("cold update / read, hash and parse each file", _COLD, "seconds", 1.6, _PARSE, alarm=4.5),
    Budget("update without a change / look at each file", "update: no change", "seconds", 4, _STAT),
    Budget("update of 1 % / cold update", "update: 1 % changed", "seconds", 0.08, _COLD),
    Budget("update of touched files / cold update", "update: touched", "seconds", 0.15, _COLD),
    Budget("parsing / parsing by findingmodel 0.3.2", "parse: ours", "cpu", 0.5, "parse: 0.3.2"),
    Budget("parsing / parsing by findingmodel 1.0.4", "parse: ours", "cpu", 0.5, "parse: 1.0.4"),
    Budget("cold on MongoDB, CPU / that of 0.3.2", "motor update: cold", "cpu", 0.4, "0.3.2 update: cold"),
    Budget("no change, Motor", "motor update: no change", "commands", 3, unit="commands"),
    Budget("no change, pymongo", "pymongo update: no change", "commands", 3, unit="commands"),
    Budget("search / bare FTS5 query for any word", "search: uncached", "seconds", 4, _BARE),
    Budget("remembered search", "search: cached", "seconds", 60, unit="us", scale=1e6),
    Budget("metrics that are off", "metrics: disabled", "seconds", 1, unit="us", scale=1e6),
    Budget("get by id", "get by id", "seconds", 100, unit="us", scale=1e6),
    Budget(
        "batch / bare FTS5 queries", "search: batch", "per_second", 1, _BARE_LOOP, at_least=True, alarm=0.2
    ),
    Budget("findingmodel --help / python -c pass", "start: --help", "seconds", 6, _PYTHON),
    Budget("findingmodel search / python -c pass", "start: search", "seconds", 8, _PYTHON),
    Budget("findingmodel index get / python -c pass", "start: index get", "seconds", 8, _PYTHON),
    Budget("no-change index update / python -c pass", "start: index update", "seconds", 10, _PYTHON),
    Budget("peak memory, cold", _COLD, "peak_mb", 150, unit="MB", sizes=_SMALL),
    Budget("peak memory, cold", _COLD, "peak_mb", 225, unit="MB", sizes=_LARGE),
    Budget("search of 100,000", "search: uncached", "seconds", 10, unit="ms", scale=1e3, sizes=_LARGE),
    Budget("CPU for a model / that at 10,000", "scale: cpu", "ratio", 1.3),
    Budget("memory for a further model", "scale: memory", "kilobytes", 1.5, unit="kB"),
)


class Verdict(NamedTuple):
    """A budget, and what was measured.

    Attributes:
        budget, size, value: which, of how many models, and the figure.
        cpu: the same in CPU seconds, which a busy machine hardly changes; None where they say nothing.
    """

    budget: Budget
    size: int
    value: float
    cpu: float | None = None

    @property
    def is_met(self) -> bool:
        """Whether the budget is kept."""
        return self._excess(self.budget.limit) <= 1

    @property
    def is_alarming(self) -> bool:
        """Whether it is missed by so much, in CPU seconds too, that no busy machine explains it."""
        limit = self.budget.alarming
        in_cpu = self._excess(limit) if self.cpu is None else self.cpu / limit
        return min(self._excess(limit), in_cpu) > 1

    def _excess(self, limit: float) -> float:
        value = max(self.value, 1e-12)
        return limit / value if self.budget.at_least else value / limit


def judge(results: Results, size: int, budgets: Sequence[Budget] = BUDGETS) -> list[Verdict]:
    """Return what became of each budget that *results*, of a corpus of *size* models, say something of."""
    verdicts = []
    for budget in budgets:
        value = results.get(budget.case, {}).get(budget.fact)
        base = results.get(budget.over, {}).get(budget.fact) if budget.over else 1.0
        if value is None or not base or (budget.sizes and size not in budget.sizes):
            continue
        verdicts.append(Verdict(budget, size, value / base * budget.scale, _cpu_ratio(results, budget)))
    return verdicts


def _cpu_ratio(results: Results, budget: Budget) -> float | None:
    """Return what a figure in seconds, or a ratio of such, is in CPU seconds."""
    used = results[budget.case].get("cpu") if budget.fact == "seconds" else None
    base = results[budget.over].get("cpu") if budget.over else 1.0
    return used / base * budget.scale if used and base else None
