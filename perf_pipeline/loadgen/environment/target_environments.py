"""The environments of all targets of a run: its own, and those of its arms."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.target_spec import parse_target
from perf_pipeline.loadgen.environment.environment import (
    TargetEnvironment,
    find_uv,
    make_environment,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan


def environments_of(
    scenario: Scenario, plans: Sequence[LevelPlan], cache_dir: Path, environ: Mapping[str, str]
) -> dict[str, TargetEnvironment]:
    """Find or make the environment of every target that the levels and arms use.

    Args:
        scenario: Its interpreter is that of its own target; arms have one that is made.
        plans: Every level.
        cache_dir: Where environments are kept.
        environ: Environment of this process.

    Returns:
        Target's text to its environment.

    Raises:
        PerfPipelineError: One cannot be had.
    """
    uv = find_uv(environ)
    given = Path(scenario.interpreter) if scenario.interpreter else None
    return {
        target: make_environment(
            parse_target(target),
            cache_dir=cache_dir,
            environ=environ,
            uv=uv,
            interpreter=given if target == scenario.target else None,
        )
        for target in dict.fromkeys(plan.target for plan in plans)
    }
