"""Whether a level has a steady state, and what becomes of its numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.metrics.steady.steady_state import steady_state_of
from tests.simulated_level import GO_NS, SECOND, Row, SimulatedWorker, at_s, frame_of, write_level

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.steady_state import SteadyState

SLOTS = 4
UNTIL_S = 22.0


def _loop(mean_s: Callable[[float], float], until_s: float = UNTIL_S, seed: int = 1) -> list[Row]:
    """Simulate slots whose service times (gamma, spread of a half) depend on the time of day."""
    rng = np.random.default_rng(seed)
    rows: list[Row] = []
    for slot in range(SLOTS):
        now_s = 0.0
        while now_s < until_s:
            start_s, now_s = now_s, now_s + mean_s(now_s) * rng.gamma(4.0) / 4.0
            rows.append(at_s(len(rows), start_s, now_s, slot=slot))
    return rows


def _judge(rows: list[Row], schedule: str = "", until: str = "") -> SteadyState:
    return steady_state_of(
        frame_of(rows),
        go_ns=GO_NS,
        began_ns=GO_NS,
        window=(GO_NS + 2 * SECOND, GO_NS + 22 * SECOND),
        slots=None if schedule else SLOTS,
        schedule=schedule,
        until=until,
    )


def _level(folder: Path, rows: list[Row]) -> LevelMetrics:
    write_level(folder, [SimulatedWorker(rows)], slots=SLOTS, steady_s=(2.0, 22.0))
    return measure_level(folder, LevelContext([("transformation", "simple")], [], {}))


def test_a_level_that_stays_the_same_is_steady_from_its_planned_start() -> None:
    found = _judge(_loop(lambda _: 0.02))
    assert (found.verdict, found.starts_s, found.why) == ("steady", 2.0, "")
    assert found.drifts is not None
    assert set(found.drifts) == {"throughput", "median service time"}


def test_a_warm_up_that_ended_before_the_steady_phase_changes_nothing() -> None:
    found = _judge(_loop(lambda at_s: 0.06 if at_s < 1.0 else 0.02))
    assert (found.verdict, found.starts_s, found.why) == ("steady", 2.0, "")


def test_every_number_leaves_out_a_warm_up_that_went_on_into_the_steady_phase(
    tmp_path: Path,
) -> None:
    """Three times as slow for the first 6 s: 67/s, then 200/s; the planned phase begins at 2 s."""
    level = _level(tmp_path, _loop(lambda at_s: 0.06 if at_s < 6.0 else 0.02))
    assert level.steady_state is not None
    assert level.steady_state.starts_s == pytest.approx(6.0, abs=0.6)
    assert "into the planned steady phase of 20.0 s" in level.steady_state.why
    assert level.phases["steady"] == (level.steady_state.starts_s, 22.0)
    assert level.phases["warm_up"] == (1.0, level.steady_state.starts_s)
    assert level.validity == "valid"
    assert level.throughput_per_s == pytest.approx(200, rel=0.05)
    assert level.throughput_low_per_s is not None
    assert level.throughput_high_per_s is not None
    assert level.throughput_low_per_s < 200 < level.throughput_high_per_s
    p50 = level.service_times.percentiles[0]
    assert p50.low_s is not None
    assert p50.high_s is not None
    assert p50.low_s < 0.02 * 3.672 / 4.0 < p50.high_s  # median of gamma(4)
    assert level.families[0].service_times.percentiles[0].low_s == p50.low_s


def test_a_level_that_grows_slower_all_the_time_is_not_steady(tmp_path: Path) -> None:
    """From 20 to 40 ms in 22 s, like a table that grows: 200/s at first, 100/s in the end."""
    level = _level(tmp_path, _loop(lambda at_s: 0.02 * (1.0 + at_s / 22.0)))
    assert level.validity == "not_steady"
    assert level.steady_state is not None
    assert level.steady_state.starts_s is None
    assert level.reasons == (level.steady_state.why,)


def test_a_warm_up_of_more_than_half_of_the_phase_leaves_no_steady_state() -> None:
    found = _judge(_loop(lambda at_s: 0.06 if at_s < 15.0 else 0.02))
    assert (found.verdict, found.starts_s) == ("not_steady", None)
    assert found.why.startswith("the warm-up goes on beyond half of the steady phase")


def test_too_few_turnovers_are_no_verdict(tmp_path: Path) -> None:
    """10 turnovers of 2 s: too short to judge, which does not invalidate the level."""
    level = _level(tmp_path, _loop(lambda _: 2.0))
    assert level.steady_state is not None
    assert level.steady_state.verdict == "too_short"
    assert level.steady_state.why == (
        "a steady phase of 20 s is too short to test for warm-up and drift; "
        "here it takes about 183 s (--duration 183)"
    )
    assert level.validity == "valid"


def test_a_window_that_ends_at_a_failure_says_so_and_asks_for_a_later_failure() -> None:
    """A longer level would not lengthen what comes before its failure."""
    found = _judge(_loop(lambda _: 2.0), until="the first failure")
    assert found.verdict == "too_short"
    assert "s before the first failure is too short to test" in found.why
    assert "(at = " in found.why
    assert "--duration" not in found.why


def test_a_drift_that_cannot_be_ruled_out_is_told_and_no_verdict() -> None:
    """Others take half of the machine for seconds now and then."""
    busy = np.random.default_rng(8).random(30) < 0.5
    found = _judge(_loop(lambda at_s: 0.08 if busy[int(at_s)] else 0.02))
    assert found.verdict == "undecided"
    assert "cannot be ruled out" in found.why
    assert found.starts_s is not None


def test_a_schedule_that_changes_the_rate_is_not_judged() -> None:
    found = _judge(_loop(lambda at_s: 0.06 if at_s < 12.0 else 0.02), schedule="steps")
    assert (found.verdict, found.starts_s) == ("not_judged", 2.0)
    assert "changes as planned (steps)" in found.why


def test_a_queue_that_grows_is_not_steady() -> None:
    """Arrivals 5 % faster than the one server: throughput and service time stand still."""
    rng = np.random.default_rng(2)
    service_s = rng.gamma(4.0, 0.01 / 4.0, 2400)
    intended_s = np.arange(2400) * 0.0095
    free_s, rows = 0.0, []
    for number, (due, took) in enumerate(zip(intended_s.tolist(), service_s.tolist(), strict=True)):
        start = max(due, free_s)
        free_s = start + took
        rows.append(at_s(number, start, free_s))
    intended = (GO_NS + np.rint(intended_s * SECOND)).astype(np.int64)
    frame = frame_of(rows).with_columns(intended_start_ns=intended)
    window = (GO_NS + 2 * SECOND, GO_NS + 22 * SECOND)
    found = steady_state_of(
        frame, go_ns=GO_NS, began_ns=GO_NS, window=window, slots=None, schedule="constant"
    )
    assert found.verdict == "not_steady"
    assert "median response time" in found.why
    assert "service time" not in found.why
