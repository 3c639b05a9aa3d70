"""A real run that a real Prometheus scrapes while it goes on, until its exporter has ended."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

from perf_pipeline.config.monitoring_settings import SCRAPE_DIR
from perf_pipeline.config.settings import PROJECT
from perf_pipeline.errors import PerfPipelineError
from perf_pipeline.selftest.loads.timed_run import timed_run

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.run_folder import RunFolder
    from perf_pipeline.selftest.monitoring.asked_prometheus import AskedPrometheus

_MODULE = """import random, time

CHANCE = random.Random({seed})

def work(number):
    time.sleep(min(0.05, CHANCE.lognormvariate(-5.5, 0.8)))
    if number % 50 == 49:
        raise ValueError("one of fifty fails")
"""
_SCENARIO = """
target = "callable"
concurrency = [2, 4]
python_path = "."
[[workload]]
function = "work:work"
[phases]
ramp_up_s = 0
warm_up_s = 1
duration = "{steady_s}s"
"""
_LINGER_S = 120.0


def scraped_run(folder: Path, prometheus: AskedPrometheus, steady_s: float, seed: int) -> RunFolder:
    """Run two levels of a function that takes about 4 ms, and fails once in fifty calls.

    Args:
        folder: For its files.
        prometheus: Scrapes it.
        steady_s: Length of each level's steady phase.
        seed: Of the times.

    Raises:
        PerfPipelineError: It was not measured to its end, or its exporter did not end.
    """
    (folder / "work.py").write_text(_MODULE.format(seed=seed), encoding="utf-8")
    scenario = folder / "scraped.toml"
    scenario.write_text(_SCENARIO.format(steady_s=steady_s), encoding="utf-8")
    home = folder / "dagster"
    home.mkdir()
    text = (PROJECT / "dagster.yaml").read_text(encoding="utf-8")
    stored = text.replace(": .dagster", f": {home}/.dagster")
    (home / "dagster.yaml").write_text(stored, encoding="utf-8")
    environ = {
        **os.environ,
        "DAGSTER_HOME": str(home),
        "PERF_PIPELINE_LOAD_LOCK": str(folder / "load.lock"),
        "PERF_PIPELINE_NOISE": "tell",
        SCRAPE_DIR: str(prometheus.scrape_dir),
    }
    run = timed_run(scenario, folder / "results", environ).folder
    deadline_s = time.monotonic() + _LINGER_S
    while list(prometheus.scrape_dir.glob("*.json")):
        if time.monotonic() > deadline_s:
            raise PerfPipelineError(f"the exporter of {run.run_id} did not end")
        time.sleep(0.2)
    return run
