"""Histograms: how far they are off, and that merging loses nothing."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.metrics.survival.histogram import (
    SUB_BITS,
    Histogram,
    HistogramError,
    buckets_of,
)
from perf_pipeline.metrics.survival.log_buckets import MAX_NS, LogBuckets
from perf_pipeline.metrics.survival.service_time import product_limit_percentiles

HOUR_NS = 3_600_000_000_000
_TIMES = st.lists(st.integers(0, HOUR_NS), max_size=60)


def _of(ended: list[int], cut: list[int] | None = None) -> Histogram:
    histogram = Histogram("service_time")
    histogram.add(np.array(ended, dtype=np.int64))
    histogram.add(np.array(cut or [], dtype=np.int64), cut=True)
    return histogram


@given(st.integers(1, MAX_NS))
def test_a_time_lies_in_its_bucket_and_04_percent_from_its_middle(time_ns: int) -> None:
    place = int(buckets_of(np.array([time_ns]))[0])

    low, high = LogBuckets(SUB_BITS).edges_ns()[place : place + 2]
    assert low <= time_ns < high
    assert abs((low + high) / 2 - time_ns) <= time_ns / 256


@given(_TIMES.filter(bool), st.integers(1, 99))
def test_a_percentile_is_the_nearest_rank_but_for_the_bucket(
    times_ns: list[int], percent: int
) -> None:
    found = _of(times_ns).percentile(percent / 100)

    truth_ns = sorted(times_ns)[math.ceil(percent * len(times_ns) / 100) - 1]
    assert found.value_s is not None
    assert found.value_s * 1e9 == pytest.approx(truth_ns, rel=0.008, abs=2)
    assert not found.at_least
    assert found.samples_beyond <= sum(time_ns > truth_ns for time_ns in times_ns)


@given(_TIMES, _TIMES.filter(bool), st.sampled_from([0.25, 0.5, 0.9, 0.99]))
def test_what_was_cut_counts_as_in_the_exact_product_limit_curve(
    ended: list[int], cut: list[int], p: float
) -> None:
    """Where no two times share a bucket, so that order within a bucket cannot matter."""
    places = buckets_of(np.array([*ended, *cut], dtype=np.int64))
    if len(set(places)) < len(places):
        return
    exact = product_limit_percentiles(
        np.array(ended, dtype=np.int64), np.array(cut, dtype=np.int64), (p,)
    )[0]

    found = _of(ended, cut).percentile(p)

    assert (found.at_least, found.samples_beyond) == (exact.at_least, exact.samples_beyond)
    assert found.value_s == pytest.approx(exact.value_s, rel=0.008, abs=1e-9)


@given(_TIMES, _TIMES, _TIMES)
def test_merging_in_any_order_is_counting_together(
    one: list[int], two: list[int], cut: list[int]
) -> None:
    together = _of(one + two, cut).to_bytes()
    first, second = _of(one), _of(two, cut)
    first.merge(second)
    assert first.to_bytes() == together

    first, second = _of(one), _of(two, cut)
    second.merge(first)
    assert second.to_bytes() == together


@given(_TIMES, _TIMES)
def test_bytes_hold_all_of_a_histogram(ended: list[int], cut: list[int]) -> None:
    written = _of(ended, cut)

    read = Histogram.from_bytes(written.to_bytes())

    assert list(read.ended) == list(written.ended)
    assert list(read.cut) == list(written.cut)
    assert (read.quantity, read.min_ns, read.max_ns) == (
        "service_time",
        min(ended, default=None),
        max(ended + cut, default=None),
    )
    read.add(np.array([5]))  # what was read can be added to


def test_bytes_are_the_same_on_every_machine() -> None:
    assert _of([1000, 1000], [7]).to_bytes().hex() == (
        "50504847010700000100000001000000e803000000000000e803000000000000"
        "fa0402000000000000006001010000000000000026d046bb"
    )


def test_different_histograms_are_not_merged() -> None:
    service, response = Histogram("service_time"), Histogram("response_time")
    with pytest.raises(HistogramError, match=r"response_time with .* cannot be added"):
        service.merge(response)
    with pytest.raises(HistogramError, match=r"2\*\*6"):
        service.merge(Histogram("service_time", sub_bits=6))


def test_damaged_bytes_are_refused() -> None:
    good = _of([1000, 2000], [3000]).to_bytes()
    for at in range(len(good)):
        damaged = good[:at] + bytes([good[at] ^ 1]) + good[at + 1 :]
        with pytest.raises(HistogramError):
            Histogram.from_bytes(damaged)
    for length in range(len(good)):
        with pytest.raises(HistogramError):
            Histogram.from_bytes(good[:length])


@pytest.mark.parametrize("wrong", [-1, MAX_NS + 1])
def test_a_time_that_cannot_be_is_refused_and_nothing_counted(wrong: int) -> None:
    histogram = Histogram("service_time")
    with pytest.raises(HistogramError, match=f"1 of 2 times .* the first is {wrong} ns"):
        histogram.add(np.array([5, wrong]))
    assert histogram.count == 0


def test_an_empty_histogram_has_no_percentile() -> None:
    nothing = Histogram("service_time").percentile(0.5)
    assert (nothing.value_s, nothing.at_least, nothing.samples_beyond) == (None, False, 0)


def test_a_histogram_takes_109_kilobytes_whatever_it_counts() -> None:
    histogram = _of([1, MAX_NS], [0])
    assert histogram.ended.nbytes + histogram.cut.nbytes == 108_544
