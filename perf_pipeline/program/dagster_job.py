"""Runs a job of the code location to its end in a process of its own.

This package never imports Dagster, and a load is never played in a process that has.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.settings import FAILURE_NOTE, PROJECT
from perf_pipeline.lifeline import bound_command
from perf_pipeline.program.failure_note import read_note

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

WAITS_S = 300


def run_job(
    job: str, config: Mapping[str, Any], environ: Mapping[str, str], project: Path = PROJECT
) -> str:
    """Run a job that plays no load.

    Args:
        job: Its name.
        config: What the launchpad would send.
        environ: As ``dagster_environment`` makes it.
        project: The folder with the code location.

    Returns:
        Why it failed; empty if it succeeded, or failed by its verdict alone.

    Raises:
        OSError: No process could be started.
        subprocess.TimeoutExpired: It took longer than five minutes.
    """
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as noted:
        given.write(json.dumps(config).encode())
        given.flush()
        execute = ["job", "execute", "-m", "assets.definitions", "-j", job]
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
