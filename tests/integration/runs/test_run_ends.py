"""Whole runs that end early, are limited, call a user's own functions, or follow one another."""

from __future__ import annotations

import gc
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

import psutil
import pytest

from perf_pipeline.analysis.measure import measure
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Stop, WorkerLimits, Workload
from perf_pipeline.config.settings import current_settings
from perf_pipeline.loadgen.run_servers import NOT_OURS
from perf_pipeline.report.run.files import write_files
from perf_pipeline.run import Run
from perf_pipeline.samples.manifest import Stopped
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.samples.run_list import list_runs
from perf_pipeline.samples.run_record import COMPLETE
from perf_pipeline.scenario_run import run_scenario
from tests.integration.levels.loads import QUICK
from tests.integration.levels.run_observer import RunObserver
from tests.integration.runs.traces import schemas

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.servers.server import Server

pytestmark = pytest.mark.integration

FUNCTIONS = """
import os, time

def fail(number):
    time.sleep(0.01)
    raise ValueError("planted")

def find(number):
    assert os.environ["PERF_PIPELINE_POSTGRES_URL"].startswith("postgresql://postgres:")
    spin(number)

def spin(number):
    until = time.thread_time() + 0.002
    while time.thread_time() < until:
        pass
"""
RUNS = 10
GROWTH_MB = 5.0


def _calling(folder: Path, function: str) -> Scenario:
    """Return a scenario of two named levels that call a function with this interpreter."""
    (folder / "planted_functions.py").write_text(FUNCTIONS, encoding="utf-8")
    return Scenario(
        "calling",
        target="callable",
        concurrency=(4, 8),
        level_names=("calm", "busy"),
        processes=1,
        workloads=(Workload(f"planted_functions:{function}", ""),),
        phases=Phases(ramp_up_s=0, warm_up_s=0, steady_s=2.5, steady_max_s=20, drain_s=2),
        interpreter=sys.executable,
        python_path=str(folder),
    )


def test_a_run_of_which_most_workflows_fail_stops_after_that_level_and_says_so(
    tmp_path: Path, settings: Settings
) -> None:
    """Everywhere: manifest, run.json, the run's reasons, the top of the report, progress."""
    failing = replace(_calling(tmp_path, "fail"), trial_call=False)
    scenario = replace(failing, stop=Stop(error_ratio=0.5))
    said: list[str] = []
    seen: list[Progress] = []

    metrics = run_scenario(scenario, settings, notify=said.append, on_progress=seen.append).metrics

    (folder,) = list_runs(settings.results_dir)
    record = folder.read_status()
    stopped = record["stopped"]
    assert record["status"] == COMPLETE
    assert metrics.manifest.stopped == Stopped(**{**stopped, "not_run": tuple(stopped["not_run"])})
    assert (stopped["level"], stopped["because"]) == ("4 (calm)", "mostly_failing")
    assert stopped["not_run"] == ["8 (busy)"]
    assert stopped["detail"].startswith("100 % of the ")
    assert stopped["detail"].endswith(" failed (limit 50 %)")
    assert [level.shown for level in metrics.levels] == ["4 (calm)"]
    assert metrics.levels[0].error_ratio == 1.0
    why = f"level 4 (calm) was ended: {stopped['detail']}"
    assert f"1 of 2 levels were not run (8 (busy)): {why}" in metrics.reasons
    assert said[-1] == f"{why}; not run: 8 (busy)"
    assert {progress.label for progress in seen} == {"4 (calm)"}
    told = (folder.root / "report.md").read_text(encoding="utf-8")
    assert "no level sustained" in told
    assert f"Stopped at 4 (calm) because {stopped['detail']}." in told


@pytest.mark.alone
def test_functions_find_their_servers_and_a_run_leaves_its_data_out(
    tmp_path: Path, settings: Settings, servers: dict[str, Server]
) -> None:
    """No schema, no seed, no writes to count; and the report shows the CPU limit with the use."""
    scenario = replace(
        _calling(tmp_path, "find"),
        concurrency=(4,),
        servers=("postgres",),
        limits=WorkerLimits(cpu_percent=50),
    )
    settings = replace(settings, urls={"postgres": servers["postgres"].url})

    with Run(scenario, settings) as run:
        assert run.seed_data() == {}
        assert not [name for name in schemas(servers["postgres"].url) if name.startswith("perf_")]
        folder = run.load()
    metrics = measure(folder)
    write_files(folder, metrics)

    assert (metrics.validity, metrics.reasons) == ("valid", ())
    (level,) = folder.level_folders()
    assert read_json(level / "state.json") == {"postgres": NOT_OURS}
    assert read_json(level / "writes.json") == []
    job = read_json(level / "worker-0.json")["job"]
    assert job["servers"]["addresses"] == {}  # they carry passwords, and are in no file
    assert job["concurrency"] == 4
    used = metrics.levels[0].resources.workers_cpu_mean_percent
    assert used is not None
    assert used < 60
    assert "CPU limit" in (folder.root / "report.md").read_text(encoding="utf-8")


@pytest.mark.alone
@pytest.mark.slow
def test_ten_runs_in_a_row_leave_what_one_leaves(
    settings: Settings, servers: dict[str, Server]
) -> None:
    """Descriptors, threads, children and connections exactly; memory within 5 MB.

    Of Python's containers at most five a run stay, one of which is the test's own.

    Memory is that of loading and measuring. Drawing the charts is left out: their engine has a
    JavaScript heap, which grows by 5 to 15 MB a report until it is collected after some six.
    """
    urls = {name: servers[name].url for name in ("postgres", "redis")}
    settings = replace(
        settings, urls=urls, mongodb_stand_in=None, cache_dir=current_settings().cache_dir
    )
    seen = RunObserver(urls["postgres"], urls["redis"], settings.results_dir)
    grown_mb, objects = [], []
    for _ in range(RUNS):
        before_mb = _resident_mb()
        with Run(QUICK, settings) as run:
            folder = run.load()
        metrics = measure(folder)
        grown_mb.append(_resident_mb() - before_mb)
        write_files(folder, metrics)
        assert metrics.validity == "valid"
        seen.between.append(seen.resource_use())
        del run, folder, metrics
        gc.collect()
        objects.append(len(gc.get_objects()))

    assert seen.between == [seen.between[0]] * RUNS
    assert seen.between[0].connections == 0
    assert sum(grown_mb[1:]) < GROWTH_MB, grown_mb
    assert objects[-1] - objects[1] < 5 * RUNS, objects
    assert not [name for name in schemas(urls["postgres"]) if name.startswith("perf_")]


def _resident_mb() -> float:
    gc.collect()
    return psutil.Process().memory_info().rss / 1e6
