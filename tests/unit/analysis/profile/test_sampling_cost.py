"""What sampling costs is measured against the window beside it."""

from __future__ import annotations

import pytest

from perf_pipeline.analysis.profile.sampling_cost import sampling_cost
from perf_pipeline.metrics.types.profile import SamplingCost
from perf_pipeline.samples.stacks.window import Window, WindowPair


def pair(rate: float, ratio: float, cpu_ratio: float = 1.0) -> WindowPair:
    """Return a pair in which sampling leaves ``ratio`` of the throughput."""
    sampled = int(2 * rate * ratio)
    return WindowPair(
        Window(2.0, sampled * 1e-3 * cpu_ratio, sampled, 0.0),
        Window(1.0, rate * 1e-3, int(rate), 0.0),
        {},
    )


def test_a_machine_that_slows_down_meanwhile_does_not_count_as_the_cost_of_sampling() -> None:
    """The throughput of later pairs is half of the earlier ones, with sampling and without."""
    cost = sampling_cost([pair(1000, 0.95), pair(800, 0.95), pair(500, 0.95)])
    assert cost.throughput_ratio == pytest.approx(0.95)
    assert cost.low == pytest.approx(0.95)
    assert cost.high == pytest.approx(0.95)


def test_the_interval_comes_from_how_pairs_differ() -> None:
    cost = sampling_cost([pair(1000, 0.9), pair(1000, 1.0), pair(1000, 0.95)])
    assert cost.low is not None
    assert cost.high is not None
    assert cost.low < 0.9
    assert cost.high > 1.0


def test_cpu_time_per_workflow_is_compared_as_well() -> None:
    assert sampling_cost([pair(1000, 0.9, cpu_ratio=1.04)]).cpu_ratio == pytest.approx(1.04)


def test_two_pairs_have_no_interval_and_none_has_no_cost() -> None:
    cost = sampling_cost([pair(1000, 0.9)] * 2)
    assert (cost.low, cost.high) == (None, None)
    assert sampling_cost([]) == SamplingCost(None, None, None, None)
