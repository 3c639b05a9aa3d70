"""Service before the first failure: the limit of "as before", and when nothing can be compared."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.recovery.arrivals import Arrivals
from perf_pipeline.analysis.recovery.baseline import baseline_of
from perf_pipeline.samples.record import Outcome

SECOND = 1_000_000_000


def arrivals(took_s: np.ndarray, outcome: np.ndarray | None = None, per_s: int = 50) -> Arrivals:
    """Return workflows that come evenly."""
    count = len(took_s)
    due_ns = np.arange(count) * (SECOND // per_s)
    zeros = np.zeros(count, dtype=np.int64)
    return Arrivals(
        due_ns=due_ns,
        end_ns=due_ns + np.rint(took_s * 1e9).astype(np.int64),
        number=np.arange(count),
        outcome=zeros if outcome is None else outcome,
        error_class=zeros,
        has_lost_times=np.zeros(count, dtype=bool),
    )


def test_as_before_is_up_to_one_fifth_above_the_99th_percentile() -> None:
    """1000 times of 1 to 1000 ms: the nearest rank of the 99th percentile is 990 ms."""
    took_s = np.random.default_rng(1).permutation(np.arange(1, 1001) / 1000)
    found = baseline_of(arrivals(took_s), (0, 20 * SECOND), 0)
    assert found is not None
    assert found.p99_s == pytest.approx(0.99)
    assert found.as_before_s == pytest.approx(1.2 * 0.99)
    assert found.as_before_low_s <= found.as_before_s <= found.as_before_high_s
    assert (found.rate_per_s, found.good_share, found.why_not) == (50, 1, "")


def test_a_target_of_a_millisecond_may_take_ten_more() -> None:
    found = baseline_of(arrivals(np.full(1000, 0.001)), (0, 20 * SECOND), 0)
    assert found is not None
    assert found.as_before_s == pytest.approx(0.011)


def test_an_objective_decides_what_is_answered_well_and_not_what_is_as_before() -> None:
    took_s = np.where(np.arange(1000) % 20, 0.02, 0.5)
    found = baseline_of(arrivals(took_s), (0, 20 * SECOND), 0, (0.1, "p90_s <= 0.1"))
    assert found is not None
    assert found.good_share == pytest.approx(0.95)
    assert (found.limit_s, found.limit_of) == (0.1, "p90_s <= 0.1")
    assert found.as_before_s == pytest.approx(0.6)


def test_too_little_before_the_failure_is_nothing_to_compare_with() -> None:
    found = baseline_of(arrivals(np.full(1000, 0.02)), (0, 3 * SECOND), 0)
    assert found is not None
    assert found.why_not.startswith("150 workflows within 3 s before the first failure are too few")
    assert baseline_of(arrivals(np.full(10, 0.02)), (50 * SECOND, 60 * SECOND), 0) is None


def test_a_target_that_came_and_went_by_itself_is_no_baseline() -> None:
    """Every workflow of one second in five fails."""
    failed = np.where(np.arange(1000) // 50 % 5, int(Outcome.OK), int(Outcome.ERROR))
    found = baseline_of(arrivals(np.full(1000, 0.02), failed), (0, 20 * SECOND), 0)
    assert found is not None
    assert "between 50% and 100% of the workflows" in found.why_not
