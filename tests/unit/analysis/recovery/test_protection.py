"""Protections that are on in one level and off in another, under the same failure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.recovery.protection import protection_effects
from perf_pipeline.metrics.types.fault.recovery import Estimate, Harm
from perf_pipeline.selftest.recovery.failing_service import Failure
from perf_pipeline.selftest.recovery.truths import recovery_of
from tests.planted_recovery import fault, invalid, open_arm, recovery

if TYPE_CHECKING:
    from perf_pipeline.metrics.types.fault.protection import ProtectionEffect
    from perf_pipeline.metrics.types.fault.recovery import LevelRecovery
    from perf_pipeline.metrics.types.level import LevelMetrics

FEWER_FAILED = {"harm": Harm(217, 70, 2, {"slow": 70}, 4.1, 4.2)}
"""Nobody failed, and as many as 70 were late; by default 150 of 217 failed and 60 were late."""

LESS_LOST = {"lost_service_s": Estimate(1.4, 1.3, 1.5)}


def compared(
    level: LevelMetrics, off: LevelRecovery, on: LevelRecovery
) -> tuple[ProtectionEffect, ...]:
    """Compare two levels of the same load, with three retries in the second."""
    return protection_effects([open_arm(level, off), open_arm(level, on, retries=3)])


def test_arms_that_agree_are_no_effect_and_not_protected(valid_level: LevelMetrics) -> None:
    """150 of 215 in 4.35 s failed in both; a difference counts from a quarter of that on."""
    (found,) = compared(valid_level, recovery(fault()), recovery(fault()))

    assert found.verdict == "no_effect"
    assert found.switched == {"retries": 3}
    assert found.failed_s is not None
    assert found.failed_s.off == found.failed_s.on == pytest.approx(4.35 * 150 / 215)
    assert found.failed_s.matters == pytest.approx(found.failed_s.off / 4)
    assert abs(found.failed_s.difference.low) == pytest.approx(found.failed_s.difference.high)


@pytest.mark.parametrize(
    ("off", "on", "verdict"),
    [
        ({}, FEWER_FAILED | LESS_LOST, "protected"),
        ({}, FEWER_FAILED, "protected"),
        (FEWER_FAILED, {}, "worse"),
        (LESS_LOST, FEWER_FAILED, "mixed"),
        ({}, {"lost_service_s": Estimate(4.3, 1.0, 7.6)}, "unclear"),
    ],
)
def test_less_of_one_figure_protects_unless_there_is_more_of_the_other(
    valid_level: LevelMetrics, off: dict[str, object], on: dict[str, object], verdict: str
) -> None:
    (found,) = compared(valid_level, recovery(fault(**off)), recovery(fault(**on)))
    assert found.verdict == verdict


def test_three_failures_in_twenty_workflows_prove_nothing(valid_level: LevelMetrics) -> None:
    """Three of 20 and none of 20 are the same service about one time in ten."""
    few = {"lost_service_s": Estimate(0.06, 0.0, 0.2)}
    three = fault(harm=Harm(20, 3, 0, {"connection": 3}, 0.1, 0.1), **few)
    none = fault(harm=Harm(20, 0, 0, {}, 0.1, 0.1), **few)
    (found,) = compared(valid_level, recovery(three), recovery(none))
    assert found.verdict == "unclear"


def test_a_failure_that_lasted_a_second_longer_is_no_effect_of_a_protection(
    valid_level: LevelMetrics,
) -> None:
    """As after the restart of a server that took longer: the target had nothing to do with it."""
    longer = replace(fault().moments, gone_s=24.15)
    lasted = fault(moments=longer, lost_service_s=Estimate(5.31, 5.2, 5.4))
    (found,) = compared(valid_level, recovery(fault()), recovery(lasted))
    assert found.lost_service_s is not None
    assert found.lost_service_s.verdict == "unclear"


def test_an_invalid_failure_says_nothing_of_a_protection(valid_level: LevelMetrics) -> None:
    (found,) = compared(valid_level, recovery(fault()), recovery(invalid()))
    assert found.verdict == "no_data"
    assert found.failed_s is None
    assert "postgres is not ours" in found.why


def test_the_level_without_is_the_one_in_which_fewer_settings_are_on(
    valid_level: LevelMetrics,
) -> None:
    arms = [
        open_arm(valid_level, recovery(fault()), label=label, retries=retries)
        for label, retries in (("three", 3), ("none", 0), ("one", 1))
    ]
    found = protection_effects(arms)
    assert [(one.off, one.on) for one in found] == [("none", "three"), ("none", "one")]


def test_other_loads_other_failures_and_closed_loops_are_not_compared(
    valid_level: LevelMetrics,
) -> None:
    off, on = open_arm(valid_level, recovery(fault())), recovery(fault())
    assert on.baseline is not None
    others = [
        open_arm(valid_level, recovery(fault(duration_s=4.0)), retries=3),
        open_arm(valid_level, recovery(fault(), fault(kind="server_crash")), retries=3),
        open_arm(valid_level, recovery(fault(), is_control=True), retries=3),
        replace(open_arm(valid_level, on, retries=3), repeat=1),
        replace(open_arm(valid_level, on, retries=3), open_load=None, loop="closed"),
        open_arm(valid_level, on),
    ]
    assert off.open_load is not None
    faster = replace(off.open_load, offered="90/s")
    others.append(replace(open_arm(valid_level, on, retries=3), open_load=faster))
    for other in others:
        assert protection_effects([off, other]) == ()


def test_the_same_service_twice_is_never_protected_and_never_worse(
    valid_level: LevelMetrics,
) -> None:
    """Everything fails for 3 s of Poisson arrivals at 50/s, twelve times."""
    found = [recovery_of(Failure(length_s=3.0), seed)[0] for seed in range(12)]
    verdicts = [
        one.verdict
        for off, on in zip(found[::2], found[1::2], strict=True)
        for one in compared(valid_level, off, on)
    ]
    assert verdicts == ["no_effect"] * 6


@pytest.mark.parametrize("seed", range(3))
def test_a_service_that_is_back_two_seconds_sooner_is_protected(
    valid_level: LevelMetrics, seed: int
) -> None:
    lagging = recovery_of(Failure(length_s=3.0, lag_s=2.0), seed)[0]
    at_once = recovery_of(Failure(length_s=3.0), 100 + seed)[0]
    (found,) = compared(valid_level, lagging, at_once)
    assert found.verdict == "protected"
    (found,) = compared(valid_level, at_once, lagging)
    assert found.verdict == "worse"


def test_a_protection_that_is_on_by_default_is_the_one_that_is_judged(
    valid_level: LevelMetrics,
) -> None:
    without = open_arm(valid_level, recovery(fault()), label="without", pool_pre_ping=False)
    usual = open_arm(
        valid_level, recovery(fault(**FEWER_FAILED)), label="usual", pool_pre_ping=True
    )
    (found,) = protection_effects([usual, without])
    assert (found.off, found.on, found.verdict) == ("without", "usual", "protected")
    assert found.switched == {"pool_pre_ping": True}


def test_what_acts_only_beside_another_setting_is_compared_with_that_setting_alone(
    valid_level: LevelMetrics,
) -> None:
    """As the retries of a runtime that acts on them in workflows with branches alone."""
    found = protection_effects(
        [
            open_arm(valid_level, recovery(fault()), label="plain", branching=False, retries=0),
            open_arm(valid_level, recovery(fault()), label="retries", branching=False, retries=3),
            open_arm(valid_level, recovery(fault()), label="branches", branching=True, retries=0),
            open_arm(
                valid_level,
                recovery(fault(**FEWER_FAILED)),
                label="both",
                branching=True,
                retries=3,
            ),
        ]
    )
    assert [(one.on, one.off, one.switched, one.verdict) for one in found] == [
        ("retries", "plain", {"retries": 3}, "no_effect"),
        ("branches", "plain", {"branching": True}, "no_effect"),
        ("both", "retries", {"branching": True}, "protected"),
        ("both", "branches", {"retries": 3}, "protected"),
    ]
