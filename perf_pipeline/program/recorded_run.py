"""Records a run that Python code made in the project's Dagster history, if there is one.

A Dagster job in a process of its own reads the finished run's folder: this package never imports
Dagster, and a load is never played in a process that has.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from perf_pipeline.config.settings import FAILURE_NOTE, PROJECT
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.lifeline import bound_command
from perf_pipeline.program.dagster_home import HISTORY, VARIABLE, dagster_environment
from perf_pipeline.program.failure_note import read_note

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

JOB = "recorded"
WAITS_S = 300


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
        problem = _record(folder, surroundings, project)
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


def _record(folder: Path, environ: Mapping[str, str], project: Path) -> str:
    """Run the job; return why the run is not recorded, or nothing."""
    fields = {"recorded": str(folder.resolve())}
    config = {"resources": {"load_run_resource": {"config": fields}}}
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as noted:
        given.write(json.dumps(config).encode())
        given.flush()
        execute = ["job", "execute", "-m", "assets.definitions", "-j", JOB]
        where = ["-c", f"/proc/self/fd/{given.fileno()}"]
        command = [sys.executable, "-I", "-m", "dagster", *execute, *where]
        ended = subprocess.run(
            bound_command(command, signal.SIGTERM, os.getpid()),
            cwd=project,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**environ, FAILURE_NOTE: f"/proc/self/fd/{noted.fileno()}"},
            pass_fds=[given.fileno(), noted.fileno()],
            check=False,
            timeout=WAITS_S,
        )
        noted.seek(0)
        note = read_note(noted.read())
    if note is not None:
        return "" if note.is_verdict else note.text
    lines = ended.stderr.decode(errors="replace").strip().splitlines()
    return (lines[-1] if lines else f"exit code {ended.returncode}") if ended.returncode else ""
