from __future__ import annotations

import math

import pytest

from perf_pipeline.selftest.loads.engine_ratio import Compared, Played, ratios
from perf_pipeline.selftest.loads.taking_turns import Turn

NINE_TENTHS = (900, 1000)


def compared(instances: int) -> Compared:
    return Compared("lean", 100, ("closed",), 1.5, 2, 3, instances, 0.85, 0.98, by_clock=True)


def instance(factor: float, nodes: tuple[int, int] = NINE_TENTHS) -> Played:
    """Three turns of 1 s and 2 CPU seconds a side; the engine has its nodes times ``factor``."""
    ours, bare = nodes
    engine = [Turn(1.0, 2.0, round(factor * ours)) for _ in range(3)]
    return engine, [Turn(1.0, 2.0, bare) for _ in range(3)]


def test_the_interval_is_that_over_instances_not_over_their_turns() -> None:
    """Turns within an instance are equal; the instances are 0.8, 0.9 and 1.0 of the bare loop."""
    played = [instance(factor) for factor in (8 / 9, 1.0, 10 / 9)]
    ratio, lower, fair, upper, by_cpu = ratios(compared(3), played)
    logs = [math.log(share) for share in (0.8, 0.9, 1.0)]
    mean = sum(logs) / 3
    deviation = math.sqrt(sum((log - mean) ** 2 for log in logs) / 2)
    expected = 4.303 * deviation / math.sqrt(3)  # Student's t, 2 degrees of freedom
    assert ratio.value == pytest.approx(math.exp(mean), abs=1e-6)
    assert lower.value == pytest.approx(math.exp(mean - expected), rel=1e-3)
    assert upper.value == pytest.approx(math.exp(mean + expected), rel=1e-3)
    assert not lower.passed, "an interval that begins at 0.68 does not prove 0.85"
    assert upper.passed
    assert fair.passed
    assert by_cpu.value == pytest.approx(math.exp(mean), abs=1e-6)


def test_with_one_instance_the_interval_is_that_over_pairs_of_turns() -> None:
    (ours, bare) = instance(1.0)
    slower = [Turn(1.0, 2.0, nodes) for nodes in (890, 900, 910)]
    _, lower, fair, upper, _ = ratios(compared(1), [(slower, bare)])
    assert lower.value is not None
    assert 0.85 < lower.value < 0.9
    assert lower.passed
    assert fair.passed
    assert not upper.passed, "a tenth less is not 0.98"
    assert ratios(compared(1), [(ours, bare)])[0].value == pytest.approx(0.9)


def test_an_engine_that_is_faster_than_the_bare_loop_is_compared_unfairly() -> None:
    _, lower, fair, upper, _ = ratios(compared(3), [instance(x) for x in (1.29, 1.3, 1.31)])
    assert lower.passed
    assert upper.passed
    assert not fair.passed


def test_a_load_that_stood_still_gives_no_ratio() -> None:
    played = [instance(1.0), instance(1.0, (0, 1000))]
    assert [figure.value for figure in ratios(compared(2), played)] == [None, None]
