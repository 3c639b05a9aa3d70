"""Plays a small level with failures, as a step does; its observer kills what it wants of it.

Standard input: an ``InjectorJob`` as a line of JSON, whose owner is of no account. Nothing but the
failures touches a server: the workflows do nothing. It ends after the last window, and writes the
process ids of its workers into ``workers.json`` of the level's folder.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.scenario import Phases
from perf_pipeline.faults.injector_job import InjectorJob
from perf_pipeline.loadgen.level_faults import LevelFaults
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.redaction.redact import remember_url
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.selftest.loads.only_level import PYTHON, closed_level

if TYPE_CHECKING:
    from perf_pipeline.loadgen.supervise.level_log import LevelLog

WORKERS_FILE = "workers.json"
HOLD = "perf_pipeline.selftest.known.slots:hold"
_AFTER_S = 0.5


def main() -> None:
    """Play the level that standard input describes."""
    job = InjectorJob.from_json(sys.stdin.readline())
    for server in job.servers.values():
        remember_url(server.url)
    steady_s = max(window.end_s for window in job.windows) + _AFTER_S
    phases = Phases(
        ramp_up_s=0.0, warm_up_s=0.0, steady_s=steady_s, steady_max_s=steady_s, drain_s=1.0
    )
    level = closed_level(HOLD, 2, phases, job.seed)
    faults = LevelFaults(
        replace(level.plan, faults=job.windows), job.servers, job.folder, job.state_dir
    )

    def write_log(log: LevelLog) -> None:
        write_json(job.folder / "level.json", asdict(log))
        faults.follow(log)

    try:
        LevelSupervisor(
            level.plan,
            folder=job.folder,
            python=PYTHON,
            job=level.job,
            on_second=lambda _now_ns, pids: write_json(job.folder / WORKERS_FILE, pids),
            on_progress=lambda _progress: None,
            write_log=write_log,
            sample_every_s=0.2,
            cgroups=None,
            host_floor=faults.host_floor,
        ).run()
    finally:
        print(json.dumps(faults.stop()), flush=True)  # noqa: T201 - for its observer


if __name__ == "__main__":
    main()
