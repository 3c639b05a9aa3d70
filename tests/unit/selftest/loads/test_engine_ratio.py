from __future__ import annotations

import itertools
import math

import pytest

from perf_pipeline.selftest.loads.engine_ratio import Compared, Played, ratios
from perf_pipeline.selftest.loads.taking_turns import Turn

NINE_TENTHS = (900, 1000)


def compared(instances: int) -> Compared:
    return Compared(
        *("lean", 100, ("closed",), 1.5, 2, 3, instances, 0.85, 0.98),
        by_clock=True,
        workflow_nodes=5,
    )


def instance(factor: float, nodes: tuple[int, int] = NINE_TENTHS) -> Played:
    """Three turns of 1 s and 2 CPU seconds a side; the engine has its nodes times ``factor``."""
    ours, bare = nodes
    return turns(1.0, [round(factor * ours)] * 3), turns(1.0, [bare] * 3)


def turns(length_s: float, nodes: list[int], before: int = 0) -> list[Turn]:
    """Return turns one after the other, of two CPU seconds a second."""
    starts = itertools.accumulate(nodes, initial=before)
    return [
        Turn(length_s, 2 * length_s, count, start)
        for count, start in zip(nodes, starts, strict=False)
    ]


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
    slower = turns(1.0, [890, 900, 910])
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


def test_sides_that_are_not_equally_far_are_compared_over_the_same_work() -> None:
    """The first 1000 nodes take 1 ms each, later ones 2 ms, on both sides; ours is further."""
    ours = [*turns(0.5, [500], before=500), *turns(1.0, [500, 500], before=1000)]
    bare = [*turns(1.0, [1000]), *turns(1.0, [500], before=1000)]
    first, *_ = ratios(compared(2), [(ours, bare)] * 2)
    assert first.value == 1.0, "nodes 500 to 1500; all turns would give 0.8"


def test_the_rest_of_a_turnover_does_not_count() -> None:
    """Every second half of 500 nodes is dearer; of 1250 nodes in common 1000 are compared."""
    ours = turns(0.5, [250, 250, 250, 250, 250])
    bare = [*turns(0.25, [250]), *turns(0.75, [250], 250), *ours[2:4], *turns(9.0, [250], 1000)]
    first, *_ = ratios(compared(2), [(ours, bare)] * 2)
    assert first.value == 1.0


def test_sides_with_less_than_a_turnover_in_common_give_no_ratio() -> None:
    played = (turns(1.0, [500] * 2, before=501), turns(1.0, [500] * 2))
    assert ratios(compared(2), [played, played])[0].value is None
