"""The leak verdict of one signal: closed forms, planted leaks, and what is none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.analysis.endurance.leak import judge_leak
from perf_pipeline.analysis.endurance.signal_series import SignalSeries

if TYPE_CHECKING:
    from perf_pipeline.samples.campaign.leak_verdict import LeakVerdict

HOURS = np.arange(0.0, 24.0, 1.0 / 120.0)
NOISE = np.random.default_rng(4).normal(0.0, 0.2, len(HOURS))


def judged(values: np.ndarray, **others: object) -> LeakVerdict:
    seconds = tuple((3600.0 * HOURS[: len(values)]).tolist())
    return judge_leak(SignalSeries("x", seconds, tuple(values.tolist()), **others))  # type: ignore[arg-type]


def test_a_straight_growth_is_a_leak_with_its_rate_an_hour_and_per_1000_workflows() -> None:
    """0.5 an hour on a level of 100 is 12 % a day; 36,000 workflows an hour."""
    verdict = judged(
        100.0 + 0.5 * HOURS + NOISE, workflows=tuple((36_000.0 * HOURS).tolist()), limit=212.0
    )
    assert verdict.verdict == "leak"
    assert verdict.growth_per_hour == pytest.approx(0.5, abs=0.01)
    assert verdict.interval is not None
    assert verdict.interval[0] < 0.5 < verdict.interval[1]
    assert verdict.growth_per_1000_workflows == pytest.approx(0.5 / 36, rel=0.02)
    assert verdict.hours_to_limit == pytest.approx(200.0, rel=0.03)
    assert verdict.smallest_visible is not None
    assert verdict.smallest_visible < 0.5


def test_a_level_is_clean_and_has_no_time_to_its_limit() -> None:
    verdict = judged(100.0 + NOISE, limit=200.0)
    assert verdict.verdict == "clean"
    assert verdict.hours_to_limit is None
    assert verdict.growth_per_1000_workflows is None


def test_a_list_that_fills_up_is_a_warm_up_counted_in_workflows() -> None:
    """Up to hour 3, when 108,000 workflows had ended; then flat."""
    values = 100.0 + 30.0 * np.minimum(HOURS / 3.0, 1.0) + NOISE
    verdict = judged(values, workflows=tuple((36_000.0 * HOURS).tolist()))
    assert verdict.verdict == "clean"
    assert verdict.warm_up_hours == pytest.approx(3.0, abs=0.5)
    assert verdict.warm_up_workflows == pytest.approx(108_000, rel=0.2)


def test_a_plateau_after_eight_hours_is_no_leak() -> None:
    """breferrari/vigia, PR 127: growth that stopped after 8 h of a run of 24 h."""
    values = 100.0 + 40.0 * (1.0 - np.exp(-3.0 * HOURS / 8.0)) + 5.0 * NOISE
    assert judged(values).verdict != "leak"


def test_growth_from_26_to_38_mb_in_a_day_is_a_leak() -> None:
    """rocky-data/rocky #1255: a rule of "> 10 % and > 20 MB" passed it."""
    values = 26e6 + 12e6 * HOURS / 24.0 + 1e6 * NOISE
    assert judged(values).verdict == "leak"


def test_one_step_is_a_step_and_no_leak() -> None:
    verdict = judged(100.0 + 20.0 * (HOURS >= 10.0) + NOISE)
    assert verdict.verdict == "clean"
    assert verdict.step == pytest.approx(20.0, abs=0.5)
    assert verdict.step_hour == pytest.approx(10.0, abs=0.6)


def test_a_sawtooth_is_judged_by_its_floor() -> None:
    """Garbage of up to half of the level, collected every 5 minutes: 10 % a day below it."""
    garbage = 50.0 * (HOURS * 12.0 % 1.0)
    assert judged(100.0 + garbage + NOISE).verdict == "clean"
    leaking = judged(100.0 + 10.0 * HOURS / 24.0 + garbage + NOISE)
    assert leaking.verdict == "leak"
    assert leaking.growth_per_hour == pytest.approx(10.0 / 24.0, rel=0.1)


def test_a_load_that_rises_is_no_leak_of_what_follows_it() -> None:
    """The signal is proportional to the load, which doubles over the day."""
    rate = 1.0 + HOURS / 24.0 + 0.2 * np.sin(0.6 * HOURS)
    ended = np.cumsum(rate) * 300.0
    verdict = judged(50.0 + 50.0 * rate + NOISE, workflows=tuple(ended.tolist()))
    assert verdict.verdict != "leak"


def test_a_window_of_a_failure_is_left_out() -> None:
    values = 100.0 + NOISE + 80.0 * (HOURS >= 20.0)
    window = ((20.0 * 3600.0, 24.0 * 3600.0),)
    verdict = judged(values, excluded=window)
    assert (verdict.verdict, verdict.step) == ("clean", None)
    assert verdict.hours == pytest.approx(20.0, abs=0.1)


def test_one_item_more_is_in_doubt_and_a_constant_count_is_clean() -> None:
    """A leak of one in 16 hours and one step look the same."""
    assert judged(np.full(len(HOURS), 12.0)).verdict == "clean"
    assert judged(np.round(15.0 * (1.0 + 0.05 * HOURS / 24.0))).verdict == "inconclusive"


def test_a_few_samples_prove_nothing() -> None:
    verdict = judged(100.0 + HOURS[:8])
    assert (verdict.verdict, verdict.growth_per_hour, verdict.interval) == (
        "inconclusive",
        None,
        None,
    )
    assert "8 samples" in verdict.reason


def test_a_noisy_day_is_inconclusive_and_says_what_it_could_have_seen() -> None:
    rough = np.cumsum(np.random.default_rng(2).normal(0.0, 0.5, len(HOURS)))
    verdict = judged(100.0 + rough)
    assert verdict.verdict == "inconclusive"
    assert verdict.smallest_visible is not None
    assert verdict.smallest_visible > 100.0 * 0.05 / 24.0
    assert verdict.reason


def test_hours_of_a_scaled_run_are_as_long_as_they_are_said_to_be() -> None:
    """24 hours of 25 s: the same verdict, and the same growth an hour, as of 24 real ones."""
    values = tuple((100.0 + 0.5 * HOURS + NOISE).tolist())
    real = judge_leak(SignalSeries("x", tuple((3600.0 * HOURS).tolist()), values))
    scaled = judge_leak(
        SignalSeries("x", tuple((25.0 * HOURS).tolist()), values), hour_seconds=25.0
    )
    assert scaled.verdict == real.verdict == "leak"
    assert scaled.growth_per_hour == pytest.approx(real.growth_per_hour, rel=1e-6)
