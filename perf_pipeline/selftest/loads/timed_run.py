"""A real ``perf-pipeline run`` in a process of its own, and when each part of it was done.

Times are read from what the run leaves: the records of its journals (CLOCK_MONOTONIC) and the
times at which its files were written (CLOCK_REALTIME, compared with the other clock at the start).
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import polars as pl

from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

COMMAND = (sys.executable, "-I", "-m", "perf_pipeline.cli")
_LIMIT_S = 300.0


@dataclass(frozen=True)
class TimedRun:
    """A run that has ended, and how long a user waited for each part of it.

    Attributes:
        folder: Its folder.
        records: How many it has.
        first_s: From the start of the command to that of the first workflow under load.
        first_cold_s: To that of the first cold start of a worker.
        metrics_s: From the end of the last workflow to ``metrics.json``.
        report_s: To the last file of the report.
        exit_s: To the end of the command.
    """

    folder: RunFolder
    records: int
    first_s: float
    first_cold_s: float
    metrics_s: float
    report_s: float
    exit_s: float


def timed_run(scenario: Path, results: Path, environ: Mapping[str, str]) -> TimedRun:
    """Run a scenario of one level as a user does, and return what it took.

    Args:
        scenario: Its file.
        results: Folder of the runs; may be missing.
        environ: The environment of the command.

    Raises:
        PerfPipelineError: It was not measured to its end.
    """
    before = set(results.glob("*/run.json"))
    monotonic_ns, real_ns = time.monotonic_ns(), time.time_ns()
    arguments = ["run", str(scenario), "--results", str(results), "--accept-verdicts", "--plain"]
    ended = _called(arguments, environ)
    exit_ns = time.monotonic_ns()
    new = [path.parent for path in results.glob("*/run.json") if path not in before]
    if ended.returncode or len(new) != 1:
        raise PerfPipelineError(
            f"perf-pipeline {' '.join(arguments)} ended with exit code {ended.returncode}: "
            f"{(ended.stdout + ended.stderr).strip()[-2000:]}"
        )
    folder = RunFolder(new[0])
    frame = pl.read_parquet(folder.records).select("number", "start_ns", "end_ns")
    loaded = frame.filter(pl.col("number") >= 0)
    if loaded.is_empty():
        raise PerfPipelineError(f"{folder.root}: no workflow was started under load")
    last_ns = int(frame["end_ns"].max())  # type: ignore[arg-type]

    def written_ns(name: str) -> int:
        return (folder.root / name).stat().st_mtime_ns - real_ns + monotonic_ns

    return TimedRun(
        folder=folder,
        records=frame.height,
        first_s=(int(loaded["start_ns"].min()) - monotonic_ns) / 1e9,  # type: ignore[arg-type]
        first_cold_s=(int(frame["start_ns"].min()) - monotonic_ns) / 1e9,  # type: ignore[arg-type]
        metrics_s=(written_ns("metrics.json") - last_ns) / 1e9,
        report_s=(written_ns("report.json") - last_ns) / 1e9,
        exit_s=(exit_ns - last_ns) / 1e9,
    )


def timed_command(arguments: Sequence[str]) -> float:
    """Return how long a command takes from its start to its end, seconds.

    Raises:
        PerfPipelineError: It failed.
    """
    began_s = time.monotonic()
    ended = _called(arguments, os.environ)
    took_s = time.monotonic() - began_s
    if ended.returncode:
        raise PerfPipelineError(f"perf-pipeline {' '.join(arguments)}: {ended.stderr[-2000:]}")
    return took_s


def _called(
    arguments: Sequence[str], environ: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_LIMIT_S,
        check=False,
    )
