"""Starts the workers of a run's first level while the process that will play it still imports."""

from __future__ import annotations

import contextlib
import os
from dataclasses import replace

from perf_pipeline.config.scenario.scenario import WorkerLimits
from perf_pipeline.config.settings import current_settings
from perf_pipeline.host.load_lock import is_locked
from perf_pipeline.loadgen.checked_run import read_checked_run
from perf_pipeline.loadgen.course import PlannedCourse
from perf_pipeline.loadgen.environment.user_code import user_code_of
from perf_pipeline.loadgen.supervise.prepared_workers import PreparedWorkers
from perf_pipeline.samples.run_folder import RunFolder

_prepared: list[PreparedWorkers] = []


def prepare_first_workers() -> None:
    """Start the workers of the run that the command line has checked; a failure is the run's.

    None are started while another load run is active, which they would disturb, and none that have
    limits, which hold from the start of a worker.
    """
    settings = current_settings()
    if settings.checked_run is None or is_locked(settings.lock_path):
        return
    checked = read_checked_run(settings.checked_run)
    if checked.results_dir is None:
        return
    closed = replace(checked.scenario, arrivals=())  # a schedule takes time to draw
    plan = next(iter(PlannedCourse(closed).plans(())), None)
    if plan is None or plan.target not in checked.environments or plan.limits != WorkerLimits():
        return
    python = checked.environments[plan.target].python
    user_code = user_code_of(checked.scenario, os.environ)
    with contextlib.suppress(OSError):
        folder = RunFolder(checked.results_dir / checked.run_id)
        _prepared.append(PreparedWorkers(plan, folder, python, user_code))


def first_workers(run_id: str | None) -> PreparedWorkers | None:
    """Return the workers that were started for a run, once; None if there are none."""
    if _prepared and _prepared[-1].folder.run_id == run_id:
        return _prepared.pop()
    return None
