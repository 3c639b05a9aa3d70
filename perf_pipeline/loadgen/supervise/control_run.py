"""The control run: the same arrivals on workflows that do nothing show how late we are ourselves.

A late start in a load level may be caused by the target (no slot was free, the interpreter lock was
taken) or by the generator. Starts that are late although the workflows do nothing, with the same
schedule, slots, processes, interpreter and machine, are caused by the generator. The target
``control``, which does the work without a runtime, is something else.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Phases, Stop
from perf_pipeline.config.scenario.target_spec import with_defaults
from perf_pipeline.loadgen.environment.user_code import NO_USER_CODE, UserCode
from perf_pipeline.loadgen.plan.phase_rules import CONTROL_S
from perf_pipeline.loadgen.plan.share import WHOLE, Share
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.samples.run_folder import CONTROL, write_json
from perf_pipeline.targets import no_op
from perf_pipeline.targets.target import Kind

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.targets.target import Job

_NO_OP = {"threads": ("callable", "work"), "asyncio": ("callable_async", "work_async")}


def play_control(
    plan: LevelPlan,
    *,
    folder: Path,
    python: Path,
    job: Job,
    user_code: UserCode = NO_USER_CODE,
    length_s: float = CONTROL_S,
    share: Share = WHOLE,
) -> LevelLog:
    """Play the busiest part of an open level's schedule on workflows that do nothing.

    Args:
        plan: The open level.
        folder: Its folder; the control is written to a folder in it.
        python: The target's interpreter.
        job: What the level executes.
        user_code: As for the level.
        length_s: How much of the schedule is played.
        share: Which of the workers are on this host; they wait for no other.
    """
    control = control_plan(plan, length_s)
    own = folder / CONTROL
    own.mkdir()

    def write_log(log: LevelLog) -> None:
        write_json(own / "level.json", asdict(log))

    return LevelSupervisor(
        control,
        folder=own,
        python=python,
        job=replace(
            job,
            kinds=tuple(Kind(name, "") for name in control.workloads),
            settings=control.settings,
            setup="",
            teardown="",
        ),
        on_second=lambda _now_ns, _pids: None,
        on_progress=lambda _progress: None,
        write_log=write_log,
        user_code=user_code,
        share=share,
    ).run()


def control_plan(plan: LevelPlan, length_s: float) -> LevelPlan:
    """Plan the control of an open level."""
    target, function = _NO_OP[plan.mode]
    intended_ns = busiest_part(plan.intended_ns, int(length_s * 1e9))
    return replace(
        plan,
        label=CONTROL,
        target=target,
        settings=with_defaults(target, {}),
        workloads=(f"{no_op.__name__}:{function}",),
        without=((),),
        kinds=array("q", [0]),
        phases=Phases(ramp_up_s=0, warm_up_s=0, steady_s=length_s, drain_s=1.0),
        intended_ns=intended_ns,
        stream_of=array("q"),
        stop=Stop(),
        aborts=(),
        data=(),
        requests=(),
        setup="",
        teardown="",
    )


def busiest_part(intended_ns: array[int], length_ns: int) -> array[int]:
    """Return the arrivals of the densest window, shifted to begin at 0."""
    maximum, first = 0, 0
    for index, start_ns in enumerate(intended_ns):
        count = bisect_left(intended_ns, start_ns + length_ns) - index
        if count > maximum:
            maximum, first = count, index
    begin_ns = intended_ns[first] if intended_ns else 0
    return array("q", (at_ns - begin_ns for at_ns in intended_ns[first : first + maximum]))
