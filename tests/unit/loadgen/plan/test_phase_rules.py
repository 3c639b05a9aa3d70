"""A phase ends by its time and its workflows, and lasts as long as was estimated."""

from __future__ import annotations

import pytest

from perf_pipeline.loadgen.plan.phase_rules import PhaseRule


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
