"""The buckets of a chart say the same as the curve that the percentiles come from."""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import pytest

from perf_pipeline.metrics.survival.distribution import distribution_of
from perf_pipeline.metrics.survival.service_time import WindowTimes, product_limit_percentiles
from perf_pipeline.metrics.survival.sorted_chunks import SortedChunks

Times: TypeAlias = np.ndarray[tuple[int], np.dtype[np.int64]]
NOTHING: Times = np.array([], dtype=np.int64)


def _window(ended: Times, still: Times, late: Times = NOTHING) -> WindowTimes:
    """Return the times of a window, in runs as two kinds of workflow leave them."""
    runs = SortedChunks((np.sort(ended[::3]), np.sort(ended[1::3]), np.sort(ended[2::3])))
    return WindowTimes(runs, np.sort(late), np.sort(still), NOTHING, 0)


def _times(seed: int, n: int) -> Times:
    return (np.random.default_rng(seed).lognormal(0, 1.2, n) * 50e6).astype(np.int64)


def test_every_workflow_is_in_the_bucket_of_its_time() -> None:
    times, still = _times(1, 5000), _times(2, 300)
    found = distribution_of(_window(times, still))
    assert found is not None
    edges_ns = np.array(found.edges_s) * 1e9
    assert np.histogram(times, edges_ns)[0].tolist() == list(found.ended)
    assert np.histogram(still, edges_ns)[0].tolist() == list(found.not_ended)
    widths = np.diff(np.log10(found.edges_s))
    assert widths == pytest.approx(np.full(len(widths), 1 / 20))


def test_where_all_ended_the_curve_is_the_share_that_took_longer() -> None:
    times = _times(3, 5000)
    found = distribution_of(_window(times, NOTHING))
    assert found is not None
    naive = [(times >= edge * 1e9).mean() for edge in found.edges_s[1:]]
    assert found.longer_ratio == pytest.approx(naive, abs=1e-9)


@pytest.mark.parametrize("seed", range(5))
def test_the_curve_crosses_each_percentile_within_a_bucket_of_it(seed: int) -> None:
    """A fifth had not ended, and a third was in flight when the window began."""
    rng = np.random.default_rng(seed)
    times, still = _times(seed, 4000), _times(seed + 100, 1000)
    joined = np.where(rng.random(4000) < 1 / 3, (times * rng.random(4000)).astype(np.int64), 0)
    found = distribution_of(_window(times, still, joined[joined > 0]))
    assert found is not None
    for exact in product_limit_percentiles(times, still, (0.5, 0.9), joined):
        crossed = next(
            place for place, longer in enumerate(found.longer_ratio) if longer <= 1 - exact.p
        )
        nearby = found.edges_s[max(0, crossed - 1)], found.edges_s[crossed + 2]
        assert nearby[0] <= (exact.value_s or 0) <= nearby[1]


def test_what_never_ended_keeps_the_curve_above_zero() -> None:
    found = distribution_of(_window(_times(6, 100), np.array([10**12] * 100)))
    assert found is not None
    assert found.longer_ratio[-1] == pytest.approx(0.5)


def test_without_any_workflow_there_is_no_distribution() -> None:
    assert distribution_of(_window(NOTHING, NOTHING)) is None


def test_half_of_what_had_not_ended_is_at_risk_in_its_own_bucket() -> None:
    """Ten of twenty in one bucket had not ended: 15 at risk, 10 ended (Cutler and Ederer)."""
    same = np.full(10, 5_300_000)
    found = distribution_of(_window(same, same))
    assert found is not None
    assert (found.ended, found.not_ended) == ((10,), (10,))
    assert found.longer_ratio == pytest.approx((1 - 10 / 15,))


def test_a_time_at_the_edge_of_a_bucket_is_counted_where_its_logarithm_says() -> None:
    """The shortest nanosecond of each of 100 buckets, and the one before it."""
    edges_ns = 1000 * 10 ** (np.arange(1, 101) / 20)
    times = np.concatenate([np.ceil(edges_ns - 1e-6), np.ceil(edges_ns - 1e-6) - 1]).astype(
        np.int64
    )
    found = distribution_of(_window(times, NOTHING))
    assert found is not None
    naive = np.floor(np.log10(times / 1000) * 20 + 1e-9).astype(np.int64)
    assert list(found.ended) == np.bincount(naive).tolist()
