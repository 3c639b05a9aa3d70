"""Runs a scenario from servers to report, and opens a run that has ended.

What follows the load is imported when it is needed: whoever plays a load need not wait for polars
and the report.
"""

from __future__ import annotations

import os
import warnings
from typing import TYPE_CHECKING

from perf_pipeline.config.duration import DEFAULT_WAIT_S
from perf_pipeline.config.settings import current_settings
from perf_pipeline.program.recorded_run import record_run
from perf_pipeline.run import Run
from perf_pipeline.samples.damage import damage_named
from perf_pipeline.samples.run_list import find_run

if TYPE_CHECKING:
    from collections.abc import Callable

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.config.settings import Settings
    from perf_pipeline.finished_run import FinishedRun
    from perf_pipeline.loadgen.course import Course
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.metrics.types.run_metrics import RunMetrics
    from perf_pipeline.samples.run_folder import RunFolder


def run_scenario(
    scenario: Scenario,
    settings: Settings | None = None,
    *,
    notify: Callable[[str], None] = lambda _text: None,
    on_progress: Callable[[Progress], None] = lambda _progress: None,
    course: Course | None = None,
    wait_s: float = DEFAULT_WAIT_S,
) -> FinishedRun:
    """Run a scenario from servers to report, in this process and without an orchestrator.

    Where Dagster has a history of runs, the finished run is recorded in it, in some seconds more.

    Args:
        scenario: What to do; ``open_scenario`` makes one.
        settings: Where things are; None to read them from the environment.
        notify: Called with each line to show while the run is active.
        on_progress: Called about once a second with the progress of the load.
        course: As of ``Run``.
        wait_s: How long to wait for another load run on this host to end; 0 for not at all.

    Raises:
        GaveUpWaitingError: That run went on for longer; nothing was started.
        PerfPipelineError: Before the first level, when a server or the target is unavailable; or
            after the report was written, when the run's data on a server could not be removed.
    """
    settings = settings or current_settings()
    with Run(scenario, settings, notify=notify, course=course, wait_s=wait_s) as run:
        folder = run.load(on_progress)
        finished = report_run(folder)  # inside: a lost server must not cost the report as well
    record_finished(finished, folder, settings, notify)
    return finished


def report_run(folder: RunFolder) -> FinishedRun:
    """Measure a run that has ended, and write its report.

    Raises:
        RunFolderError: A file of it cannot be read.
    """
    from perf_pipeline.analysis.measure import measure  # noqa: PLC0415 - not needed by a load
    from perf_pipeline.finished_run import FinishedRun  # noqa: PLC0415
    from perf_pipeline.report.run.files import write_files  # noqa: PLC0415

    metrics = measure(folder)
    return FinishedRun(metrics, folder.root, write_files(folder, metrics))


def record_finished(
    run: FinishedRun, folder: RunFolder, settings: Settings, notify: Callable[[str], None]
) -> None:
    """File a run in the catalogue, and record it where Dagster has a history of runs."""
    file_finished(run.metrics, folder, settings, notify)
    if settings.is_recorded:
        record_run(folder.root, os.environ, settings.state_dir, notify)


def file_finished(
    metrics: RunMetrics, folder: RunFolder, settings: Settings, notify: Callable[[str], None]
) -> None:
    """File a run in the catalogue; what prevents it costs the run nothing, and is notified."""
    from perf_pipeline.catalogue.filing import (  # noqa: PLC0415 - SQLAlchemy: 0.2 s
        file_measured_run,
    )

    file_measured_run(metrics, folder.root, settings.catalogue_url, notify)


def open_run(name: str | None = None, settings: Settings | None = None) -> FinishedRun:
    """Open a run that has ended; what was not measured or reported yet is done now.

    Args:
        name: Its id or its folder; None for the newest run.
        settings: Where the folder of the runs is; None to read them from the environment.

    Raises:
        RunFolderError: There is no such run, or nothing of it was measured.
    """
    from perf_pipeline.analysis.stored_metrics import metrics_of  # noqa: PLC0415 - not needed by a load
    from perf_pipeline.finished_run import FinishedRun  # noqa: PLC0415
    from perf_pipeline.report.run.files import report_of  # noqa: PLC0415

    folder = find_run((settings or current_settings()).results_dir, name, warnings.warn)
    with damage_named(folder):
        metrics = metrics_of(folder)
        return FinishedRun(metrics, folder.root, report_of(folder, metrics))
