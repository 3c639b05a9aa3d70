"""The first workflow starts within 2.5 s of Enter; the report is written 1.5 s after the last.

``perf-pipeline run`` is started as a user starts it, several times; the median counts. One scenario
plays kailash at 10 in flight for 3 s, the other 50,000 calls of a function that sleeps 0.1 ms,
10,000 at size ci. Nothing is warmed up, and no server is needed. A first run makes environment,
history of Dagster and caches, and is not counted. The report of 5 million records is made of a copy
of such a run with as many simulated records, and timed from the beginning of the analysis; its
limit is 4 s.

At size ci, which counts the first run, nothing is claimed about seconds: a busy machine decides
them. The report of four times as many records takes at most four times as long.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.selftest.figure import Figure, Size
from perf_pipeline.selftest.loads.large_run import large_run
from perf_pipeline.selftest.loads.timed_run import timed_command, timed_run

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.selftest.loads.timed_run import TimedRun

FIRST_MAX_S, REPORT_MAX_S, LARGE_REPORT_MAX_S, HELP_MAX_S = 2.5, 1.5, 4.0, 0.4
GROWTH_MAX = 4.0
ROUNDS = {Size.CI: (0, 1), Size.FULL: (1, 5)}
"""Runs that are not counted, and runs that are."""

RECORDS = {Size.CI: (50_000, 200_000), Size.FULL: (50_000, 5_000_000)}
CALLS = {Size.CI: 10_000, Size.FULL: 50_000}
_LIMIT_S = 300.0
_KAILASH = """
target = "kailash"
concurrency = [10]
[[workload]]
family = "transformation"
complexity = "simple"
[phases]
ramp_up_s = 0
warm_up_s = 0
duration = "3s"
"""
_FUNCTION = """
target = "callable"
concurrency = [2]
python_path = "."
[[workload]]
function = "nap:nap"
[phases]
ramp_up_s = 0
warm_up_s = 0
duration = "30s"
"""

_MODULE = """import time

def nap(number):
    time.sleep(0.0001)
"""

log = logging.getLogger(__name__)


def run(size: Size, seed: int) -> list[Figure]:
    """Time runs from outside, the help, and the analysis of few and of many records."""
    full = size is Size.FULL
    with tempfile.TemporaryDirectory(prefix="perf-pipeline-selftest-") as temporary:
        folder = Path(temporary)
        environ = _environment(folder)
        (folder / "nap.py").write_text(_MODULE, encoding="utf-8")
        runs = {}
        called = f"{_FUNCTION}total_workflows = {CALLS[size]}\n"
        for name, text in (("kailash", _KAILASH), ("function", called)):
            scenario = folder / f"{name}.toml"
            scenario.write_text(text, encoding="utf-8")
            runs[name] = _timed(scenario, folder / "results", environ, ROUNDS[size])
        helps_s = [timed_command(["--help"]) for _ in range(ROUNDS[Size.FULL][1])]
        few, many = RECORDS[size]
        played = runs["function"][-1].folder
        reports = {records: _report(played, folder, records, seed) for records in (few, many)}
    figures = [
        *_waits("kailash, 10 in flight", runs["kailash"], full=full),
        *_waits(f"{CALLS[size]:,} calls", runs["function"], full=full),
        _seconds("perf-pipeline --help", helps_s, HELP_MAX_S if full else None),
    ]
    for records, taken in reports.items():
        limit_s = {few: REPORT_MAX_S, many: LARGE_REPORT_MAX_S}[records] if full else None
        note = f"{taken['records']:,} records; metrics and records.parquet {taken['metrics_s']:.2f}"
        what = f"report of {records:,} records, from the start of the analysis"
        figures.append(Figure(what, taken["report_s"], "s", limit_s, note=f"{note} s"))
    if not full:
        growth = reports[many]["report_s"] / reports[few]["report_s"]
        figures.append(Figure(f"of {many:,} by that of {few:,} records", growth, "", GROWTH_MAX))
    return figures


def _waits(what: str, runs: Sequence[TimedRun], *, full: bool) -> list[Figure]:
    """Return how long a user waits in a run: before the load, and after it."""

    def seconds(part: str, of: Callable[[TimedRun], float], limit_s: float | None = None) -> Figure:
        return _seconds(f"{what}: {part}", [of(run) for run in runs], limit_s if full else None)

    return [
        seconds("Enter to the first workflow", lambda run: run.first_s, FIRST_MAX_S),
        seconds("Enter to the first cold start", lambda run: run.first_cold_s),
        seconds("last record to metrics.json", lambda run: run.metrics_s),
        seconds("last record to the report", lambda run: run.report_s, REPORT_MAX_S),
        seconds("last record to the end of the command", lambda run: run.exit_s),
    ]


def _seconds(what: str, taken_s: Sequence[float], limit_s: float | None) -> Figure:
    spread = f"median of {len(taken_s)}, {min(taken_s):.2f} to {max(taken_s):.2f} s"
    return Figure(what, median(taken_s), "s", limit_s, note=spread)


def _timed(
    scenario: Path, results: Path, environ: Mapping[str, str], rounds: tuple[int, int]
) -> list[TimedRun]:
    runs = []
    for number in range(sum(rounds)):
        one = timed_run(scenario, results, environ)
        log.info("waiting: %s, run %d: %s", scenario.stem, number, one)
        runs.append(one)
    return runs[rounds[0] :]


def _report(played: RunFolder, folder: Path, records: int, seed: int) -> dict[str, Any]:
    """Return what the analysis of a copy of a run with so many records took."""
    made = large_run(played, folder / "large" / f"{played.run_id}-{records}", records, seed)
    ended = subprocess.run(
        [sys.executable, "-I", "-m", "perf_pipeline.selftest.loads.timed_report", made.root],
        capture_output=True, text=True, timeout=_LIMIT_S, check=False, cwd=folder,
    )  # fmt: skip
    if ended.returncode:
        raise PerfPipelineError(f"the analysis of {records:,} records: {ended.stderr[-2000:]}")
    taken: dict[str, Any] = json.loads(ended.stdout.splitlines()[-1])
    return taken


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of the runs: a history and a lock of their own.

    No load runs beside a selftest, which holds the lock of this host itself.
    """
    home = folder / "dagster"
    home.mkdir()
    text = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
    stored = text.replace(": .dagster", f": {home}/.dagster")
    (home / "dagster.yaml").write_text(stored, encoding="utf-8")
    return {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "PERF_PIPELINE_LOAD_LOCK": str(folder / "load.lock"),
        "PERF_PIPELINE_NOISE": "tell",
    }
