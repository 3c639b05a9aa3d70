"""Stopping on the width keeps the error rates that stopping on significance would raise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from perf_pipeline.analysis.comparison.paired import paired_effect
from perf_pipeline.analysis.comparison.sequential import (
    DECIDING_ALPHA,
    MIN_PAIRS,
    PAID,
    PairedValues,
    is_narrow,
)
from perf_pipeline.selftest import regression
from perf_pipeline.selftest.figure import Size

COMPARISONS, MAX_PAIRS, CV = 1_500, 40, 0.03


def excluded(values: PairedValues, pairs: int, alpha: float) -> bool:
    """Return whether the interval of the first pairs excludes no change."""
    found = paired_effect(values.baseline[:pairs], values.candidate[:pairs])
    return abs(found.centre) > found.half_width(alpha)


def equal_arms() -> list[PairedValues]:
    rng = np.random.default_rng(11)
    drawn = CV * rng.standard_normal((COMPARISONS, 2, MAX_PAIRS))
    return [PairedValues(tuple(a), tuple(b)) for a, b in drawn.tolist()]


def test_a_rule_that_waits_for_significance_calls_equal_arms_changed() -> None:
    """The naive rule: go on until the 99 % interval excludes no change, for at most 40 pairs."""
    naive = sum(
        any(excluded(one, pairs, 0.01) for pairs in range(MIN_PAIRS, MAX_PAIRS + 1))
        for one in equal_arms()
    )
    assert naive / COMPARISONS > 0.04


def test_a_rule_that_looks_at_the_width_does_not() -> None:
    """99 % intervals, ended when known to 2 %: at most 1 % excludes the truth on either side."""
    wrong, ended = 0, []
    for one in equal_arms():
        pairs = MIN_PAIRS
        while pairs < MAX_PAIRS and not is_narrow(
            [PairedValues(one.baseline[:pairs], one.candidate[:pairs])], 0.02
        ):
            pairs += 1
        ended.append(pairs)
        wrong += excluded(one, pairs, PAID * DECIDING_ALPHA)
    assert wrong / COMPARISONS <= 0.02
    assert MIN_PAIRS < float(np.mean(ended)) < MAX_PAIRS  # the rule ended most of them


def test_the_selftest_uses_the_verdicts_of_the_command_and_names_each_figure_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """60 comparisons a case: 10 % at a CV of 3 % is always seen, 0 hardly ever."""
    monkeypatch.setitem(regression.COMPARISONS, Size.CI, 60)
    figures = regression.run(Size.CI, 1)
    names = [figure.what for figure in figures]
    assert len(set(names)) == len(names)
    seen = [figure for figure in figures if "10 % worse, seen" in figure.what]
    assert len(seen) == 4
    assert all(figure.passed and figure.value == pytest.approx(100, abs=2) for figure in seen)
    false = [figure.value for figure in figures if "A/A" in figure.what]
    assert len(false) == 8
    assert max(value for value in false if value is not None) < 5
    assert math.isclose(regression.MAX_FALSE_PERCENT, 100 * DECIDING_ALPHA)
