"""Runs one level of the control target until it is killed; run by test_level.py.

python level_process.py FOLDER [CPU_PERCENT]: prints "steady" once the steady phase has begun; a
limit is held by the watchdog.
"""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Phases, Scenario, WorkerLimits, Workload
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.targets.target import Job, Kind, ServerAccess

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from perf_pipeline.config.slo.slo import Slo
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import LevelLog, Progress
    from perf_pipeline.loadgen.supervise.started_worker import StartedWorker

FAMILY, _ = KIND = ("transformation", "complex")
PHASES = Phases(
    ramp_up_s=0.2, warm_up_s=0.2, steady_s=1.5, steady_max_s=20.0, drain_s=2.0, deadline_s=30.0
)


def plan_of(
    slots: int = 8,
    phases: Phases = PHASES,
    target: str = "control",
    cpu_percent: float | None = None,
    slos: tuple[Slo, ...] = (),
) -> LevelPlan:
    """Plan one level of two processes."""
    scenario = Scenario(
        "x",
        target=target,
        concurrency=(slots,),
        workloads=(Workload(FAMILY, "complex"),),
        phases=phases,
        limits=WorkerLimits(cpu_percent=cpu_percent),
        slos=slos,
    )
    return plan_levels(scenario, 2)[0]


def level_in(
    folder: Path,
    plan: LevelPlan | None = None,
    phases: Phases = PHASES,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    python: Path = Path(sys.executable),
    make_room: Callable[[], None] = lambda: None,
    prepared: Sequence[StartedWorker] = (),
) -> LevelSupervisor:
    """Prepare a level that needs no server and writes its log like a run does."""

    def write_log(log: LevelLog) -> None:
        write_json(folder / "level.json", asdict(log))

    return LevelSupervisor(
        plan or plan_of(phases=phases),
        folder=folder,
        python=python,
        job=Job((Kind(*KIND),), "code", 1, "r1", 0, ServerAccess({}, 25, 30.0)),
        on_second=lambda _now_ns, _pids: None,
        on_progress=on_progress,
        write_log=write_log,
        make_room=make_room,
        cgroups=None,
        prepared=prepared,
    )


def _say(progress: Progress) -> None:
    if progress.phase == "steady":
        print("steady", flush=True)  # noqa: T201 the test waits for it


if __name__ == "__main__":
    endless = Phases(ramp_up_s=0.2, warm_up_s=0.2, steady_s=60.0, steady_max_s=60.0, drain_s=60.0)
    limited = plan_of(phases=endless, cpu_percent=float(sys.argv[2]) if sys.argv[2:] else None)
    level_in(Path(sys.argv[1]), limited, on_progress=_say).run()
