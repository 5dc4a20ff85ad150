"""What answers to judged queries are worth, and how sure the figures are."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["DEPTH", "Interval", "calibration_error", "interval", "mean_reciprocal_rank", "p_value", "recall"]

DEPTH = 10
_RESAMPLED = 2_000
_SEED = 20_240_229


def mean_reciprocal_rank(relevant: Mapping[str, int], hits: Sequence[str]) -> float:
    """Return 1 / rank of the first hit with the highest grade, 0 if none is among the first ten.

    >>> mean_reciprocal_rank({"a": 2, "b": 1}, ["b", "a"])
    0.5
    """
    target = max(relevant.values())
    return next((1 / rank for rank, hit in enumerate(hits[:DEPTH], 1) if relevant.get(hit, 0) >= target), 0.0)


def recall(relevant: Mapping[str, int], hits: Sequence[str]) -> float:
    """Return the share of relevant entries, at most ten, among the first ten hits.

    >>> recall({"a": 2, "b": 1}, ["b", "c"])
    0.5
    """
    return sum(hit in relevant for hit in hits[:DEPTH]) / min(DEPTH, len(relevant))


class Interval(NamedTuple):
    """A mean with its 95 % interval."""

    mean: float
    low: float
    high: float


def interval(values: Sequence[float]) -> Interval:
    """Return the mean of *values* with its interval by the bootstrap: of 2,000 samples with replacement.

    >>> interval([1.0, 1.0, 1.0])
    Interval(mean=1.0, low=1.0, high=1.0)
    """
    chance = random.Random(_SEED)  # noqa: S311  (the same figures each time)
    count = len(values)
    means = sorted(sum(chance.choices(values, k=count)) / count for _ in range(_RESAMPLED))
    return Interval(sum(values) / count, means[_RESAMPLED // 40], means[-_RESAMPLED // 40 - 1])


def p_value(differences: Sequence[float]) -> float:
    """Return how often chance alone gives a mean at least as far from 0: a paired test by random signs.

    >>> p_value([0.0, 0.0]), p_value([0.5] * 40) < 0.01
    (1.0, True)
    """
    changed = [value for value in differences if value]
    observed = abs(sum(changed))
    chance = random.Random(_SEED)  # noqa: S311
    extreme = sum(
        abs(sum(value if chance.random() < 0.5 else -value for value in changed)) >= observed - 1e-12
        for _ in range(_RESAMPLED)
    )
    return extreme / _RESAMPLED


def calibration_error(hits: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Return the expected calibration error (Naeini et al. 2015): |likelihood - share right|, by tenths.

    >>> calibration_error([(0.75, True), (0.75, True), (0.75, True), (0.75, False)])
    0.0
    """
    by_bin: dict[int, list[tuple[float, bool]]] = {}
    for likelihood, right in hits:
        by_bin.setdefault(min(int(likelihood * bins), bins - 1), []).append((likelihood, right))
    return sum(abs(sum(one - right for one, right in own)) for own in by_bin.values()) / len(hits)
