"""Histograms: how far they are off, and that merging loses nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.metrics.survival.histogram import Histogram, HistogramError
from perf_pipeline.metrics.survival.log_buckets import MAX_NS, bucket_of, edges_ns

HOUR_NS = 3_600_000_000_000
_TIMES = st.lists(st.integers(0, HOUR_NS), max_size=60)


def _of(
    ended: list[int], censored: list[int] | None = None, entered: list[int] | None = None
) -> Histogram:
    """Return a histogram; the first of ``ended`` entered at the ages ``entered``, if younger."""
    histogram = Histogram("service_time")
    histogram.add(np.array(ended, dtype=np.int64))
    histogram.add(np.array(censored or [], dtype=np.int64), censored=True)
    pairs = [(age, end) for age, end in zip(entered or [], ended, strict=False) if 0 < age <= end]
    ages, ends = np.array(pairs, dtype=np.int64).reshape(-1, 2).T
    histogram.add_delayed_entries(ages, ends)
    return histogram


def _content(histogram: Histogram) -> tuple[object, ...]:
    counts = (histogram.ended, histogram.censored, histogram.delayed_entries)
    extremes = (histogram.min_ns, histogram.min_censored_ns, histogram.max_ns)
    return (*(each.tobytes() for each in counts), *extremes)


@given(st.integers(1, MAX_NS))
def test_a_time_lies_in_its_bucket_which_is_at_most_04_percent_wide(time_ns: int) -> None:
    place = int(bucket_of(np.array([time_ns]))[0])

    low, high = edges_ns(place, place)
    assert low <= time_ns < high
    assert high - low <= max(low / 256, 1)


@given(_TIMES.filter(bool), st.integers(1, 99))
def test_a_percentile_is_the_nearest_rank_but_for_the_bucket(
    times_ns: list[int], percent: int
) -> None:
    found = _of(times_ns).percentile(percent / 100)

    rank = math.ceil(percent * len(times_ns) / 100)
    truth_ns = sorted(times_ns)[rank - 1]
    assert found.value_s is not None
    assert found.value_s * 1e9 == pytest.approx(truth_ns, rel=0.004, abs=2)
    assert not found.at_least
    assert found.samples_beyond == len(times_ns) - rank


def test_the_place_within_a_bucket_comes_from_the_rank() -> None:
    """10,000 times spread evenly over half a second: off by less than a tenth of a bucket."""
    times_ns = np.linspace(5e8, 1e9, 10_000).astype(np.int64)
    histogram = Histogram("service_time")
    histogram.add(times_ns)

    for p in (0.5, 0.9, 0.99):
        truth_ns = times_ns[math.ceil(round(p * len(times_ns), 6)) - 1]
        assert (histogram.percentile(p).value_s or 0) * 1e9 == pytest.approx(truth_ns, rel=0.0003)


@given(_TIMES, _TIMES, _TIMES, _TIMES)
def test_merging_in_any_order_is_counting_together(
    one: list[int], two: list[int], censored: list[int], entered: list[int]
) -> None:
    together = _of(one + two, censored, entered[: len(one)])
    first, second = _of(one, [], entered), _of(two, censored)
    first.merge(second)
    assert _content(first) == _content(together)
    assert first.percentile(0.9) == together.percentile(0.9)

    first, second = _of(one, [], entered), _of(two, censored)
    second.merge(first)
    assert _content(second) == _content(together)


def test_different_histograms_are_not_merged() -> None:
    service, response = Histogram("service_time"), Histogram("response_time")
    with pytest.raises(HistogramError, match="response_time cannot be added"):
        service.merge(response)


@pytest.mark.parametrize("wrong", [-1, MAX_NS + 1])
def test_a_time_that_cannot_be_is_refused_and_nothing_counted(wrong: int) -> None:
    histogram = Histogram("service_time")
    with pytest.raises(HistogramError, match=f"1 of 2 times .* the first is {wrong} ns"):
        histogram.add(np.array([5, wrong]))
    assert histogram.count == 0


def test_an_empty_histogram_has_no_percentile() -> None:
    nothing = Histogram("service_time").percentile(0.5)
    assert (nothing.value_s, nothing.at_least, nothing.samples_beyond) == (None, False, 0)


def test_a_histogram_takes_326_kilobytes_whatever_it_counts() -> None:
    histogram = _of([1, MAX_NS], [0])
    counts = (histogram.ended, histogram.censored, histogram.delayed_entries)
    assert sum(each.nbytes for each in counts) == 325_632
