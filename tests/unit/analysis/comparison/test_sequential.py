"""The stopping rule looks at the widths of intervals, and at nothing else."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perf_pipeline.analysis.comparison.paired import paired_effect
from perf_pipeline.analysis.comparison.sequential import (
    DECIDING_ALPHA,
    MIN_PAIRS,
    NARROW_PAIRS,
    PairedValues,
    is_narrow,
)

NOISE = np.random.default_rng(3).standard_normal((2, 40))


def values(pairs: int, spread: float = 0.02, effect: float = 0.0) -> PairedValues:
    first, second = spread * NOISE[:, :pairs]
    return PairedValues(tuple(first), tuple(second + effect))


def test_the_deciding_metrics_claim_an_error_of_one_percent_each() -> None:
    assert pytest.approx(0.01) == DECIDING_ALPHA


@pytest.mark.parametrize("effect", [-0.4, 0.05, 3.0])
def test_no_effect_ends_a_comparison_sooner_or_later_than_another(effect: float) -> None:
    """Adding a constant to one arm changes no decision: the rule is blind."""
    decisions = [is_narrow([values(pairs)], 0.015) for pairs in range(1, 41)]
    assert 1 < sum(decisions) < 39
    moved = [is_narrow([values(pairs, effect=effect)], 0.015) for pairs in range(1, 41)]
    assert moved == decisions


def test_fewer_than_six_pairs_end_nothing_however_equal_they_are() -> None:
    equal = PairedValues((0.0,) * MIN_PAIRS, (0.0,) * MIN_PAIRS)
    assert is_narrow([equal], 0.02)
    one_less = PairedValues(equal.baseline[:-1], equal.candidate[:-1])
    assert not is_narrow([one_less], 0.02)


def test_a_single_narrow_interval_ends_nothing() -> None:
    """A variance that is small by chance grows again; three in a row are asked for."""
    widths = [values(pairs).half_width() for pairs in range(2, 41)]
    for pairs in range(MIN_PAIRS, 41):
        last = widths[pairs - 1 - NARROW_PAIRS : pairs - 1]
        asked = math.expm1(max(last))
        assert is_narrow([values(pairs)], asked * 1.0001)
        assert not is_narrow([values(pairs)], asked * 0.9999)


def test_every_deciding_metric_must_be_narrow_and_none_decides_nothing() -> None:
    narrow, wide = values(20, 0.001), values(20, 0.2)
    assert is_narrow([narrow, narrow], 0.02)
    assert not is_narrow([narrow, wide], 0.02)
    assert not is_narrow([], 0.02)


def test_stopping_is_paid_for_with_a_wider_interval() -> None:
    """An interval that claims to miss in 1 % is made to miss in 0.7 % of fixed numbers of pairs."""
    one = values(10)
    plain = paired_effect(one.baseline, one.candidate)
    assert one.half_width(0.01) == plain.half_width(0.007)
