"""Workflows in waiting: how many, until when, and whether they become fewer."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.recovery.arrivals import Arrivals
from perf_pipeline.analysis.recovery.backlog import (
    backlog_at,
    backlog_of,
    is_shrinking,
    overshoot_ratio,
)

SECOND = 1_000_000_000


def frozen(rate_per_s: int = 50) -> Arrivals:
    """Return arrivals of 20 ms for 30 s of which those of 10 to 13 s are answered at 14 s."""
    at_s = np.arange(0, 30, 1 / rate_per_s)
    end_s = np.where((at_s >= 10) & (at_s < 13), 14.0, at_s + 0.02)
    return Arrivals(
        due_ns=np.rint(at_s * 1e9).astype(np.int64),
        end_ns=np.rint(end_s * 1e9).astype(np.int64),
        number=np.arange(len(at_s)),
        outcome=np.zeros(len(at_s), dtype=np.int64),
        error_class=np.zeros(len(at_s), dtype=np.int64),
        has_lost_times=np.zeros(len(at_s), dtype=bool),
    )


def test_the_backlog_is_what_arrived_and_did_not_end() -> None:
    at_ns = np.array([5 * SECOND + 1000, 12 * SECOND - 1000, 15 * SECOND + 1000])
    assert backlog_at(frozen(), at_ns).tolist() == [1, 100, 1]


def test_the_backlog_drains_when_what_piled_up_is_answered() -> None:
    """Gone at 13 s, answered at 14 s."""
    found = backlog_of(frozen(), (0, 10 * SECOND), 10 * SECOND, 13 * SECOND, 30 * SECOND)
    assert found.drain_s == pytest.approx(1.0, abs=0.06)
    assert found.peak == pytest.approx(151, abs=2)
    assert found.before == pytest.approx(1, abs=0.2)


def test_catching_up_at_once_is_an_overshoot() -> None:
    found = overshoot_ratio(frozen(), (0, 10 * SECOND), 13 * SECOND, 30 * SECOND)
    assert found is not None
    assert found == pytest.approx((150 + 50) / 50, rel=0.05)


def test_a_usual_second_is_none() -> None:
    assert overshoot_ratio(frozen(), (0, 9 * SECOND), 20 * SECOND, 30 * SECOND) is None


@pytest.mark.parametrize(
    ("first", "last", "shrinks"),
    [(300.0, 10.0, True), (300.0, 150.0, True), (300.0, 290.0, False), (100.0, 400.0, False)],
)
def test_a_backlog_shrinks_if_its_pace_leads_back_within_twice_the_time(
    first: float, last: float, *, shrinks: bool
) -> None:
    assert is_shrinking(np.linspace(first, last, 600), 2.0) is shrinks
