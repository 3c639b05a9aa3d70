"""A whole run whose target starts a process that computes: it is the target's, and ends with it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.analysis.measure import measure_run
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.run import Run
from tests.sandbox import until

if TYPE_CHECKING:
    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration

NAME = "spinner"
"""As the process calls itself: the kernel keeps 15 characters."""

ENGINE = f"""
import subprocess, sys, time

SPIN = '''
with open("/proc/self/comm", "w") as file:
    file.write("{NAME}")
held = bytes([1]) * 50_000_000
while True:
    pass
'''

def start():
    child = subprocess.Popen([sys.executable, "-c", SPIN])
    with open("pids", "a") as file:
        file.write(f"{{child.pid}}\\n")

def order(number):
    time.sleep(0.01)
"""
ORDERS = """
target = "callable"
python_path = "."
concurrency = [4]
processes = 1
sample_every_s = 0.5
setup = "engine:start"

[[workload]]
function = "engine:order"

[phases]
steady_s = 2.5
ramp_up_s = 0.1
warm_up_s = 0.2
drain_s = 3
"""


def test_a_process_that_the_target_starts_costs_the_target_and_ends_with_it(
    tmp_path: Path, settings: Settings
) -> None:
    """A child that spins all the time, of 50 MB.

    Its cores are among the target's and not among those of other programs, which the run would
    else name as the cause of noise: 1.05 of them on a quiet machine before children counted.
    """
    (tmp_path / "engine.py").write_text(ENGINE)
    scenario = tmp_path / "orders.toml"
    scenario.write_text(ORDERS)
    own = replace(settings, cache_dir=current_settings().cache_dir, noise="judge")
    with Run(read_scenario(scenario, read_machine_limits()), own) as run:
        folder = run.load()
    metrics = measure_run(folder)
    (level,) = metrics.levels
    used = level.resources

    child = used.of(f"child: {NAME}")
    assert child.processes_peak == 1
    assert child.cores_mean is not None
    assert child.run_delay is not None
    assert child.cores_mean + child.run_delay > 0.5  # it always wants a core, which others may have
    assert child.pss_peak_mb is not None
    assert child.pss_peak_mb > 50
    worker = used.of("workers")
    assert worker.cores_mean is not None
    assert worker.pss_peak_mb is not None
    assert used.workers_cpu_mean_percent is not None
    target_cores = used.workers_cpu_mean_percent / 100
    assert target_cores == pytest.approx(worker.cores_mean + child.cores_mean, abs=0.05)
    assert used.workers_pss_peak_mb == pytest.approx(
        worker.pss_peak_mb + child.pss_peak_mb, rel=0.02
    )
    assert used.host is not None
    assert used.others.cores is not None
    assert used.others.cores <= max(0.0, used.host.busy - target_cores) + 0.05
    assert level.cpu_per_workflow is not None
    assert level.cpu_per_workflow.cpu_s is not None
    assert level.cpu_per_workflow.cpu_s > 0.9 * child.cores_mean

    assert level.workers[0].left_behind == {NAME: 1}
    pids = [int(line) for line in (tmp_path / "pids").read_text().split()]
    assert len(pids) == 2  # of the trial call, and of the worker
    assert until(lambda: not any(_is_running(pid) for pid in pids))


def _is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == NAME
    except (FileNotFoundError, ProcessLookupError):
        return False
