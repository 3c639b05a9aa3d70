"""The interval of pairs is Student's, with as many degrees of freedom as the pairs are worth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from perf_pipeline.analysis.comparison.paired import RESOLUTION, paired_effect

RNG = np.random.default_rng(5)
SHARED = 0.05 * RNG.standard_normal(12)
OWN = 0.005 * RNG.standard_normal((2, 12))
BASELINE, CANDIDATE = (SHARED + OWN[0]).tolist(), (SHARED + OWN[1] + 0.03).tolist()


def test_pairs_that_share_most_are_a_paired_t_test() -> None:
    found = paired_effect(BASELINE, CANDIDATE)

    test = stats.ttest_rel(CANDIDATE, BASELINE)
    expected = test.confidence_interval(0.99)
    half = found.half_width(0.01)
    assert (found.centre - half, found.centre + half) == pytest.approx(tuple(expected))
    assert found.degrees == 11


def test_pairs_that_share_nothing_are_two_samples_with_twice_the_degrees_of_freedom() -> None:
    """Of two uncorrelated samples the pooled variance of both is that of differences and sums."""
    first, second = OWN.tolist()
    found = paired_effect(first, second)

    pooled = (np.var(first, ddof=1) + np.var(second, ddof=1)) / 12
    assert found.error == pytest.approx(math.sqrt(pooled))
    assert found.degrees == 22


def test_what_a_pair_shares_does_not_widen_its_interval() -> None:
    narrow = paired_effect(BASELINE, CANDIDATE).half_width(0.01)
    unpaired = paired_effect(BASELINE, CANDIDATE[1:] + CANDIDATE[:1]).half_width(0.01)
    assert unpaired > 4 * narrow


def test_values_that_are_equal_to_the_last_digit_are_not_known_without_error() -> None:
    found = paired_effect([1.0] * 6, [1.0] * 6)
    assert (found.centre, found.error) == (0.0, pytest.approx(RESOLUTION * math.sqrt(2 / 6)))


def test_one_pair_shows_no_spread() -> None:
    with pytest.raises(ValueError, match="1 pairs; a spread needs 2"):
        paired_effect([1.0], [1.1])
