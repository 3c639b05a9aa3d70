"""Limits, early ends and counts of a level, with real workers that call real functions."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from perf_pipeline.config.scenario import Limits, Phases, Scenario, Stop, Workload
from perf_pipeline.loadgen.level import CGROUPS, GROUP_PREFIX, LevelRun
from perf_pipeline.loadgen.limits.control_group import make_control_group
from perf_pipeline.loadgen.plan import plan_levels
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.targets.target import Job, Kind, Stores

if TYPE_CHECKING:
    from perf_pipeline.loadgen.level_log import LevelLog

pytestmark = pytest.mark.integration

FUNCTIONS = """
import time

kept = []

def hoard(number):
    if number >= 0:                      # not in the cold start
        kept.append(bytearray(20_000_000))
    time.sleep(0.01)

def spin(number):
    until = time.process_time() + 0.005
    while time.process_time() < until:
        pass

def rest(number):
    time.sleep(0.01)

def fail(number):
    time.sleep(0.01)
    raise ValueError("planted")
"""
PHASES = Phases(ramp_up_s=0, warm_up_s=0, steady_s=2.0, steady_max_s=20, drain_s=2)


def _run(
    folder: Path,
    function: str,
    *,
    limits: Limits = Limits(),  # noqa: B008 a frozen value
    stop: Stop | None = None,
    phases: Phases = PHASES,
    cgroups: Path | None = CGROUPS,
    slots: int = 4,
) -> tuple[LevelLog, list[float]]:
    """Run one level of one worker; returns its log and the worker's CPU seconds, every 0.25 s."""
    (folder / "planted_functions.py").write_text(FUNCTIONS, encoding="utf-8")
    level = folder / "level"
    level.mkdir()
    name = f"planted_functions:{function}"
    scenario = Scenario(
        "x",
        target="callable",
        concurrency=(slots,),
        workloads=(Workload(name, ""),),
        phases=phases,
        limits=limits,
    )
    cpu_s: list[float] = []

    def sample(_now_ns: int, pids: list[int]) -> None:
        times = [psutil.Process(pid).cpu_times() for pid in pids if psutil.pid_exists(pid)]
        cpu_s.append(sum(each.user + each.system for each in times))

    log = LevelRun(
        plan_levels(scenario, 1)[0],
        folder=level,
        python=Path(sys.executable),
        job=Job((Kind(name, ""),), "code", 1, "r1", 0, Stores(None, "s", None, "p:", 4, 5.0)),
        on_second=sample,
        on_progress=lambda _progress: None,
        write_log=lambda log: write_json(level / "level.json", asdict(log)),
        stop=stop,
        python_path=str(folder),
        sample_every_s=0.25,
        cgroups=cgroups,
    ).run()
    return log, cpu_s


def _mechanisms() -> list[Any]:
    """Both ways; the control group only where one can be made."""
    group = make_control_group(CGROUPS, f"{GROUP_PREFIX}{os.getpid()}-probe", 10**9, 1.0)
    if group is not None:
        group.release()
    why = "no control group can be made here (needs root and a writable /sys/fs/cgroup)"
    mark = pytest.mark.skipif(group is None, reason=why)
    return [
        pytest.param(CGROUPS, "control group", marks=mark, id="control-group"),
        pytest.param(None, "watchdog", id="watchdog"),
    ]


@pytest.mark.parametrize(("cgroups", "mechanism"), _mechanisms())
def test_a_worker_above_its_memory_is_ended_with_that_reason_and_loses_no_record(
    tmp_path: Path, cgroups: Path | None, mechanism: str
) -> None:
    """Each workflow keeps 20 MB for good; the limit is 150 MB."""
    log, _ = _run(tmp_path, "hoard", limits=Limits(memory_mb=150), cgroups=cgroups)

    assert log.limits.startswith(mechanism)
    assert log.ended_because == "worker lost"
    assert log.workers[0]["reason"].startswith("memory limit: ")
    assert log.workers[0]["reason"].endswith("share of the limit 150 MB")
    frame = read_level(tmp_path / "level", 1).frame
    crashed = frame.filter(error_class=int(ErrorClass.TARGET_CRASH))
    assert len(crashed) >= 1
    assert not list(CGROUPS.glob(f"*/{GROUP_PREFIX}{os.getpid()}-*"))


@pytest.mark.parametrize(("cgroups", "mechanism"), _mechanisms())
def test_workers_are_held_below_the_cpu_limit(
    tmp_path: Path, cgroups: Path | None, mechanism: str
) -> None:
    """Functions that do nothing but compute get 40 % of a core, and more without the limit."""
    log, cpu_s = _run(tmp_path, "spin", limits=Limits(cpu_percent=40), cgroups=cgroups)

    assert log.limits.startswith(mechanism)
    assert log.workers[0]["reason"] == "done"
    tail = cpu_s[-7:-1]
    assert 0.2 < (tail[-1] - tail[0]) / (0.25 * (len(tail) - 1)) < 0.55


def test_a_level_ends_when_so_many_workflows_have_ended(tmp_path: Path) -> None:
    phases = replace(PHASES, steady_s=60, steady_max_s=60, total_workflows=200)
    log, _ = _run(tmp_path, "rest", phases=phases)

    assert log.ended_because == "total_workflows"
    frame = read_level(tmp_path / "level", 1).frame.filter(flags=0)
    assert 200 <= len(frame.filter(outcome=int(Outcome.OK))) < 300


def test_a_level_of_which_most_workflows_fail_is_ended_with_the_share(tmp_path: Path) -> None:
    log, _ = _run(tmp_path, "fail", stop=Stop(error_ratio=0.5))

    assert log.ended_because == "mostly_failing"
    assert log.ended_detail.startswith("100% of the ")
    assert log.workers[0]["reason"] == "done"
