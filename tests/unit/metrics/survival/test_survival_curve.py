"""The product-limit curve against its definition and a textbook."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.metrics.survival.histogram import Histogram

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.service_times import Percentile


def _seconds(*values: float) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.array([round(value * 1e9) for value in values], dtype=np.int64)


def _estimate(
    ended_s: list[float],
    censored_s: list[float],
    p: float,
    entered_s: list[float] | None = None,
) -> Percentile:
    histogram = Histogram("service_time")
    histogram.add(_seconds(*ended_s))
    histogram.add(_seconds(*censored_s), censored=True)
    ages_ns, late = _seconds(*(entered_s or [])), np.array(entered_s or []) > 0
    histogram.add_delayed_entries(ages_ns[late], _seconds(*ended_s)[: len(late)][late])
    return histogram.percentile(p)


def _is_in_the_bucket_of(value_s: float | None, exact_s: float) -> bool:
    return value_s == pytest.approx(exact_s, rel=1 / 256, abs=2e-9)


@given(st.lists(st.integers(0, 50), min_size=1, max_size=300), st.integers(1, 99))
def test_when_everything_ended_a_percentile_is_the_nearest_rank(
    durations_s: list[int], percent: int
) -> None:
    found = _estimate([float(d) for d in durations_s], [], percent / 100)

    rank = math.ceil(percent * len(durations_s) / 100)
    assert _is_in_the_bucket_of(found.value_s, sorted(durations_s)[rank - 1])
    assert not found.at_least
    assert found.samples_beyond == len(durations_s) - rank


REMISSION_ENDED = [6, 6, 6, 7, 10, 13, 16, 22, 23]
REMISSION_GOING_ON = [6, 9, 10, 11, 17, 19, 20, 25, 32, 32, 34, 35]


def test_the_textbook_example_of_kaplan_and_meier_comes_out() -> None:
    """Weeks of remission under 6-MP: S(6) = 0.857, S(16) = 0.627, S(22) = 0.538, S(23) = 0.448.

    Source:
        Freireich et al., Blood 21, 1963, as estimated in Klein, Moeschberger, "Survival
        Analysis", 2nd edition, table 4.1A; the median remission is 23 weeks.
    """
    survival = {6: 0.857, 7: 0.807, 10: 0.753, 13: 0.690, 16: 0.627, 22: 0.538, 23: 0.448}
    ended = [float(week) for week in REMISSION_ENDED]
    going_on = [float(week) for week in REMISSION_GOING_ON]
    for week, surviving in survival.items():
        before, after = (
            _estimate(ended, going_on, 1 - surviving + off).value_s for off in (-0.002, 0.002)
        )
        assert _is_in_the_bucket_of(before, week)
        assert not _is_in_the_bucket_of(after, week)
    median = _estimate(ended, going_on, 0.5)
    assert _is_in_the_bucket_of(median.value_s, 23)
    assert (median.at_least, median.samples_beyond) == (False, 5)

    unreached = _estimate(ended, going_on, 0.6)
    assert (unreached.value_s, unreached.at_least) == (35, True)


def test_a_percentile_among_what_has_not_ended_is_at_least_the_longest_time_seen() -> None:
    """Nine ended after 1 s and three wait since 2, 5 and 8 s: the median is known, p90 is not."""
    ended, waiting = [1.0] * 9, [2.0, 5.0, 8.0]

    assert _is_in_the_bucket_of(_estimate(ended, waiting, 0.5).value_s, 1)
    p90 = _estimate(ended, waiting, 0.9)
    assert (p90.value_s, p90.at_least, p90.samples_beyond) == (8, True, 0)


def test_without_any_sample_there_is_no_percentile() -> None:
    nothing = _estimate([], [], 0.5)
    assert (nothing.value_s, nothing.at_least, nothing.samples_beyond) == (None, False, 0)
    none_ended = _estimate([], [3.0, 4.0], 0.5)
    assert (none_ended.value_s, none_ended.at_least) == (4, True)


def _naive_delayed_entry(
    ended: list[tuple[int, int]], censored_s: list[int], p: float
) -> tuple[float, bool]:
    """Percentile from (entered, ended) ages by the definition: hazards over explicit risk sets."""
    surviving = 1.0
    for t in sorted({end for _, end in ended}):
        events = sum(end == t for _, end in ended)
        at_risk = sum((entered < t or entered == 0) and end >= t for entered, end in ended)
        at_risk += sum(age >= t for age in censored_s)
        surviving *= 1 - events / at_risk
        if surviving <= 1 - p + 1e-9:
            return t, False
    return max([end for _, end in ended] + censored_s), True


_ENTERED_AND_ENDED = (
    st.tuples(st.integers(0, 9), st.integers(0, 9))
    .map(sorted)
    .filter(lambda ages: ages[0] < ages[1] or ages[0] == 0)
)


@given(
    st.lists(_ENTERED_AND_ENDED, min_size=1, max_size=40),
    st.lists(st.integers(0, 12), max_size=20),
    st.sampled_from([0.25, 0.5, 0.9, 0.99]),
)
def test_a_delayed_entry_is_at_risk_from_its_age_at_entry_on(
    ended: list[list[int]], censored_s: list[int], p: float
) -> None:
    entered, ends = zip(*ended, strict=True)

    found = _estimate([*ends], [*censored_s], p, entered_s=[*entered])

    pairs = [(entered_s, end_s) for entered_s, end_s in ended]
    value_s, at_least = _naive_delayed_entry(pairs, censored_s, p)
    assert found.at_least == at_least
    assert _is_in_the_bucket_of(found.value_s, value_s)


def test_a_workflow_that_ends_in_the_bucket_of_its_entry_is_at_risk_when_it_ends() -> None:
    """Entered at 1 s, ended 1 ms later, beside one of 2 s: the curve falls to a half, not to 0."""
    assert _is_in_the_bucket_of(_estimate([1.001, 2.0], [], 0.5, [1.0, 0.0]).value_s, 1.001)
    assert _is_in_the_bucket_of(_estimate([1.001, 2.0], [], 0.6, [1.0, 0.0]).value_s, 2.0)


@pytest.mark.parametrize("seed", range(3))
def test_dense_times_give_the_exact_product_limit_percentile_within_a_bucket(seed: int) -> None:
    """3000 exponential times, a fifth censored, a fifth entered at a random age."""
    rng = np.random.default_rng(seed)
    lasted = rng.exponential(1.0, 3000)
    entered = np.where(rng.random(3000) < 0.2, rng.exponential(0.5, 3000), 0.0)
    observed = lasted > entered
    lasted, entered = lasted[observed], entered[observed]
    is_censored = (rng.random(len(lasted)) < 0.2) & (entered == 0.0)
    ended, ages = lasted[~is_censored], entered[~is_censored]
    for p in (0.5, 0.9, 0.99):
        found = _estimate(ended.tolist(), lasted[is_censored].tolist(), p, ages.tolist())

        at_ages = np.sort(ended)
        at_risk = (
            (ended >= at_ages[:, None]).sum(axis=1)
            - (ages >= at_ages[:, None]).sum(axis=1)
            + (lasted[is_censored] >= at_ages[:, None]).sum(axis=1)
        )
        surviving = np.cumprod(1 - 1 / at_risk)
        exact_s = at_ages[np.flatnonzero(surviving <= 1 - p + 1e-9)[0]]
        assert found.value_s == pytest.approx(exact_s, rel=0.006)


def test_an_entry_younger_than_any_end_is_at_risk_from_the_first_end_on() -> None:
    """Three under observation from their start, one from the age of 10 ns on: at 100 ns four."""
    histogram = Histogram("service_time")
    histogram.add(np.array([100, 200, 300, 400]))
    histogram.add_delayed_entries(np.array([10]), np.array([400]))

    curve = histogram.curve()

    assert curve is not None
    assert (curve.at_risk[0], curve.at_risk[-1]) == (4, 1)
    ends = np.flatnonzero(curve.ended)
    assert np.round(curve.longer[ends], 9).tolist() == [0.75, 0.5, 0.25, 0.0]
