"""The worker processes of a supervisor, each of which is below its keeper."""

from __future__ import annotations

import os

import psutil

from perf_pipeline.loadgen.environment.user_code import START


def workers_below(supervisor: int | None = None) -> list[psutil.Process]:
    """Return the living worker processes below a process, or below this one, without keepers."""
    below = psutil.Process(supervisor or os.getpid()).children(recursive=True)
    return sorted(filter(is_worker, below), key=lambda one: one.pid)


def is_worker(process: psutil.Process) -> bool:
    """Return whether a process is a worker: its command begins with what the keeper starts."""
    try:
        return process.cmdline()[1:4] == ["-P", str(START), "perf_pipeline.worker"]
    except psutil.Error:
        return False
