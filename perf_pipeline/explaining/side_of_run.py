"""A finished run as the side of a comparison that can be played again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import ConnectionPools, Scenario
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.explaining.explain import ExplainedSide
from perf_pipeline.loadgen.environment.target_environments import made_and_tried

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.manifest import TargetRecord


class NotPlayedAgainError(PerfPipelineError):
    """A side cannot be played again as it was; the text says why."""


def side_of_run(
    name: str,
    run: RunMetrics,
    level: LevelMetrics,
    settings: Settings,
    notify: Callable[[str], None],
) -> ExplainedSide:
    """Return what plays a level of a finished run again, in the same environment.

    Args:
        name: As the comparison calls the side.
        run: The metrics of the run.
        level: The level that is explained.
        settings: Where environments are cached.
        notify: Called with each line about a trial.

    Raises:
        NotPlayedAgainError: The run executed a user's own functions, whose code may have changed
            since, or its packages are not those that are installed now.
        PerfPipelineError: The environment cannot be made.
    """
    manifest = run.manifest
    functions = sorted(one.name for one in manifest.workloads if one.is_function)
    if functions:
        raise NotPlayedAgainError(
            f"{name}: run {run.run_id} executed your own functions ({', '.join(functions)}), and "
            "only their names are stored. `perf-pipeline ab` measures two versions of them and "
            "explains the difference"
        )
    scenario = Scenario(
        manifest.scenario,
        seed=manifest.seed,
        target=level.target,
        nodes="lean" if level.nodes == "lean" else "code",
        workloads=manifest.workloads,
        phases=manifest.phases,
        connections=ConnectionPools(
            manifest.connections.max_db_connections,
            manifest.connections.connection_timeout_s,
            manifest.connections.transaction_think_time_s,
        ),
        missing_servers="leave_out",
        settings=level.settings,
        limits=manifest.limits,
    )
    made = made_and_tried(
        scenario, [scenario.target], name=scenario.name, settings=settings, notify=notify
    )[scenario.target]
    _refuse_other_packages(name, run.run_id, manifest.target, made)
    return ExplainedSide(name, scenario, made)


def _refuse_other_packages(
    name: str, run_id: str, then: TargetRecord, now: TargetEnvironment
) -> None:
    """Refuse an environment that is not the run's: it would explain another difference."""
    differing = [
        f"{package} {then.packages.get(package, 'missing')} then, "
        f"{now.packages.get(package, 'missing')} now"
        for package in sorted({*then.packages, *now.packages})
        if then.packages.get(package) != now.packages.get(package)
    ]
    if differing:
        shown = "; ".join(differing[:3]) + ("; …" if len(differing) > 3 else "")  # noqa: PLR2004
        raise NotPlayedAgainError(
            f"{name}: the packages beside {then.name} are not those of run {run_id} ({shown}). "
            "Name the target with its version, such as kailash==2.19.0, and measure again"
        )
