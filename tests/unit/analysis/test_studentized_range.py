"""How often so wide a spread of a few values comes by chance, against the table and by drawing."""

from __future__ import annotations

import numpy as np
import pytest

from perf_pipeline.analysis.studentized_range import spread_by_chance


@pytest.mark.parametrize(("n", "percent_99"), [(2, 3.643), (3, 4.120), (5, 4.603), (10, 5.157)])
def test_the_spread_by_chance_is_the_studentized_range(n: int, percent_99: float) -> None:
    """Table of the studentized range, infinite degrees of freedom, 1 %."""
    assert spread_by_chance(percent_99, 2 * 1.959964, n) == pytest.approx(0.01, abs=1e-4)


@pytest.mark.parametrize("n", [2, 3, 10])
def test_repeats_that_differ_by_what_one_explains_are_called_different_once_in_a_hundred(
    n: int,
) -> None:
    """2000 runs of normal values, each with the right interval.

    The naive rule, a spread wider than the interval, is wrong in 0.6 % of the runs with two
    repeats and in 15 % with ten.
    """
    rng = np.random.default_rng(7)
    values = rng.normal(100.0, 1.0, (2000, n))
    spreads = values.max(axis=1) - values.min(axis=1)
    called = np.mean([spread_by_chance(s, 2 * 1.959964, n) < 0.01 for s in spreads])
    naive = np.mean(spreads > 2 * 1.959964)

    assert called <= 0.016
    assert naive > 0.1 if n == 10 else naive < 0.03
