"""The warm-up of a closed level ends when its series shows that throughput no longer changes."""

from __future__ import annotations

from math import exp
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.loadgen.supervise.warm_up_watch import WarmUpWatch

if TYPE_CHECKING:
    from collections.abc import Callable

TICK_S = 0.1
BOUND_S = 20.0


def end_s(ended_by: Callable[[float], float]) -> float:
    """Return when the watch calls the warm-up over; ``BOUND_S`` if it never does."""
    watch = WarmUpWatch()
    for tick in range(int(BOUND_S / TICK_S)):
        watch.add(tick * TICK_S, int(ended_by(tick * TICK_S)))
        if watch.is_over():
            return tick * TICK_S
    return BOUND_S


def test_a_constant_throughput_is_steady_after_the_shortest_time() -> None:
    """5000 a second, as 50 slots of 10 ms give."""
    assert end_s(lambda at_s: 5000 * at_s) == pytest.approx(1.0, abs=0.15)


def test_a_throughput_that_still_rises_is_no_steady_state() -> None:
    """Caches fill with a time constant of 2 s: 95 % of the final throughput after 6 s."""
    found_s = end_s(lambda at_s: 5000 * (at_s - 2.0 * (1 - exp(-at_s / 2.0))))
    assert 4.0 < found_s < 10.0


def test_a_step_is_outlived() -> None:
    """Half of the throughput for 0.8 s; the second that is judged must begin about there."""
    assert 1.6 < end_s(lambda at_s: 2500 * at_s + 2500 * max(0.0, at_s - 0.8)) <= 2.0


@pytest.mark.parametrize("rate_per_s", [0, 3])
def test_too_few_ends_show_nothing(rate_per_s: int) -> None:
    """Three workflows a second: the blocks of a few seconds have one each, or none."""
    assert end_s(lambda at_s: rate_per_s * at_s) > 5.0
