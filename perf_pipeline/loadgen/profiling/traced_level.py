"""Plans and plays an extra level whose allocations are traced; its role is ``allocations``."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Stop, WorkerLimits
from perf_pipeline.config.think_time import ThinkTime
from perf_pipeline.errors import PerfPipelineError, RunFolderError
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.loadgen.supervise.worker_process import WorkerFiles
from perf_pipeline.samples.allocations.allocation_trace import read_allocation_trace
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
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
LOOK_EVERY_S = 0.1


class TracingError(PerfPipelineError):
    """The level wrote no trace; the text says why."""


class _EndedError(Exception):
    """The trace is complete, so the level ends."""


def traced_plan(scenario: Scenario, trace: TraceJob, left_out: tuple[str, ...] = ()) -> LevelPlan:
    """Plan a closed level of one worker process; it ends when its trace is complete.

    Nobody thinks, and nothing arrives on a schedule, fails or is limited: what workflows retain is
    looked at, and tracing takes memory of its own.

    Args:
        scenario: What is played.
        trace: How much of it.
        left_out: Unavailable servers, to which workflows do not write.
    """
    phases = replace(
        scenario.phases,
        ramp_up_s=0.0,
        warm_up_s=0.0,
        warm_up_min_s=0.0,
        steady_s=trace.limit_s,
        steady_max_s=trace.limit_s,
        steady_workflows=0,
        total_workflows=0,
    )
    only = replace(
        scenario,
        concurrency=(min(MAX_IN_FLIGHT, _most_in_flight(scenario)),),
        level_names=(),
        levels=(),
        arrivals=(),
        stages=(),
        arms=(),
        endurance=None,
        repeats=1,
        phases=phases,
        limits=WorkerLimits(),
        slos=(),
        faults=(),
        stop=Stop(),
        think_time=ThinkTime(),
    )
    plan = plan_levels(only, processes=1, left_out=left_out)[0]
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
    logs: list[LevelLog] = []

    def write_log(log: LevelLog) -> None:
        write_json(folder / "level.json", asdict(log))
        logs[:] = [log]

    def end_when_complete(_now_ns: int, _pids: list[int]) -> None:
        if file.exists() and read_allocation_trace(file).is_ended:
            raise _EndedError

    with suppress(_EndedError):
        LevelSupervisor(
            plan,
            folder=folder,
            python=python,
            job=job,
            user_code=user_code,
            on_second=end_when_complete,
            on_progress=lambda _progress: None,
            write_log=write_log,
            sample_every_s=LOOK_EVERY_S,
        ).run()
    try:
        trace = read_allocation_trace(file)
    except RunFolderError as error:
        raise TracingError(_why_none(logs[-1], plan)) from error
    if trace.is_ended:
        return trace
    return replace(trace, problem=_why_none(logs[-1], plan))


def _most_in_flight(scenario: Scenario) -> int:
    """Return the most workflows in flight of any level of a scenario."""
    return max(
        *scenario.concurrency,
        *(level.concurrency for level in scenario.levels),
        *(arrivals.slots for arrivals in scenario.arrivals),
        *(stage.concurrency for stage in scenario.stages),
        1,
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
