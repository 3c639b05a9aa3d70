"""What a run was stopped for, and what it did not run."""

from __future__ import annotations

import pytest

from perf_pipeline.config.scenario.scenario import Arm, Scenario
from perf_pipeline.loadgen.course import stopped_at
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_log import LevelLog
from perf_pipeline.samples.ended_because import EndedBecause
from perf_pipeline.samples.manifest import Stopped

PLANS = plan_levels(
    Scenario(
        "stress",
        target="control",
        concurrency=(500, 1000, 1500),
        level_names=("calm", "busy"),
        arms=(Arm("lean", "control", "lean", 100, 2.0),),
    ),
    2,
)


def _log(because: str) -> LevelLog:
    return LevelLog(plan={}, started_at="", ended_because=EndedBecause(because), ended_detail="why")


@pytest.mark.parametrize("because", ["mostly_failing", "host_floor"])
def test_an_early_end_names_the_levels_and_arms_after_it(because: str) -> None:
    stopped = stopped_at(PLANS[1], _log(because), PLANS)

    assert stopped == Stopped("1000 (busy)", because, "why", ("1500", "lean"))
    assert stopped.summary == "level 1000 (busy) was ended: why; not run: 1500, lean"


@pytest.mark.parametrize(
    "because", ["complete", "steady_max", "total_workflows", "worker lost", "start failed"]
)
def test_any_other_end_lets_the_run_go_on(because: str) -> None:
    assert stopped_at(PLANS[1], _log(because), PLANS) is None
