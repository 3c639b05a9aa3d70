"""Whether a release can execute a scenario at all: a load level of a moment, not stored."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.interleaved.question import scenario_of_arm
from perf_pipeline.report.text.escape import visible
from perf_pipeline.report.text.quantity import count
from perf_pipeline.run import Run

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.interleaved.arms import AbArm
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.metrics.types.level import LevelMetrics

SECONDS = 0.3
MAX_FAILED = 0.05
"""Share of workflows that may fail; more would make the comparison one of errors."""


def smoke_problem(
    scenario: Scenario,
    arm: AbArm,
    environment: TargetEnvironment,
    settings: Settings,
    *,
    notify: Callable[[str], None],
    wait_s: float,
) -> str:
    """Play a load level of a moment in a release; returns why it cannot execute it, or nothing.

    Args:
        scenario: What the comparisons play.
        arm: The release.
        environment: Its environment.
        settings: Where things are.
        notify: Called with each line to show.
        wait_s: How long to wait for another load run on this host.

    Raises:
        PerfPipelineError: A server is unavailable, or another load run did not end in that time.
    """
    played = scenario_of_arm(scenario, arm)
    phases = replace(
        played.phases, ramp_up_s=0.0, warm_up_s=0.0, warm_up_min_s=0.0, steady_s=SECONDS
    )
    with (
        tempfile.TemporaryDirectory(dir=settings.temp_dir, prefix="perf_pipeline-") as folder,
        Run(
            replace(played, phases=phases),
            replace(settings, results_dir=Path(folder)),
            notify=notify,
            environments={arm.target: environment},
            wait_s=wait_s,
        ) as run,
    ):
        level, *_ = measure(run.load()).levels
    return level_problem(level)


def level_problem(level: LevelMetrics) -> str:
    """Return why the workflows of a level are no basis of a comparison; empty if they are."""
    ended_ok = level.outcomes.get("ok", 0)
    failed = sum(level.outcomes.get(one, 0) for one in ("error", "timeout"))
    if ended_ok and failed <= MAX_FAILED * (ended_ok + failed):
        return ""
    texts = [text for examples in level.error_examples.values() for text in examples]
    why = visible(texts[0] if texts else "; ".join(level.reasons), length_max=240)
    return f"{count(failed)} of {count(ended_ok + failed)} workflows failed: {why}"
