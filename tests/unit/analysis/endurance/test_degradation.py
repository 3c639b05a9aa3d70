"""Losses over 24 hours of known size, and errors that rise."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.endurance.degradation import judge_degradation, judge_loss
from perf_pipeline.analysis.endurance.error_stability import judge_errors
from perf_pipeline.samples.campaign.hour import DEADLINE, Hour

AT = np.arange(24.0) + 0.5


def hour(number: int, throughput: float = 100.0, errors: int = 0) -> Hour:
    return Hour(
        hour=number,
        partition="",
        boot_id="a",
        begun_s=3600.0 * number,
        ended_s=3600.0 * (number + 1),
        gap_before_s=0.0,
        ended_because=DEADLINE,
        scheduled=10_000,
        ok=10_000 - errors,
        errors=errors,
        timeouts=0,
        dropped=0,
        abandoned=0,
        throughput_per_s=throughput,
        p50_s=None,
        p99_s=None,
        error_ratio=errors / 10_000,
        cpu_per_workflow_s=0.01,
    )


@pytest.mark.parametrize(
    ("loss", "verdict"), [(0.0, "proven_absent"), (0.05, "proven_absent"), (0.2, "degraded")]
)
def test_a_straight_loss_is_given_as_it_is(loss: float, verdict: str) -> None:
    """Without noise: a throughput that is (1 - loss) of itself after 24 hours."""
    values = 100.0 * (1.0 - loss) ** (AT / 24.0)
    found = judge_loss("throughput_per_s", AT, values, higher_is_better=True)
    assert found.loss == pytest.approx(loss, abs=1e-9)
    assert found.verdict == verdict


def test_a_time_that_rises_is_a_loss_and_one_that_falls_is_none() -> None:
    rising = judge_loss("p99_s", AT, 0.2 * 1.3 ** (AT / 24.0), higher_is_better=False)
    falling = judge_loss("p99_s", AT, 0.2 * 0.7 ** (AT / 24.0), higher_is_better=False)
    assert (rising.verdict, rising.loss) == ("degraded", pytest.approx(0.3))
    assert (falling.verdict, falling.loss) == ("proven_absent", pytest.approx(-0.3))


def test_noise_leaves_the_verdict_open_instead_of_passing() -> None:
    """Hours that spread by 30 % prove neither: no significant trend is no proof."""
    values = np.exp(np.random.default_rng(5).normal(0.0, 0.3, 24))
    assert judge_loss("p99_s", AT, values, higher_is_better=False).verdict == "inconclusive"


def test_three_hours_are_too_few_and_values_that_are_missing_are_left_out() -> None:
    losses, changes = judge_degradation([hour(n) for n in range(3)], 3600.0)
    assert [one.verdict for one in losses] == ["inconclusive"] * 4
    assert changes == ()
    losses, _ = judge_degradation([hour(n) for n in range(24)], 3600.0)
    words = {one.metric: one.verdict for one in losses}
    assert words["throughput_per_s"] == words["cpu_per_workflow_s"] == "proven_absent"
    assert words["p50_s"] == words["p99_s"] == "inconclusive"


def test_a_level_that_changes_inside_of_the_run_is_named_with_its_hour() -> None:
    noise = np.random.default_rng(1).normal(0.0, 0.5, 24)
    hours = [hour(n, throughput=(100.0 if n < 12 else 80.0) + noise[n]) for n in range(24)]
    _, (change,) = judge_degradation(hours, 3600.0)
    assert (change.metric, change.hour) == ("throughput_per_s", 12)
    assert change.effect == pytest.approx(0.8, abs=0.02)


def test_errors_are_stable_unstable_or_in_doubt() -> None:
    stable = judge_errors([hour(n, errors=50 + n % 3) for n in range(24)])
    assert (stable.verdict, stable.ratio) == ("stable", pytest.approx(1.0, abs=0.05))
    rising = judge_errors([hour(n, errors=20 * n) for n in range(24)])
    assert rising.verdict == "unstable"
    assert rising.interval is not None
    assert rising.interval[0] > 1.0
    assert judge_errors([hour(0), hour(1)]).verdict == "inconclusive"
    wild = [hour(n, errors=int(e)) for n, e in enumerate([0, 900, 10, 5, 800, 0, 20, 950, 0])]
    assert judge_errors(wild).verdict == "inconclusive"
