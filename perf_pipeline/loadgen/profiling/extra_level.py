"""An extra level of one worker process, which is looked at from a side and counts in no verdict."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Stop
from perf_pipeline.config.think_time import ThinkTime
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.samples.run_folder import write_json

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.environment.user_code import UserCode
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.targets.target import Job

LOOK_EVERY_S = 0.1


class _EnoughError(Exception):
    """All was seen, so the level ends."""


def extra_plan(
    scenario: Scenario,
    *,
    in_flight: int,
    ramp_up_s: float,
    warm_up_s: float,
    steady_s: float,
    left_out: tuple[str, ...] = (),
) -> LevelPlan:
    """Plan a closed level in which nobody thinks, and nothing arrives on a schedule or fails.

    Args:
        scenario: Whose workflows are played.
        in_flight: Workflows in flight.
        ramp_up_s: As of its phases.
        warm_up_s: Likewise; no less.
        steady_s: Its longest steady phase.
        left_out: Unavailable servers, to which workflows do not write.
    """
    phases = replace(
        scenario.phases,
        ramp_up_s=ramp_up_s,
        warm_up_s=warm_up_s,
        warm_up_min_s=warm_up_s,
        steady_s=steady_s,
        steady_max_s=steady_s,
        steady_workflows=0,
        total_workflows=0,
    )
    only = replace(
        scenario,
        concurrency=(in_flight,),
        level_names=(),
        levels=(),
        arrivals=(),
        stages=(),
        arms=(),
        endurance=None,
        repeats=1,
        phases=phases,
        slos=(),
        faults=(),
        stop=Stop(),
        think_time=ThinkTime(),
    )
    return plan_levels(only, processes=1, left_out=left_out)[0]


def play_until(
    is_enough: Callable[[LevelLog, Sequence[int]], bool],
    plan: LevelPlan,
    *,
    folder: Path,
    python: Path,
    job: Job,
    user_code: UserCode,
) -> LevelLog:
    """Play a level until all was seen, or to its end; return its log.

    Args:
        is_enough: Asked every ``LOOK_EVERY_S`` with the log so far and the processes of workers.
        plan: Of ``extra_plan``.
        folder: Its folder, empty; nothing in it is needed afterwards.
        python: The target's interpreter.
        job: What the target executes.
        user_code: Working folder, modules and variables of the user's.
    """
    logs: list[LevelLog] = []

    def write_log(log: LevelLog) -> None:
        write_json(folder / "level.json", asdict(log))
        logs[:] = [log]

    def look(_now_ns: int, pids: list[int]) -> None:
        if is_enough(logs[-1], pids):
            raise _EnoughError

    with suppress(_EnoughError):
        LevelSupervisor(
            plan,
            folder=folder,
            python=python,
            job=job,
            user_code=user_code,
            on_second=look,
            on_progress=lambda _progress: None,
            write_log=write_log,
            sample_every_s=LOOK_EVERY_S,
        ).run()
    return logs[-1]
