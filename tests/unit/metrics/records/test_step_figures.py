"""Figures of steps against values that follow from how they were made."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from perf_pipeline.metrics.records.step_figures import steps_of
from perf_pipeline.samples.steps.level_steps import (
    IS_COLD,
    IS_COUNT,
    IS_FAILED,
    IS_OUTSIDE,
    STEP_DTYPE,
    LevelSteps,
)

MS, S = 1_000_000, 1_000_000_000
KINDS = [("shop:order", ""), ("shop:refund", "")]
PAY, ROWS = 0, 1


def workflows(count: int, kind: int = 0, first: int = 0) -> pl.DataFrame:
    """Workflows of 200 ms, one every 10 ms from the start of second 10 on."""
    number = np.arange(first, first + count)
    start_ns = 10 * S + np.arange(count) * 10 * MS
    return pl.DataFrame(
        {
            "number": number,
            "kind": np.full(count, kind, dtype=np.uint8),
            "start_ns": start_ns,
            "end_ns": start_ns + 200 * MS,
            "outcome": np.zeros(count, dtype=np.uint8),
        }
    )


def level(rows: list[tuple[int, int, int, int, int, int]], **changes: int) -> LevelSteps:
    """Steps: number, start_ns, value, name, kind, flags."""
    made = np.array([(*row, 0) for row in rows], dtype=STEP_DTYPE)
    workers = np.zeros(len(rows), dtype=np.int32)
    return LevelSteps(made, workers, ("pay", "rows"), **changes)


def test_percentiles_and_shares_are_those_of_the_planted_durations() -> None:
    """1000 steps of 1 to 1000 ms, in a window that holds them all: p50 500 ms, p99 990 ms.

    They belong to 1000 workflows of 200 ms: the share is 500.5 / 200.
    """
    rows = [(n, 9 * S, (n + 1) * MS, PAY, 0, IS_FAILED if n % 10 == 0 else 0) for n in range(1000)]
    found = steps_of(level(rows), workflows(1000), (9 * S, 30 * S), KINDS)
    assert found is not None
    (pay,) = found.steps
    assert (pay.name, pay.family, pay.times.samples, pay.failed) == ("pay", "shop:order", 1000, 100)
    at = {one.p: one for one in pay.times.percentiles}
    assert at[0.5].value_s == pytest.approx(0.5, rel=0.004)
    assert at[0.9].value_s == pytest.approx(0.9, rel=0.004)
    assert at[0.99].value_s == pytest.approx(0.99, rel=0.004)
    assert (at[0.99].samples_beyond, at[0.99].is_weak) == (10, False)
    assert pay.times.avg_s == pytest.approx(0.5005)
    assert (pay.times.min_s, pay.times.max_s) == (0.001, 1.0)
    assert pay.per_workflow == 1.0
    assert pay.time_share == pytest.approx(0.5005 / 0.2)
    assert found.workflows == 1000


def test_steps_and_workflows_outside_of_the_steady_phase_do_not_count() -> None:
    """The window is second 11: 100 of 1000 workflows end in it, and 100 of their steps."""
    rows = [(n, 10 * S + n * 10 * MS, 50 * MS, PAY, 0, 0) for n in range(1000)]
    found = steps_of(level(rows), workflows(1000), (11 * S, 12 * S), KINDS)
    assert found is not None
    (pay,) = found.steps
    assert (pay.times.samples, found.workflows, pay.per_workflow) == (100, 100, 1.0)
    assert pay.time_share == pytest.approx(0.25)


def test_counts_are_exact_and_workflows_without_one_count_as_zero() -> None:
    """Every second workflow counts 2**52 twice: int64 would overflow from 2048 values on."""
    rows = [(n - n % 2, 11 * S, 2**52, ROWS, 0, IS_COUNT) for n in range(4000)]
    found = steps_of(level(rows), workflows(4000), (9 * S, 60 * S), KINDS)
    assert found is not None
    (count,) = found.counts
    assert (count.calls, count.total) == (4000, 4000 * 2**52)
    assert count.per_workflow == 2**52
    assert count.per_s == pytest.approx(4000 * 2**52 / 51)


def test_percentiles_of_small_counts_are_the_very_numbers() -> None:
    """Workflow n counts n % 100: the nearest ranks are 49, 89 and 98."""
    rows = [(n, 11 * S, n % 100, ROWS, 0, IS_COUNT) for n in range(2000)]
    found = steps_of(level(rows), workflows(2000), (9 * S, 60 * S), KINDS)
    assert found is not None
    at = {one.p: one.value for one in found.counts[0].percentiles}
    assert (at[0.5], at[0.9], at[0.99]) == (49, 89, 98)


def test_kinds_cold_starts_and_steps_outside_of_workflows_are_apart() -> None:
    rows = [
        (1, 11 * S, 10 * MS, PAY, 0, 0),
        (2, 11 * S, 30 * MS, PAY, 1, 0),
        (-1, 5 * S, 900 * MS, PAY, 0, IS_COLD),
        (0, 2 * S, 4 * S, PAY, 0, IS_OUTSIDE),
        (0, 2 * S, 3, ROWS, 0, IS_OUTSIDE | IS_COUNT),
        (3, 11 * S, 10 * MS, PAY, 7, 0),  # no such kind
    ]
    frame = pl.concat([workflows(1, 0, 1), workflows(1, 1, 2)])
    found = steps_of(level(rows), frame, (9 * S, 60 * S), KINDS)
    assert found is not None
    assert [(one.family, one.times.avg_s, one.cold_mean_s) for one in found.steps] == [
        ("shop:order", 0.01, 0.9),
        ("shop:refund", 0.03, None),
    ]
    pay, counted = found.outside
    assert (pay.calls, pay.mean_s, pay.total) == (1, 4.0, None)
    assert (counted.calls, counted.mean_s, counted.total) == (1, None, 3)
    assert found.damaged == 1


def test_shares_of_sampled_workflows_are_those_of_the_sampled_ones() -> None:
    """Every 20th of 1000 has a node of 100 ms: half of its own 200 ms, not a 40th."""
    rows = [(n, 11 * S, 100 * MS, PAY, 0, 0) for n in range(0, 1000, 20)]
    found = steps_of(level(rows, sampled_every=20), workflows(1000), (9 * S, 60 * S), KINDS)
    assert found is not None
    assert (found.workflows, found.steps[0].per_workflow) == (50, 1.0)
    assert found.steps[0].time_share == pytest.approx(0.5)


def test_a_level_without_steps_has_no_figures_and_lost_ones_are_shown() -> None:
    assert steps_of(level([]), workflows(10), (9 * S, 60 * S), KINDS) is None
    found = steps_of(level([], unnamed=3), workflows(10), (9 * S, 60 * S), KINDS)
    assert found is not None
    assert (found.steps, found.unnamed) == ((), 3)


def test_what_every_workflow_counts_does_not_thin_out_the_steps_of_a_sample() -> None:
    """Every 20th of 1000 workflows is timed, and each counts its attempts."""
    steps = [(n, 10 * S + n * 10 * MS, 50 * MS, PAY, 0, 0) for n in range(0, 1000, 20)]
    counts = [(n, 10 * S + n * 10 * MS, 2, ROWS, 0, IS_COUNT) for n in range(1000)]
    rows = level(steps + counts, sampled_every=20)
    found = steps_of(rows, workflows(1000), (9 * S, 30 * S), KINDS)
    assert found is not None
    (pay,), (attempts,) = found.steps, found.counts
    assert (found.workflows, pay.per_workflow, attempts.per_workflow) == (50, 1.0, 2.0)
    assert pay.time_share == pytest.approx(0.25)
