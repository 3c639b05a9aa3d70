"""Records a run that Python code made in the project's Dagster history, if there is one.

A Dagster job reads the finished run's folder.
"""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.program.dagster_home import HISTORY, VARIABLE, dagster_environment
from perf_pipeline.program.dagster_job import run_job

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JOB = "recorded"


def record_run(
    folder: Path,
    environ: Mapping[str, str],
    state_dir: Path,
    notify: Callable[[str], None],
    project: Path = PROJECT,
) -> None:
    """Record a run that has ended; what prevents it costs the run nothing, and is notified.

    Args:
        folder: The run's.
        environ: ``os.environ``.
        state_dir: Of the settings.
        notify: Called with a line if it could not be recorded.
        project: The folder with the code location.
    """
    try:
        surroundings = history_environment(environ, state_dir, project)
        if surroundings is None:
            return
        fields = {"recorded": str(folder.resolve())}
        config = {"resources": {"load_run_resource": {"config": fields}}}
        problem = run_job(JOB, config, surroundings, project)
    except (PerfPipelineError, OSError, subprocess.TimeoutExpired) as error:
        problem = str(error)
    if problem:
        notify(f"run {folder.name} is complete, and not recorded in Dagster: {problem}")


def history_environment(
    environ: Mapping[str, str], state_dir: Path, project: Path = PROJECT
) -> dict[str, str] | None:
    """Return the environment of a Dagster process with a history; None if there is none yet.

    Raises:
        PerfPipelineError: ``DAGSTER_HOME`` is of no use.
    """
    if not (project / "assets").is_dir():
        return None  # the package was installed without the code location
    made = dagster_environment(environ, state_dir, project)
    if environ.get(VARIABLE) or (Path(made[VARIABLE]) / HISTORY).is_dir():
        return made
    return None
