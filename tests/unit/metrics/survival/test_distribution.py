"""The buckets of a chart say the same as the curve that the percentiles come from."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pytest

from perf_pipeline.metrics.survival.distribution import distribution_of
from perf_pipeline.metrics.survival.histogram import Histogram

Times: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
NOTHING: Times = np.array([], dtype=np.int64)


def _window(ended: Times, censored: Times) -> Histogram:
    """Return the histogram of a window."""
    histogram = Histogram("service_time")
    histogram.add(ended)
    histogram.add(censored, censored=True)
    return histogram


def _times(seed: int, n: int) -> Times:
    return (np.random.default_rng(seed).lognormal(0, 1.2, n) * 50e6).astype(np.int64)


def test_every_workflow_is_in_the_bucket_of_its_time() -> None:
    times, censored = _times(1, 5000), _times(2, 300)
    found = distribution_of(_window(times, censored))
    assert found is not None
    edges_ns = np.array(found.edges_s) * 1e9
    assert np.histogram(times, edges_ns)[0].tolist() == list(found.ended)
    assert np.histogram(censored, edges_ns)[0].tolist() == list(found.not_ended)
    widths = np.diff(np.log10(found.edges_s))
    assert widths == pytest.approx(np.full(len(widths), 1 / 20), abs=0.0018)


def test_where_all_ended_the_curve_is_the_share_that_took_longer() -> None:
    times = _times(3, 5000)
    found = distribution_of(_window(times, NOTHING))
    assert found is not None
    naive = [(times >= edge * 1e9).mean() for edge in found.edges_s[1:]]
    assert found.longer_ratio == pytest.approx(naive, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_crosses_each_percentile_in_the_bucket_that_it_lies_in(seed: int) -> None:
    """A fifth had not ended, and a third was in flight when the window began."""
    rng = np.random.default_rng(seed)
    times, censored = _times(seed, 4000), _times(seed + 100, 1000)
    entered = np.where(rng.random(4000) < 1 / 3, (times * rng.random(4000)).astype(np.int64), 0)
    late = entered > 0
    histogram = _window(times, censored)
    histogram.add_delayed_entries(entered[late], times[late])
    found = distribution_of(histogram)
    assert found is not None
    for p in (0.5, 0.9):
        percentile = histogram.percentile(p)
        crossed = next(n for n, longer in enumerate(found.longer_ratio) if longer <= 1 - p + 1e-9)
        assert found.edges_s[crossed] <= (percentile.value_s or 0) <= found.edges_s[crossed + 1]


def test_what_never_ended_keeps_the_curve_above_zero() -> None:
    found = distribution_of(_window(_times(6, 100), np.array([10**12] * 100)))
    assert found is not None
    assert found.longer_ratio[-1] == pytest.approx(0.5)


def test_without_any_workflow_there_is_no_distribution() -> None:
    assert distribution_of(_window(NOTHING, NOTHING)) is None


def test_a_time_so_short_that_no_bucket_is_its_own_is_in_the_first() -> None:
    found = distribution_of(_window(np.array([0, 1, 900, 1100]), NOTHING))
    assert found is not None
    assert (found.edges_s[0], found.ended) == (1e-6, (4,))


def test_every_level_has_the_same_edges() -> None:
    """Two levels whose times overlap: charts are drawn over each other."""
    one, other = (distribution_of(_window(_times(7, 500) * by, NOTHING)) for by in (1, 3))
    assert one is not None
    assert other is not None
    common = set(one.edges_s) & set(other.edges_s)
    low, high = max(one.edges_s[0], other.edges_s[0]), min(one.edges_s[-1], other.edges_s[-1])
    assert common == {edge for edge in one.edges_s if low <= edge <= high}
    assert len(common) > 20
