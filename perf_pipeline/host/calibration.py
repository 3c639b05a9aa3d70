"""Fixed work whose speed shows whether the machine itself has changed between two load levels.

The work is arithmetic in the interpreter (the speed of a core, on which targets depend) and
small forced writes (that of the disk). It creates no object that the garbage collector tracks, so
the size of this process does not matter.
"""

from __future__ import annotations

import os
import tempfile
import time
from statistics import median
from typing import TYPE_CHECKING

from perf_pipeline.host.facts import read_cpu_times, steal_percent
from perf_pipeline.host.pressure import read_stalled, stalled_percent
from perf_pipeline.samples.host_record import Calibration

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SLICES = 8
UNITS = 30_000
"""Of a slice: about 2.5 ms, less than a scheduler's time slice, so that some are uninterrupted even
on a shared core."""

FSYNCS = 8
FSYNC_BUDGET_S = 0.15
"""Writes stop after this time, so that a disk of 30 ms a write is not loaded by the calibration."""

_BLOCK = b"\0" * 4096


def calibrate(
    folder: Path,
    *,
    clock_ns: Callable[[], int] = time.monotonic_ns,
    cpu_clock_ns: Callable[[], int] = time.thread_time_ns,
    proc: Path | None = None,
) -> Calibration:
    """Do the fixed work once; it takes about 0.025 s, 0.2 s on a busy machine of half the speed.

    Args:
        folder: Folder on the disk of the servers' data.
        clock_ns: CLOCK_MONOTONIC.
        cpu_clock_ns: CPU time of this thread.
        proc: Where the kernel shows its state; None for ``/proc``.
    """
    kernel = () if proc is None else (proc,)
    begun_ns, cpu_before, stalled_before = (
        clock_ns(),
        read_cpu_times(*kernel),
        read_stalled(*kernel),
    )
    walls, cores = [], []
    for _ in range(SLICES):
        wall_ns, core_ns = clock_ns(), cpu_clock_ns()
        _work(UNITS)
        walls.append(clock_ns() - wall_ns)
        cores.append(cpu_clock_ns() - core_ns)
    try:
        waited_s, problem = _forced_writes(folder, clock_ns), ""
    except OSError as error:
        waited_s, problem = [], f"{folder}: {(error.strerror or str(error)).lower()}"
    took_ns = clock_ns() - begun_ns
    return Calibration(
        core_ns_per_unit=min(cores) / UNITS,
        waited_ratio=max(0.0, 1 - sum(cores) / sum(walls)),
        fsync_s=median(waited_s) if waited_s else None,
        fsync_max_s=max(waited_s, default=None),
        fsyncs=len(waited_s),
        stalled_percent=stalled_percent(stalled_before, read_stalled(*kernel), took_ns / 1e9),
        steal_percent=steal_percent(cpu_before, read_cpu_times(*kernel)),
        took_s=took_ns / 1e9,
        problem=problem,
    )


def fixed_work_s(slices: int = 3, cpu_clock_ns: Callable[[], int] = time.thread_time_ns) -> float:
    """Do some slices of the fixed work, without the writes; it takes about 8 ms.

    Args:
        slices: How often.
        cpu_clock_ns: CPU time of this thread.

    Returns:
        CPU seconds of the fastest slice, which nothing interrupted.
    """
    cores = []
    for _ in range(slices):
        begun_ns = cpu_clock_ns()
        _work(UNITS)
        cores.append(cpu_clock_ns() - begun_ns)
    return min(cores) / 1e9


def _work(units: int) -> int:
    """Do ``units`` steps of a linear congruential generator; no step can be optimised away."""
    value = 1
    for _ in range(units):
        value = (value * 1_103_515_245 + 12_345) & 0x7FFFFFFF
    return value


def _forced_writes(folder: Path, clock_ns: Callable[[], int]) -> list[float]:
    """Return how long each of some blocks took to be on the disk, seconds."""
    waited_s: list[float] = []
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        os.write(file.fileno(), _BLOCK)
        os.fsync(file.fileno())  # the first also makes the file: not what a server does
        while len(waited_s) < FSYNCS and sum(waited_s) < FSYNC_BUDGET_S:
            os.write(file.fileno(), _BLOCK)
            begun_ns = clock_ns()
            os.fsync(file.fileno())
            waited_s.append((clock_ns() - begun_ns) / 1e9)
    return waited_s
