"""A finished run as the side of a comparison that can be played again."""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import ConnectionPools, Scenario
from perf_pipeline.explaining.code_of_run import NotPlayedAgainError, code_of_run
from perf_pipeline.explaining.explain import ExplainedSide
from perf_pipeline.loadgen.environment.target_environments import made_and_tried

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.manifest import TargetRecord


@contextmanager
def side_of_run(
    name: str,
    run: RunMetrics,
    level: LevelMetrics,
    settings: Settings,
    notify: Callable[[str], None],
) -> Iterator[ExplainedSide]:
    """Prepare to play a level of a finished run again, in the same environment.

    Args:
        name: As the comparison calls the side.
        run: The metrics of the run.
        level: The level that is explained.
        settings: Where environments are cached.
        notify: Called with each line about a trial.

    Yields:
        The side, for the time in which its code is there.

    Raises:
        NotPlayedAgainError: The run executed a user's own functions whose code is not known any
            more, or its packages are not those that are installed now.
        PerfPipelineError: The environment cannot be made.
    """
    manifest = run.manifest
    if any(one.request is not None for one in manifest.workloads):
        raise NotPlayedAgainError(
            f"{name}: run {run.run_id} sent requests to a server, and what that does with its time "
            "shows only there: explain it with a profiler of the server"
        )
    with ExitStack() as stack:
        if any(one.is_function for one in manifest.workloads):
            own = stack.enter_context(code_of_run(name, manifest, settings))
        else:
            own = Scenario(manifest.scenario, missing_servers="leave_out")
        scenario = replace(
            own,
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
            settings=level.settings,
            limits=manifest.limits,
        )
        made = made_and_tried(
            scenario, [scenario.target], name=scenario.name, settings=settings, notify=notify
        )[scenario.target]
        _refuse_other_packages(name, run.run_id, manifest.target, made)
        yield ExplainedSide(name, scenario, made)


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
