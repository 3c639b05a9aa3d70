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


@pytest.mark.parametrize("rise", [40.0, 400.0])
def test_a_plateau_after_eight_hours_is_clean_and_a_leak_after_it_is_not(rise: float) -> None:
    """breferrari/vigia, PR 127: growth that stopped after 8 h of a run of 24 h.

    An approach of 2.7 h, of which the grid of time constants alone would leave over some 2 %.
    """
    values = 100.0 + rise * (1.0 - np.exp(-3.0 * HOURS / 8.0)) + 2.0 * NOISE
    verdict = judged(values)
    assert verdict.verdict == "clean"
    assert verdict.warm_up_hours == pytest.approx(8.0, rel=0.05)
    leaking = judged(values + 0.1 * (100.0 + rise) * HOURS / 24.0)
    assert leaking.verdict == "leak"
    assert leaking.growth_per_hour == pytest.approx(0.1 * (100.0 + rise) / 24.0, rel=0.2)


def test_a_list_that_is_full_after_eight_hours_is_clean() -> None:
    """The end of the ramp lies between two points of the grid."""
    verdict = judged(100.0 + 60.0 * np.minimum(HOURS / 8.1, 1.0) + 2.0 * NOISE)
    assert verdict.verdict == "clean"
    assert verdict.warm_up_hours == pytest.approx(8.1, abs=0.3)


def test_growth_that_has_ended_is_no_leak_whatever_its_shape_and_what_goes_on_is_one() -> None:
    """Unshared memory of a clean campaign on kailash: caches fill one after the other, for 12 h.

    None of the shapes fits the bends, so that over all of the time a trend is sure.
    """
    bends = np.interp(
        HOURS, [0.0, 0.8, 2.0, 10.0, 12.0, 24.0], [57.9, 58.9, 59.25, 61.79, 61.86, 61.86]
    )
    values = bends + 0.02 * NOISE
    ended = judged(values)
    assert ended.verdict == "clean"
    assert ended.reason.startswith("it grew faster at first; in the last half of the time ")
    leaking = judged(values + 0.02 * 60.0 * HOURS / 24.0)
    assert leaking.verdict == "leak"
    assert leaking.growth_per_hour == pytest.approx(0.02 * 60.0 / 24.0, rel=0.05)


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


@pytest.mark.parametrize("period_hours", [0.3, 0.7, 2.0, 5.0])
def test_a_load_that_swings_while_it_rises_is_no_leak_and_does_not_hide_one(
    period_hours: float,
) -> None:
    """It rises by 30 %, swings by as much and fluctuates; the signal follows the last ten minutes.

    Where it swings within a block of half an hour, the floor is that of the least load in it.
    """
    rate = 1.0 + 0.3 * HOURS / 24.0 + 0.3 * np.sin(2.0 * np.pi * HOURS / period_hours)
    rate *= 1.0 + np.random.default_rng(9).normal(0.0, 0.3, len(HOURS))
    ended = tuple((300.0 * np.cumsum(rate)).tolist())
    followed = np.convolve(np.concatenate([np.full(19, rate[:20].mean()), rate]), np.ones(20) / 20)
    values = 50.0 + 50.0 * followed[19 : 19 + len(HOURS)] + NOISE
    assert judged(values, workflows=ended).verdict != "leak"
    assert judged(values + 8.0 * HOURS / 24.0, workflows=ended).verdict == "leak"


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
    assert verdict.reason == "8 samples are too few: it takes 13, evenly spread"


def test_growth_in_fewer_workflows_than_a_warm_up_takes_is_in_doubt() -> None:
    """A list of 2500 that fills up, and a leak, look the same until it is full."""
    values = 100.0 + 0.5 * HOURS + NOISE
    few, many = (judged(values, workflows=tuple((rate * HOURS).tolist())) for rate in (80.0, 110.0))
    assert (few.verdict, many.verdict) == ("inconclusive", "leak")
    assert (
        few.reason == "it grows, and 1919 workflows may all be warm-up: a leak takes more than 2500"
    )


RECORDED = """
0.23:961511 0.79:962008 1.22:964588 1.72:968219 2.28:970256 2.81:974268 3.26:977563
3.72:980271 4.21:982608 4.74:985370 5.24:988765 5.75:990945 6.26:993206 6.74:996589
7.28:998575 7.80:1001204 8.30:1003634 8.73:1006410 9.26:1008991 9.73:1011247 10.23:1014036
10.73:1015974 11.32:1016270 11.80:1017316 12.29:1017338 12.78:1018234 13.25:1017695 13.75:1018667
14.25:1018575 14.76:1018816 15.21:1019440 15.80:1019064 16.26:1019737 16.76:1019631 17.25:1020284
17.74:1020611 18.26:1021266 18.72:1022176 19.21:1021780 19.79:1021814 20.26:1021598
"""
"""Seconds and heap blocks of kailash in the first 20 s of its life."""


def test_a_leak_has_an_interval_that_excludes_no_growth() -> None:
    """By itself a trend is more probable than 92 % here, and may still be none."""
    samples = [one.split(":") for one in RECORDED.split()]
    seconds, values = (tuple(map(float, one)) for one in zip(*samples, strict=True))
    verdict = judge_leak(SignalSeries("x", seconds, values), hour_seconds=20.0)
    assert verdict.leak_probability is not None
    assert verdict.leak_probability > 0.92
    assert verdict.interval is not None
    assert verdict.interval[0] < 0.0
    assert verdict.verdict == "inconclusive"


def test_samples_in_a_few_parts_of_the_time_are_too_few_however_many_there_are() -> None:
    """300 in the first half hour and 300 in the last one: of 48 parts of a day they are in 2."""
    seconds = np.concatenate([np.linspace(0, 1500, 300), np.linspace(84_900, 86_400, 300)])
    verdict = judge_leak(SignalSeries("x", tuple(seconds.tolist()), (1.0, 2.0) * 300))
    assert (verdict.verdict, verdict.growth_per_hour) == ("inconclusive", None)
    assert verdict.reason == (
        "600 samples are too few: they are in 2 of 48 equal parts of the time, and it takes 13"
    )


def test_a_limit_is_reached_only_where_growth_is_shown() -> None:
    """Noise of 20 % about a level may grow or not: no time to the limit is known."""
    rough = np.cumsum(np.random.default_rng(2).normal(0.0, 0.5, len(HOURS)))
    verdict = judged(100.0 + rough, limit=1000.0)
    assert verdict.interval is not None
    assert verdict.interval[0] < 0.0
    assert verdict.hours_to_limit is None


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
