"""A phase ends by its time and its workflows, and lasts as long as was estimated."""

from __future__ import annotations

import pytest

from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.loadgen.plan.phase_rules import PhaseRule, closed_phases, timed_phases


@pytest.mark.parametrize(
    ("elapsed_s", "ended", "is_over"),
    [(9.9, 500, False), (10.0, 300, True), (10.0, 299, False), (60.0, 0, True)],
)
def test_a_phase_ends_when_time_and_workflows_have_passed_and_at_its_maximum_at_the_latest(
    elapsed_s: float, ended: int, *, is_over: bool
) -> None:
    """At least 10 s and 300 workflows, 60 s at most."""
    assert PhaseRule("steady", 10.0, 60.0, 300).is_over(elapsed_s, ended) is is_over


@pytest.mark.parametrize("rate_per_s", [0.5, 3.0, 5.0, 29.0, 31.0, 1000.0])
@pytest.mark.parametrize("max_workflows", [0, 90, 600])
def test_a_phase_lasts_as_long_as_was_estimated_from_its_rate(
    rate_per_s: float, max_workflows: int
) -> None:
    """Played in steps of 10 ms of a virtual clock, workflows ending at a constant rate."""
    rule = PhaseRule("steady", 10.0, 60.0, 300, max_workflows)
    step = 0
    while not rule.is_over(step / 100, int(rate_per_s * step / 100)):
        if max_workflows and int(rate_per_s * step / 100) >= max_workflows:
            break
        step += 1
    assert step / 100 == pytest.approx(rule.length_s(rate_per_s), abs=0.011)


@pytest.mark.parametrize(
    ("slots", "ramp_up_s"), [(1, 0.2), (100, 0.5), (500, 2.5), (1000, 5.0), (2000, 5.0)]
)
def test_a_ramp_that_is_not_given_goes_by_the_size_of_the_level(
    slots: int, ramp_up_s: float
) -> None:
    ramp, _, _ = closed_phases(Phases(), slots)
    assert (ramp.min_s, ramp.max_s) == (ramp_up_s, ramp_up_s)
    assert closed_phases(Phases(ramp_up_s=7.0), slots)[0].min_s == 7.0


def test_a_warm_up_may_end_early_after_its_shortest_time_and_one_turnover() -> None:
    """100 in flight; a steady phase never ends early."""
    _, warm_up, steady = closed_phases(Phases(), 100)
    assert not warm_up.may_be_over(0.9, 1000)
    assert not warm_up.may_be_over(4.0, 99)
    assert warm_up.may_be_over(1.0, 100)
    assert not steady.may_be_over(1000.0, 100_000)


def test_the_phases_of_a_share_last_their_given_times_and_an_open_level_has_no_ramp() -> None:
    phases = Phases(ramp_up_s=1.0, warm_up_s=2.0, steady_s=3.0)
    after = (("warm_up", 2.0), ("steady", 3.0))
    assert timed_phases(phases, ramps=True) == (("ramp_up", 1.0), *after)
    assert timed_phases(phases, ramps=False) == after
