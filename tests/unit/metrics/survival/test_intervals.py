"""Intervals that hold although neighbours in time are alike."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import polars as pl
import pytest

from perf_pipeline.metrics.survival.batch_counts import BatchCounts
from perf_pipeline.metrics.survival.batches import CARRIED, ENDED, observed_between
from perf_pipeline.metrics.survival.intervals import throughput_interval
from perf_pipeline.metrics.survival.window_times import response_times, service_times
from perf_pipeline.samples.record import Outcome
from perf_pipeline.selftest.virtual.single_server import records_of, single_server
from tests.simulated_level import GO_NS, SECOND, at_s, closed_loop, frame_of

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.service_times import ServiceTimes

T_OF_19_DEGREES = 2.093


def _queue(count: int, seed: int = 1, load: float = 0.5) -> tuple[pl.DataFrame, tuple[int, int]]:
    intended, start, end = single_server(load, count, np.random.default_rng(seed))
    return records_of(intended, start, end), (0, int(intended[-1]) + 1)


def _responses(frame: pl.DataFrame, window: tuple[int, int]) -> ServiceTimes:
    return response_times(frame, *window)


def _services(frame: pl.DataFrame, window: tuple[int, int]) -> ServiceTimes:
    return service_times(frame, *window)


def _naive(frame: pl.DataFrame, window: tuple[int, int], p: float) -> tuple[float, float]:
    """Textbook batch means of "longer than the percentile", with Johnson's term, by loops."""
    due = frame["intended_start_ns"].to_list()
    took = [end - at for end, at in zip(frame["end_ns"].to_list(), due, strict=True)]
    ranked = sorted(took)
    value, count = ranked[math.ceil(p * len(took)) - 1], len(took)
    batches: list[list[int]] = [[] for _ in range(20)]
    for at, time in zip(due, took, strict=True):
        batches[(at - window[0]) * 20 // (window[1] - window[0])].append(time > value)
    share = sum(map(sum, batches)) / count
    parts = [20 * (sum(batch) - share * len(batch)) / count for batch in batches]
    variance = sum(part**2 for part in parts) / 19
    third = sum(part**3 for part in parts) * 20 / (19 * 18)
    half = T_OF_19_DEGREES * math.sqrt(variance / 20)
    longer = max(0.0, third / variance / 120 * (1 + 2 * T_OF_19_DEGREES**2))
    low, high = 1 - p + half, 1 - p - half - longer
    assert high > 0
    return ranked[math.ceil((1 - low) * count) - 1], ranked[math.ceil((1 - high) * count) - 1]


@pytest.mark.parametrize(("p", "count"), [(0.5, 20_000), (0.99, 20_000), (0.99, 8000)])
def test_the_interval_of_what_is_all_seen_is_the_textbook_one(p: float, count: int) -> None:
    """A queue at load 0.5; ends agree to the width of two buckets, 0.8 %."""
    frame, window = _queue(count)
    found = next(each for each in _responses(frame, window).percentiles if each.p == p)
    low_ns, high_ns = _naive(frame, window, p)
    assert found.low_s == pytest.approx(low_ns / 1e9, rel=0.008)
    assert found.high_s == pytest.approx(high_ns / 1e9, rel=0.008)
    assert found.low_s is not None
    assert found.low_s < (found.value_s or 0.0) < (found.high_s or 0.0)


def test_a_percentile_with_fewer_than_ten_samples_beyond_says_how_many_it_needs() -> None:
    """999 workflows are too few for p99; they give the median its interval."""
    frame, window = _queue(999)
    times = _responses(frame, window)
    assert times.percentiles[0].samples_needed is None
    assert times.percentiles[0].low_s is not None
    assert times.p99.samples_beyond < 10
    assert (times.p99.low_s, times.p99.high_s, times.p99.samples_needed) == (None, None, 1000)


def test_a_percentile_cut_off_by_workflows_in_flight_has_no_interval() -> None:
    """Half of the slots never end: p90 is at least something, which no interval can bound."""
    rows = closed_loop(20, lambda slot: 0.1 if slot < 10 else 1000.0, 10.0)
    times = _services(frame_of(rows), (GO_NS, GO_NS + 8 * SECOND))
    assert [each.at_least for each in times.percentiles] == [False, False, False, True, True]
    assert (times.p99.low_s, times.p99.high_s) == (None, None)


def test_too_few_clusters_of_long_times_leave_the_upper_end_open() -> None:
    """All long times come in one of 20 batches: it may happen again at any moment, or never."""
    took_s = [0.001 * (n - 499) + 1.0 if 500 <= n < 520 else 0.001 for n in range(1000)]
    rows = [at_s(n, n * 0.01, n * 0.01 + took) for n, took in enumerate(took_s)]
    p99 = _responses(frame_of(rows), (GO_NS, GO_NS + 10 * SECOND)).p99
    assert p99.samples_beyond == 10
    assert p99.value_s == pytest.approx(1.01, rel=1 / 256)
    assert p99.high_s is None
    assert p99.low_s == pytest.approx(0.001, rel=0.01)


def test_a_dropped_arrival_is_no_short_time() -> None:
    """A third is dropped after 1 ms: as ends, they would pull the interval below the median."""
    frame, window = _queue(5000)
    dropped = pl.col("number") % 3 == 0
    frame = frame.with_columns(
        outcome=pl.when(dropped).then(int(Outcome.DROPPED)).otherwise(0).cast(pl.UInt8),
        end_ns=pl.when(dropped)
        .then(pl.col("intended_start_ns") + SECOND // 1000)
        .otherwise("end_ns"),
    )
    before, after = (_responses(each, window).percentiles[0] for each in (_queue(5000)[0], frame))
    assert after.value_s == pytest.approx(before.value_s, rel=0.1)
    assert after.high_s is not None
    assert after.high_s > 1.03 * (after.value_s or 0.0)


def test_a_life_that_crosses_borders_of_batches_counts_once() -> None:
    """Pieces of a closed loop sum to its ends, its starts and the time that its slots were busy."""
    rng = np.random.default_rng(3)
    frame = frame_of(closed_loop(10, lambda _: float(rng.exponential(1.0)), 10.0))
    window = (GO_NS + 2 * SECOND, GO_NS + 10 * SECOND)
    observed = observed_between(frame, *window)
    times = service_times(frame, *window)
    assert int((observed.fate == ENDED).sum()) == times.samples
    both = ((frame["start_ns"] < window[0]) & (frame["end_ns"] >= window[1])).sum()
    busy_ns = observed.age_ns[observed.fate != CARRIED].sum() - observed.entry_age_ns.sum()
    assert both == 0
    assert busy_ns == 10 * (window[1] - window[0])
    (counts,) = BatchCounts.of([observed], 1)
    assert counts.new_entries.sum() == times.samples + 10 - len(observed.entry_age_ns)


def test_throughput_has_the_interval_of_batch_means() -> None:
    """Batches of 1 s with 10, 12, 10, 12 ... ended workflows: 11 +- 2.093 * 1.026 / sqrt(20)."""
    ends = [s + (i + 0.5) / 12 for s in range(20) for i in range(10 + 2 * (s % 2))]
    frame = frame_of([at_s(n, end - 0.01, end) for n, end in enumerate(ends)])
    found = throughput_interval(frame, GO_NS, GO_NS + 20 * SECOND)
    half = T_OF_19_DEGREES * math.sqrt(20 / 19) / math.sqrt(20)
    assert found.low == pytest.approx(11 - half, abs=1e-3)
    assert found.high == pytest.approx(11 + half, abs=1e-3)


def test_a_throughput_of_a_handful_of_workflows_has_a_reason_in_place_of_an_interval() -> None:
    frame = frame_of([at_s(n, n, n + 0.5) for n in range(19)])
    found = throughput_interval(frame, GO_NS, GO_NS + 20 * SECOND)
    assert (found.low, found.high) == (None, None)
    assert found.why == "19 workflows ended ok in the steady phase (at least 20)"


def test_equal_times_ask_for_no_more_samples() -> None:
    """Of 1000 equal times, ten rank above the 99th percentile, and it is known exactly."""
    frame = frame_of([at_s(n, n * 0.01, n * 0.01 + 0.5) for n in range(1000)])
    p99 = _responses(frame, (GO_NS, GO_NS + 10 * SECOND)).p99
    assert (p99.value_s, p99.samples_beyond, p99.samples_needed) == (0.5, 10, None)
    assert (p99.low_s, p99.high_s) == pytest.approx((0.5, 0.5), rel=1 / 256)
