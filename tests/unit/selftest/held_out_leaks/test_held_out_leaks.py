"""The held-out endurance series are what they say: the truth that a leak verdict is judged by."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from perf_pipeline.selftest.held_out_leaks import leaking_shapes, series, shapes
from perf_pipeline.selftest.held_out_leaks.course import steady_course
from perf_pipeline.selftest.held_out_leaks.noises import strong_noise, weak_noise
from perf_pipeline.selftest.held_out_leaks.programs import WARM_WORKFLOWS, pool
from perf_pipeline.selftest.held_out_leaks.series import PAGE_BYTES

if TYPE_CHECKING:
    from perf_pipeline.selftest.held_out_leaks import Series
    from perf_pipeline.selftest.held_out_leaks.course import Floats

SEEDS = range(40)


def runs(shape: str) -> list[Series]:
    """Return 40 runs of 24 h without a leak."""
    return [series(shape, np.random.default_rng(seed)) for seed in SEEDS]


def shares(one: Series) -> Floats:
    """Return how far the values are above the floor, as shares of it."""
    return one.value / one.floor - 1


def correlation(noises: list[Floats], lag: int) -> float:
    """Return the autocorrelation of processes whose mean is 0, over all of them."""
    products = sum(float(noise[lag:] @ noise[: len(noise) - lag]) for noise in noises)
    squares = sum(float(noise @ noise) for noise in noises)
    terms = len(noises[0])
    return (products / (terms - lag)) / (squares / terms)


@pytest.mark.parametrize("shape", leaking_shapes())
def test_a_planted_leak_is_its_share_of_the_floor_in_24_hours(shape: str) -> None:
    """The difference to the same run without it is a straight line, to one page or item."""
    clean = series(shape, np.random.default_rng(1))
    leaking = series(shape, np.random.default_rng(1), leak_per_day=0.05)
    planted = leaking.value - clean.value
    line = 0.05 * clean.floor * clean.seconds / 86_400
    unit = 1 if "counts" in shape else PAGE_BYTES
    assert np.abs(planted - line).max() <= unit
    assert leaking.floor == clean.floor
    assert np.array_equal(clean.value % unit, np.zeros_like(clean.value))


def test_a_leak_that_starts_halfway_is_not_there_before() -> None:
    clean = series("spikes", np.random.default_rng(2))
    leaking = series("spikes", np.random.default_rng(2), leak_per_day=0.1, from_hour=12)
    planted = (leaking.value - clean.value) / clean.floor
    assert not planted[clean.seconds <= 12 * 3600].any()
    assert planted[-1] == pytest.approx(0.05, abs=0.0002)


def test_the_same_seed_gives_the_same_run_and_another_one_another() -> None:
    for shape in shapes():
        first, again, other = (series(shape, np.random.default_rng(seed)) for seed in (7, 7, 8))
        assert np.array_equal(first.value, again.value)
        assert not np.array_equal(first.value, other.value)
        assert (len(first.seconds), first.seconds[1]) == (2880, 30.0)
        assert (np.diff(first.workflows) >= 0).all()


def test_a_scaled_run_does_the_work_of_a_day_in_less_time() -> None:
    """16 times as fast: the same samples, closer together."""
    for shape in shapes():
        day = series(shape, np.random.default_rng(3))
        scaled = series(shape, np.random.default_rng(3), hours=1.5, every_s=30 / 16)
        assert np.abs(scaled.value - day.value).max() <= 1e-9 * day.floor + PAGE_BYTES
        assert np.array_equal(scaled.workflows, day.workflows)
        assert scaled.seconds[-1] == pytest.approx(day.seconds[-1] / 16)


def test_weak_noise_is_a_moving_average_of_heavy_tails() -> None:
    """Triangular weights of 10 samples: lag 1 is 330 / 385, from lag 10 on nothing is left."""
    rng = np.random.default_rng(4)
    noises = [weak_noise(steady_course(rng, 24, 30), rng, 0.01) for _ in SEEDS]
    assert correlation(noises, 1) == pytest.approx(330 / 385, abs=0.01)
    assert abs(correlation(noises, 10)) < 0.02
    assert np.std(noises) == pytest.approx(0.01, rel=0.03)
    steps = np.diff(noises, axis=1)
    assert np.mean(steps**4) / np.mean(steps**2) ** 2 > 4  # 3 for a normal distribution


def test_strong_noise_remembers_for_25_minutes() -> None:
    """From lag 10 to lag 60 samples, 25 minutes more, the correlation falls to 1 / e."""
    rng = np.random.default_rng(5)
    noises = [strong_noise(steady_course(rng, 24, 30), rng) for _ in range(150)]
    assert correlation(noises, 60) / correlation(noises, 10) == pytest.approx(np.exp(-1), abs=0.06)
    assert correlation(noises, 1) > 0.95


def test_cyclic_noise_is_opposite_after_half_a_cycle() -> None:
    """40 samples are half of 40 minutes; an autoregression of the first order is never negative."""
    noises = [shares(one) for one in runs("cyclic_noise")]
    assert correlation(noises, 40) == pytest.approx(-np.exp(-1), abs=0.1)
    assert correlation(noises, 80) > 0


def test_the_collector_frees_everything_again_and_again() -> None:
    """Each run climbs by 8 % at least, and is back at its floor in the first and last 2 hours."""
    for one in runs("collector_sawtooth"):
        above = shares(one)
        assert above.max() > 0.07
        assert max(above[:240].min(), above[-240:].min()) < 0.012
        assert above.min() > -0.01
        falls = np.flatnonzero(np.diff(above) < -0.06)
        assert 24 <= len(falls) <= 700


def test_the_daily_cycle_is_that_of_the_load() -> None:
    """What the load of the last minutes does not explain is a small part of the variance."""
    for one in runs("daily_cycle"):
        assert one.load is not None
        half_hours = one.value.reshape(48, 60).mean(axis=1)
        load = one.load.reshape(48, 60).mean(axis=1)
        assert np.corrcoef(half_hours, load)[0, 1] > 0.95
        assert one.load.max() > 2 * one.load.min()
        assert one.load.sum() * 30 == pytest.approx(one.workflows[-1])
    others = {shape: runs(shape)[0].load for shape in shapes() if shape != "daily_cycle"}
    assert set(others.values()) == {None}


def test_warm_up_is_over_after_2500_workflows() -> None:
    for one in runs("warm_up_plateau"):
        above = shares(one)
        warm = above[one.workflows >= WARM_WORKFLOWS]
        assert above[0] < -0.04
        assert abs(warm.mean()) < 0.001
        assert abs(np.polyfit(np.linspace(0, 1, len(warm)), warm, 1)[0]) < 0.001
    lasts = [np.mean(one.workflows < WARM_WORKFLOWS) for one in runs("warm_up_plateau")]
    assert min(lasts) < 0.01
    assert max(lasts) > 0.1


def test_one_step_is_flat_on_both_sides() -> None:
    for one in runs("one_step"):
        above = shares(one)
        first, last = above[:280].mean(), above[-280:].mean()
        assert abs(first) < 0.003
        assert 0.015 < abs(last) < 0.125
        between_levels = np.abs(above - first) > 0.011
        between_levels &= np.abs(above - last) > 0.011
        assert between_levels.sum() <= 45  # 10 minutes are 20 samples, the others noise


def test_arenas_grow_ever_more_slowly_and_never_shrink() -> None:
    """Over 40 runs: 2 to 6 % in the day, of which the last half has less than a fifth."""
    ends = np.array(
        [
            [np.mean(part[-60:]) for part in np.split(shares(one), 4)]
            for one in runs("allocator_growth")
        ]
    )
    grown = ends.mean(axis=0)
    assert 0.02 < grown[3] < 0.06
    assert (np.diff(grown) > 0).all()
    assert grown[3] - grown[1] < grown[3] / 5
    assert (np.diff(ends, axis=1) > -0.001).all()


def test_spikes_leave_nothing_behind() -> None:
    heights = []
    for one in runs("spikes"):
        above = shares(one)
        assert np.quantile(above, 0.1) < 0.003
        heights.append(above.max())
    assert min(heights) > 0.02
    assert max(heights) > 0.4


def test_a_pool_has_the_occupancy_of_its_birth_death_process() -> None:
    """M/G/infinity: a Poisson distribution, whatever the lifetimes: mean and variance are 5."""
    rng = np.random.default_rng(6)
    items = np.concatenate([pool(steady_course(rng, 24, 30), rng, (5.0, 5.0)) for _ in SEEDS])
    assert items.mean() == pytest.approx(5, rel=0.03)
    assert items.var() == pytest.approx(5, rel=0.08)
    assert items.min() == 0


def test_what_cannot_be_drawn_is_refused() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"no shape 'ramp'; there are: weak_noise, .*small_counts"):
        series("ramp", rng)
    with pytest.raises(ValueError, match="small_counts has too few items"):
        series("small_counts", rng, leak_per_day=0.05)
