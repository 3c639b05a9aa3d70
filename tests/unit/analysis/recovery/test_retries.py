"""Attempts per workflow, as workflows count them."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.recovery.arrivals import Arrivals
from perf_pipeline.analysis.recovery.retries import attempts_of, retries_of
from perf_pipeline.samples.steps.level_steps import IS_COLD, IS_COUNT, STEP_DTYPE, LevelSteps

SECOND = 1_000_000_000


def arrivals(count: int) -> Arrivals:
    """Return one workflow a tenth of a second."""
    due_ns = np.arange(count) * (SECOND // 10)
    zeros = np.zeros(count, dtype=np.int64)
    return Arrivals(due_ns, due_ns + 1, np.arange(count), zeros, zeros, zeros.astype(bool))


def steps(name: str, *rows: tuple[int, int, int]) -> LevelSteps:
    """Return counts from (number, value, flags)."""
    found = np.zeros(len(rows), dtype=STEP_DTYPE)
    found["number"], found["value"], found["flags"] = zip(*rows, strict=True)
    return LevelSteps(found, np.zeros(len(rows), dtype=np.int32), names=(name,))


def test_attempts_are_summed_by_workflow_and_cold_starts_left_out() -> None:
    counted = steps(
        "attempts", (0, 1, IS_COUNT), (1, 1, IS_COUNT), (1, 2, IS_COUNT), (0, 9, IS_COUNT | IS_COLD)
    )
    found = attempts_of(counted, arrivals(3))
    assert found is not None
    np.testing.assert_array_equal(found, [1, 3, np.nan])


def test_a_workflow_without_retries_took_one_attempt() -> None:
    found = attempts_of(steps("retries", (1, 2, IS_COUNT)), arrivals(3))
    assert found is not None
    assert found.tolist() == [1, 3, 1]


def test_what_nobody_counted_is_unknown() -> None:
    assert attempts_of(steps("items", (1, 2, IS_COUNT)), arrivals(3)) is None


def test_a_storm_is_the_longest_time_with_more_than_one_and_a_half_attempts() -> None:
    """Ten a second: 2 s before, 2 s of failure, then 3 s with 4 attempts each, and 3 s with 1."""
    attempts = np.repeat([1.0, 2.0, 4.0, 1.0], [20, 20, 30, 30])
    span_ns = (2 * SECOND, 4 * SECOND, 10 * SECOND)
    found = retries_of(arrivals(100), attempts, (0, 2 * SECOND), span_ns)
    assert (found.before, found.during) == (1, 2)
    assert found.after == pytest.approx((30 * 4 + 30) / 60)
    assert found.storm_s == pytest.approx(3.0, abs=0.26)
