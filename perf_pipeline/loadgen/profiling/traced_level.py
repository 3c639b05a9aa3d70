"""Plans and plays an extra level whose allocations are traced; its role is ``allocations``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import WorkerLimits
from perf_pipeline.errors import PerfPipelineError, RunFolderError
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.profiling.extra_level import extra_plan, play_until
from perf_pipeline.loadgen.supervise.started_worker import WorkerFiles
from perf_pipeline.samples.allocations.allocation_trace import read_allocation_trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.samples.allocations.allocation_trace import AllocationTrace
    from perf_pipeline.targets.target import Job
    from perf_pipeline.worker.tracing.trace_job import TraceJob

ROLE = "allocations"
MAX_IN_FLIGHT = 10
"""Growth per workflow does not depend on how many are in flight; a pause waits for all of them."""


class TracingError(PerfPipelineError):
    """The level wrote no trace; the text says why."""


def traced_plan(scenario: Scenario, trace: TraceJob, left_out: tuple[str, ...] = ()) -> LevelPlan:
    """Plan a closed level of one worker process; it ends when its trace is complete.

    Nobody thinks, and nothing arrives on a schedule, fails or is limited: what workflows retain is
    looked at, and tracing takes memory of its own.

    Args:
        scenario: What is played.
        trace: How much of it.
        left_out: Unavailable servers, to which workflows do not write.
    """
    plan = extra_plan(
        replace(scenario, limits=WorkerLimits()),
        in_flight=min(MAX_IN_FLIGHT, _max_concurrency(scenario)),
        ramp_up_s=0.0,
        warm_up_s=0.0,
        steady_s=trace.limit_s,
        left_out=left_out,
    )
    return replace(plan, label=ROLE, role=ROLE, trace=trace)


def play_traced(
    plan: LevelPlan,
    *,
    folder: Path,
    python: Path,
    job: Job,
    user_code: UserCode = NO_USER_CODE,
) -> AllocationTrace:
    """Play a level and return the trace of its worker process, as far as it came.

    Args:
        plan: Of ``traced_plan``.
        folder: Its folder, empty; nothing in it is needed afterwards.
        python: The target's interpreter.
        job: What the target executes.
        user_code: Working folder, modules and variables of the user's.

    Raises:
        TracingError: The worker process ended before its first interval did.
    """
    file = WorkerFiles.of(folder, 0).trace

    def is_enough(_log: LevelLog, _pids: Sequence[int]) -> bool:
        return file.exists() and read_allocation_trace(file).is_ended

    log = play_until(is_enough, plan, folder=folder, python=python, job=job, user_code=user_code)
    try:
        trace = read_allocation_trace(file)
    except RunFolderError as error:
        raise TracingError(_why_none(log, plan)) from error
    if trace.is_ended:
        return trace
    return replace(trace, problem=_why_none(log, plan))


def _max_concurrency(scenario: Scenario) -> int:
    """Return the most workflows in flight of any level of a scenario."""
    return max(
        *scenario.concurrency,
        *(level.concurrency for level in scenario.levels),
        *(arrivals.slots for arrivals in scenario.arrivals),
        *(stage.concurrency for stage in scenario.stages),
        scenario.endurance.slots if scenario.endurance else 1,
        1,
    )


def _why_none(log: LevelLog, plan: LevelPlan) -> str:
    """Say why a trace is not complete."""
    reasons = [str(one["reason"]) for one in log.workers if one["reason"] != "done"]
    if reasons:
        return f"the worker process of the traced level ended: {'; '.join(reasons)}"
    return (
        f"the traced level was not complete after {plan.phases.steady_s:.0f} s: allow it more "
        "time, or fewer workflows"
    )
