"""Closed loops of which the truth is known: intervals cover it, and steady ones are called so."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.metrics.steady.steady_state import steady_state_of
from perf_pipeline.metrics.survival.intervals import throughput_interval
from perf_pipeline.metrics.survival.window_times import service_times
from perf_pipeline.selftest.virtual.single_server import records_of
from tests.simulated_level import SECOND

if TYPE_CHECKING:
    import polars as pl


LEVELS = 60


def _closed_loop(slots: int, until_s: float, rng: np.random.Generator) -> pl.DataFrame:
    """Simulate slots with exponential service times of mean 1 s, all busy from 0 on."""
    times = rng.exponential(1.0, (slots, int(until_s + 8 * math.sqrt(until_s)) + 20))
    end_ns = np.rint(np.cumsum(times, axis=1) * 1e9).astype(np.int64)
    start_ns = np.concatenate([np.zeros((slots, 1), dtype=np.int64), end_ns[:, :-1]], axis=1)
    early = start_ns < until_s * 1e9
    return records_of(start_ns[early], start_ns[early], end_ns[early])


@pytest.mark.parametrize(("slots", "turnovers"), [(100, 3), (100, 10), (20, 60)])
def test_intervals_of_a_closed_loop_cover_at_any_number_of_turnovers(
    slots: int, turnovers: int
) -> None:
    """At least 88 % of 60 levels for p50, p90 and the throughput.

    At three turnovers a batch is a sixth of a workflow's time long, and a quarter of the
    workflows are censored by the end of the phase.
    """
    covered = {"p50": 0, "p90": 0, "throughput": 0}
    for seed in range(LEVELS):
        frame = _closed_loop(slots, 3.0 + turnovers, np.random.default_rng([7, seed]))
        window = (3 * SECOND, (3 + turnovers) * SECOND)
        times = service_times(frame, *window)
        for found in times.percentiles[:2]:
            truth_s = -math.log1p(-found.p)
            low_s, high_s = found.low_s or 0.0, found.high_s or 0.0
            covered[f"p{100 * found.p:.0f}"] += low_s <= truth_s <= high_s
        rate = throughput_interval(frame, *window)
        covered["throughput"] += (rate.low or 0.0) <= slots <= (rate.high or 0.0)
    assert min(covered.values()) >= 0.88 * LEVELS, covered


def test_a_steady_closed_loop_is_called_not_steady_at_most_once_in_twenty() -> None:
    """60 levels of 20 slots and 60 turnovers, after 3 s in which nothing is left out."""
    verdicts = []
    for seed in range(LEVELS):
        frame = _closed_loop(20, 63.0, np.random.default_rng([9, seed]))
        verdicts.append(
            steady_state_of(
                frame,
                go_ns=0,
                began_ns=0,
                window=(3 * SECOND, 63 * SECOND),
                slots=20,
            )
        )
    called = [each for each in verdicts if each.verdict == "not_steady" or each.starts_s != 3.0]
    assert len(called) <= LEVELS / 20
    assert sum(each.verdict == "too_short" for each in verdicts) == 0
