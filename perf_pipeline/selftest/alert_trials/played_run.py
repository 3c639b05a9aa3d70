"""A real run in a process of its own that serves its live metrics.

::

    python -m perf_pipeline.selftest.alert_trials.played_run SCENARIO
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.run import run_scenario
from perf_pipeline.samples.run_folder import RunFolder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

_OVERLOADED = """
title = "a target that is too slow, and fails"
target = "callable"
processes = 1
slo = ["error_ratio < 1%"]
[[workload]]
function = "perf_pipeline.selftest.known.retrying:fail_half"
[phases]
warm_up_s = 1
drain_s = 1
[[arrivals]]
label = "overload"
schedule = "constant"
rate = 80
duration = "{steady_s:g}s"
slots = 10
"""
_STOPPED = """
title = "a run that hangs, and is killed"
target = "callable"
processes = 1
concurrency = [2]
[[workload]]
function = "perf_pipeline.selftest.known.slots:hold"
[phases]
ramp_up_s = 0
warm_up_s = 0.2
steady_s = 120
"""


def overloaded(steady_s: float) -> str:
    """Return a scenario whose arrivals are four times what its slots can serve."""
    return _OVERLOADED.format(steady_s=steady_s)


def stopped() -> str:
    """Return a scenario of two minutes, which is not played to its end."""
    return _STOPPED


class PlayedRun:
    """A run that goes on.

    Attributes:
        process: Plays it.
    """

    def __init__(self, process: subprocess.Popen[bytes], results: Path) -> None:
        """Know the process and the folder of the results, which is the run's alone."""
        self.process = process
        self._results = results

    def folder(self) -> RunFolder | None:
        """Return its folder; None before it has begun."""
        found = sorted(self._results.glob("*/run.json"))
        return RunFolder(found[0].parent) if found else None

    def phase(self) -> str:
        """Return the phase of its progress; empty before its load is on."""
        folder = self.folder()
        path = folder.root / "progress.jsonl" if folder else None
        if path is None or not path.exists():
            return ""
        lines = path.read_text(encoding="utf-8").splitlines()
        return str(json.loads(lines[-1])["phase"]) if lines else ""


@contextmanager
def played_run(scenario: str, folder: Path, scrape_dir: Path) -> Iterator[PlayedRun]:
    """Start a run; it is killed with the block.

    Args:
        scenario: Text of the scenario.
        folder: Made, for its file and its results.
        scrape_dir: Folder in which it registers.
    """
    folder.mkdir()
    path = folder / f"{folder.name}.toml"
    path.write_text(scenario, encoding="utf-8")
    environ = {
        **os.environ,
        "PERF_PIPELINE_RESULTS": str(folder / "results"),
        "PERF_PIPELINE_SCRAPE_DIR": str(scrape_dir),
        "PERF_PIPELINE_LOAD_LOCK": str(folder / "load.lock"),
        "PERF_PIPELINE_NOISE": "tell",
        "PERF_PIPELINE_DAGSTER": "off",
    }
    command = [sys.executable, "-I", "-m", __name__, str(path)]
    with (folder / "output").open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output)
    try:
        yield PlayedRun(process, folder / "results")
    finally:
        process.kill()
        process.wait()


if __name__ == "__main__":
    run_scenario(open_scenario(sys.argv[1]))
