"""Plans and plays an extra level in which stacks are sampled; its role is ``explain``."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.profiling.extra_level import extra_plan, play_until
from perf_pipeline.loadgen.profiling.py_spy import SamplingError
from perf_pipeline.loadgen.profiling.window_sampler import PAIR_MAX_S, WindowSampler
from perf_pipeline.loadgen.supervise.started_worker import WorkerFiles
from perf_pipeline.samples.ended_because import STOPPED_BY_US

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.profiling.py_spy import PySpy
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.samples.stacks.window import WindowPair
    from perf_pipeline.targets.target import Job

ROLE = "explain"
MAX_THREADS_IN_FLIGHT = 16
"""Where a workflow in flight is a thread: py-spy stops every thread for each sample."""
WARM_UP_S = 2.0


def sampled_in_flight(asked: int, mode: str) -> int:
    """Return how many workflows are in flight when a level of ``asked`` is sampled."""
    return min(asked, MAX_THREADS_IN_FLIGHT) if mode == "threads" else asked


def sampled_plan(
    scenario: Scenario,
    *,
    index: int,
    label: str,
    in_flight: int,
    pairs: int,
    left_out: tuple[str, ...] = (),
) -> LevelPlan:
    """Plan a closed level of one worker process; it ends when all windows are taken.

    Nobody thinks and nothing arrives on a schedule: CPU time is what is looked at.

    Args:
        scenario: What the side plays.
        index: Number of the level among all sampled ones.
        label: Name for its folder.
        in_flight: Workflows in flight.
        pairs: Pairs of windows to take.
        left_out: Unavailable servers, to which workflows do not write.
    """
    warm_up_s = min(WARM_UP_S, scenario.phases.warm_up_s)
    plan = extra_plan(
        scenario,
        in_flight=in_flight,
        ramp_up_s=0.1,
        warm_up_s=warm_up_s,
        steady_s=pairs * PAIR_MAX_S,
        left_out=left_out,
    )
    return replace(plan, index=index, label=label, role=ROLE)


def play_sampled(
    plan: LevelPlan,
    *,
    folder: Path,
    python: Path,
    job: Job,
    spy: PySpy,
    pairs: int,
    user_code: UserCode = NO_USER_CODE,
    first: int = 0,
) -> list[WindowPair]:
    """Play a level and sample its worker process in the steady phase.

    Args:
        plan: Of ``sampled_plan``.
        folder: Its folder, empty; nothing in it is needed afterwards.
        python: The target's interpreter.
        job: What the target executes.
        spy: Samples.
        pairs: How many pairs of windows to take.
        user_code: Working folder, modules and variables of the user's.
        first: Pairs that were taken of this side before.

    Returns:
        The pairs of windows, fewer where the level ended early.

    Raises:
        SamplingError: There is none; the text says why.
    """
    slots = WorkerFiles.of(folder, 0).slots
    sampler = WindowSampler(spy, slots, folder, wanted=pairs, first=first)

    def is_enough(log: LevelLog, pids: Sequence[int]) -> bool:
        if pids and "steady" in log.phases_ns:
            sampler.begin(pids[0])
        return sampler.has_ended

    try:
        log = play_until(
            is_enough, plan, folder=folder, python=python, job=job, user_code=user_code
        )
    finally:
        sampler.end()
    if not sampler.pairs:
        raise SamplingError(_why_none(log, sampler))
    return sampler.pairs


def _why_none(log: LevelLog, sampler: WindowSampler) -> str:
    """Say why a level has no pair of windows."""
    reasons = [str(one["reason"]) for one in log.workers if one["reason"] != "done"]
    early = [reason for reason in reasons if not reason.startswith(STOPPED_BY_US)]
    if early:
        return f"the worker process of the sampled level ended: {'; '.join(early)}"
    return str(sampler.problem or "no pair of windows fitted into the sampled level")
