"""Signals whose truth is known: how often is the leak verdict wrong?

The shapes are those that the verdict was tuned on; ``perf-pipeline selftest leaks`` judges others.
"""

from __future__ import annotations

import time
from collections import Counter

import numpy as np
import pytest

from perf_pipeline.analysis.endurance.leak import judge_leak
from perf_pipeline.analysis.endurance.signal_series import SignalSeries
from tests.leak_shapes import PLAIN, SHAPES, signal

SAMPLES = 2880
REPEATS = 2
SECONDS = tuple((30.0 * np.arange(SAMPLES)).tolist())


def words(shapes: tuple[str, ...], growth: float) -> Counter[str]:
    found: Counter[str] = Counter()
    for shape in shapes:
        for repeat in range(REPEATS):
            rng = np.random.default_rng([3, SHAPES.index(shape), repeat])
            values = signal(rng, shape, growth, SAMPLES)
            found[judge_leak(SignalSeries(shape, SECONDS, tuple(values.tolist()))).verdict] += 1
    return found


def test_no_healthy_signal_is_called_a_leak() -> None:
    found = words(SHAPES, 0.0)
    assert found["leak"] == 0
    assert found["clean"] > 0.5 * found.total()


def test_a_leak_of_5_percent_is_hardly_missed_and_never_called_clean() -> None:
    found = words(PLAIN, 0.05)
    assert found["clean"] == 0
    assert found["leak"] >= 0.8 * found.total()


def test_the_smallest_visible_leak_is_seen_more_often_than_not() -> None:
    """It is defined as that which is seen four times in five; here of quiet noise."""
    seen = 0
    for repeat in range(10):
        rng = np.random.default_rng([8, repeat])
        values = signal(rng, "noise 0.9", 0.0, SAMPLES)
        healthy = judge_leak(SignalSeries("x", SECONDS, tuple(values.tolist())))
        assert healthy.smallest_visible is not None
        leak = healthy.smallest_visible * np.arange(SAMPLES) / 120.0
        seen += judge_leak(SignalSeries("x", SECONDS, tuple(values + leak))).verdict == "leak"
    assert seen >= 6


@pytest.mark.parametrize("samples", [17_280])
def test_a_day_sampled_every_five_seconds_is_judged_in_a_moment(samples: int) -> None:
    """Some 0.1 s of processor time where the machine is idle; the bound is ample."""
    values = signal(np.random.default_rng(1), "sawtooth", 0.02, samples)
    series = SignalSeries("x", tuple((5.0 * np.arange(samples)).tolist()), tuple(values.tolist()))
    judge_leak(series)
    started_s = time.process_time()
    judge_leak(series)
    assert time.process_time() - started_s < 1.5
