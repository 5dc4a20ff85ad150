"""Histogram: the error of its quantiles, and its bounded memory."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from findingmodel.observe.metrics import RELATIVE_ERROR, Histogram

DURATIONS = st.lists(st.floats(1e-8, 1e5), min_size=1, max_size=200)


def filled(values: list[float]) -> Histogram:
    histogram = Histogram()
    for value in values:
        histogram.add(value)
    return histogram


def true_quantile(values: list[float], share: float) -> float:
    return sorted(values)[max(1, math.ceil(share * len(values))) - 1]


@given(DURATIONS, st.sampled_from([0.01, 0.5, 0.9, 0.95, 0.99, 1.0]))
def test_the_error_of_a_quantile_is_bounded(values: list[float], share: float) -> None:
    expected = true_quantile(values, share)
    assert filled(values).quantile(share) == pytest.approx(expected, rel=RELATIVE_ERROR * 1.001)


@given(DURATIONS)
def test_count_total_and_extremes_are_exact(values: list[float]) -> None:
    histogram = filled(values)
    assert (histogram.count, histogram.least, histogram.most) == (len(values), min(values), max(values))
    assert histogram.total == pytest.approx(sum(values))
    assert histogram.quantile(1) == max(values)


@pytest.mark.parametrize("share", [0.5, 0.95, 0.99])
def test_every_quantile_of_one_sample_is_that_sample(share: float) -> None:
    assert filled([0.1234567]).quantile(share) == 0.1234567


def test_the_95th_percentile_of_few_samples_is_the_greatest() -> None:
    values = [float(number) for number in range(1, 20)]
    assert filled(values).quantile(0.95) == 19.0
    assert filled([*values, 20.0]).quantile(0.95) == pytest.approx(19.0, rel=RELATIVE_ERROR)


def test_without_samples_everything_is_zero() -> None:
    histogram = Histogram()
    assert (histogram.quantile(0.5), histogram.count, histogram.total, histogram.least) == (0, 0, 0, 0)


def test_memory_does_not_grow_with_the_samples() -> None:
    histogram = Histogram()
    for number in range(100_000):
        histogram.add(1.0003**number * 1e-9)
    assert histogram.count == 100_000
    assert len(histogram) <= 709


@pytest.mark.parametrize("value", [math.nan, -1.0])
def test_nan_and_negative_values_count_as_zero(value: float) -> None:
    histogram = filled([value, 1.0])
    assert (histogram.count, histogram.total, histogram.least, histogram.most) == (2, 1.0, 0.0, 1.0)


@pytest.mark.parametrize("value", [0.0, 1e-12, 1e9, math.inf])
def test_values_out_of_range_are_counted_with_exact_extremes(value: float) -> None:
    histogram = filled([value])
    assert (histogram.count, histogram.quantile(0.5), histogram.most) == (1, value, value)


def test_a_copy_does_not_change() -> None:
    histogram = filled([1.0])
    copy = histogram.copy()
    histogram.add(2.0)
    assert (copy.count, copy.most, len(copy)) == (1, 1.0, 1)
