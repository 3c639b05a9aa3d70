"""Change points of planted steps, spikes, noise, and of what has no ratio."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.change_points.find import find_change_points
from perf_pipeline.selftest.detect import stepped, structureless


def _confirmed(values: object) -> list[int]:
    return [one.index for one in find_change_points(values) if one.tier == "confirmed"]  # type: ignore[arg-type]


@pytest.mark.parametrize("height", [-6.0, -3.0, 3.0, 6.0])
def test_a_step_is_found_where_it_is_with_its_ratio(height: float) -> None:
    """The new level is 1 plus 3 % of noise times the height."""
    for seed in range(10):
        found = find_change_points(stepped(np.random.default_rng(seed), 80, 60, height))
        assert [one.tier for one in found] == ["confirmed"]
        (point,) = found
        assert abs(point.index - 80) <= 2
        assert point.low is not None
        assert point.high is not None
        assert point.effect == pytest.approx(1.0 + 0.03 * height, abs=0.02)
        assert point.low < point.effect < point.high


def test_several_steps_are_found_in_order() -> None:
    rng = np.random.default_rng(3)
    values = np.repeat([10.0, 12.0, 9.0, 10.5], 50) * (1.0 + rng.normal(0, 0.02, 200))
    assert _confirmed(values) == pytest.approx([50, 100, 150], abs=1)


def test_of_fifteen_runs_before_a_change_a_warning_comes_after_about_three() -> None:
    """20 % at a spread of 3 %, of 30 series; the README says so."""
    rng, took = np.random.default_rng(5), []
    for _ in range(30):
        values = [*rng.normal(1.0, 0.03, 15), *rng.normal(1.2, 0.036, 9)]
        found = (
            after
            for after in range(1, 10)
            if any(abs(one.index - 15) <= 1 for one in find_change_points(values[: 15 + after]))
        )
        took.append(next(found, 10))
    assert 2 <= np.median(took) <= 4


def test_series_without_structure_have_no_change_point() -> None:
    """28 series of seven kinds and 30 to 800 values; their selftest has 2,800."""
    alarms = {
        (kind, count): found
        for count in (30, 100, 200, 800)
        for kind, values in structureless(np.random.default_rng(5), count).items()
        if (found := _confirmed(values))
    }
    assert alarms == {}


@pytest.mark.parametrize("width", [1, 2])
def test_lone_spikes_are_no_change_points(width: int) -> None:
    values = 100.0 + np.random.default_rng(7).normal(0, 1, 200)
    for at in (20, 70, 110, 160):
        values[at : at + width] += 60.0
    assert find_change_points(values) == ()


def test_a_spike_beside_a_step_does_not_move_it() -> None:
    values = stepped(np.random.default_rng(1), 60, 60, 5.0)
    values[52] *= 3.0
    values[66] *= 3.0
    assert _confirmed(values) == pytest.approx([60], abs=1)


def test_the_fast_tier_warns_before_the_confirmed_one_decides() -> None:
    """A step of 5 standard deviations: a warning after 2 or 3 values, never after one."""
    values = stepped(np.random.default_rng(2), 50, 20, 5.0)
    tiers = [[one.tier for one in find_change_points(values[: 50 + more])] for more in range(20)]
    assert tiers[:2] == [[], []]
    assert tiers[3] == ["fast"]
    assert tiers[8:] == [["confirmed"]] * 12
    (warned,) = find_change_points(values[:53])
    assert warned.index == 50


def test_a_warning_of_two_or_three_values_has_an_interval_that_says_something() -> None:
    """It excludes no change, and holds the planted ratio in nine of ten histories."""
    ratio, held, warned = 1.0 + 6 * 0.03, 0, 0
    for seed in range(100):
        values = stepped(np.random.default_rng([16, seed]), 40, 3, 6.0)
        for one in find_change_points(values):
            if one.tier == "confirmed":
                continue
            assert one.low is not None
            assert one.high is not None
            assert 1.0 < one.low < one.high < 1.1 * ratio + 0.1
            held += one.low <= ratio <= one.high
            warned += 1
    assert warned >= 80
    assert held >= 0.9 * warned


def test_noise_hardly_ever_warns_however_often_it_is_looked_at() -> None:
    """40 histories of up to 40 runs, looked at after each one: the first levels are short."""
    warned = sum(
        any(find_change_points(values[:length]) for length in range(8, 41))
        for seed in range(40)
        for values in [1.0 + np.random.default_rng([15, seed]).normal(0, 0.03, 40)]
    )
    assert warned <= 1


def test_the_unit_of_a_metric_changes_nothing() -> None:
    values = stepped(np.random.default_rng(4), 40, 40, 4.0)
    (one,), (other,) = find_change_points(values), find_change_points(values * 1e-6)
    assert one.index == other.index
    assert one.effect == pytest.approx(other.effect)


def test_the_same_values_give_the_same_result_bit_by_bit() -> None:
    values = stepped(np.random.default_rng(4), 400, 400, 2.0)
    assert find_change_points(values) == find_change_points(values.tolist())


def test_a_level_from_zero_has_no_ratio() -> None:
    """An error ratio that was 0 in every run."""
    values = [0.0] * 30 + [0.1, 0.12, 0.09, 0.11] * 5
    (point,) = find_change_points(values)
    assert (point.index, point.tier) == (30, "confirmed")
    assert (point.effect, point.low, point.high) == (None, None, None)


def test_levels_with_zeros_among_them_have_the_ratio_of_their_means() -> None:
    rng = np.random.default_rng(6)
    values = np.concatenate([rng.poisson(4, 60), rng.poisson(12, 60)]).astype(float)
    values[5] = 0.0
    (point,) = find_change_points(values)
    assert point.index == pytest.approx(60, abs=2)
    assert point.effect == pytest.approx(3.0, rel=0.2)


def test_exact_values_that_change_are_a_step() -> None:
    (point,) = find_change_points([5.0] * 20 + [6.0] * 20)
    assert (point.index, point.effect) == (20, pytest.approx(1.2))


@pytest.mark.parametrize("values", [[], [1.0], [1.0, 2.0], [3.0] * 500, [1.0, 9.0, 1.0, 9.0, 9.0]])
def test_too_few_or_equal_values_have_none(values: list[float]) -> None:
    assert find_change_points(values) == ()


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_value_that_is_no_number_is_refused(value: float) -> None:
    with pytest.raises(ValueError, match="finite numbers"):
        find_change_points([1.0, value, 2.0])


@pytest.mark.parametrize("size", [1e-300, 1e300, -1e300])
def test_values_of_any_size_are_taken(size: float) -> None:
    values = stepped(np.random.default_rng(4), 40, 40, 5.0) * size
    assert _confirmed(values) == pytest.approx([40], abs=1)
