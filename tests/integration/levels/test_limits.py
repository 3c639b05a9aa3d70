"""Limits, early ends and counts of a level, with real workers that call real functions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import asdict, replace
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import polars as pl
import psutil
import pytest

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Stop, WorkerLimits, Workload
from perf_pipeline.lifeline import stamp
from perf_pipeline.loadgen.environment.user_code import UserCode
from perf_pipeline.loadgen.limits.control_group import (
    CGROUPS,
    PREFIX,
    group_name,
    make_control_group,
    remove_leftovers,
)
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.supervise.level_supervisor import LevelSupervisor
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import ErrorClass, Outcome
from perf_pipeline.samples.run_folder import write_json
from perf_pipeline.targets.target import Job, Kind, ServerAccess
from tests.integration.levels.worker_pids import workers_below

if TYPE_CHECKING:
    from perf_pipeline.loadgen.supervise.level_log import LevelLog
    from perf_pipeline.metrics.types.level import LevelMetrics

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


class Cores(NamedTuple):
    """Cores that a worker used, and those that it would have used on a machine of its own."""

    used: float
    wanted: float


PHASES = Phases(ramp_up_s=0, warm_up_s=0, steady_s=2.0, steady_max_s=20, drain_s=2)


def _run(
    folder: Path,
    function: str,
    *,
    limits: WorkerLimits = WorkerLimits(),  # noqa: B008 a frozen value
    stop: Stop = Stop(),  # noqa: B008 a frozen value
    phases: Phases = PHASES,
    cgroups: Path | None = CGROUPS,
    slots: int = 4,
) -> tuple[LevelLog, list[Cores]]:
    """Run one level of one worker; returns its log and its cores, each quarter second."""
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
        stop=stop,
    )
    seen: list[tuple[int, int, int]] = []

    def sample(now_ns: int, pids: list[int]) -> None:
        seen.extend((now_ns, *_scheduled_ns(pid)) for pid in pids)

    log = LevelSupervisor(
        plan_levels(scenario, 1)[0],
        folder=level,
        python=Path(sys.executable),
        job=Job((Kind(name, ""),), "code", 1, "r1", 0, ServerAccess({}, 4, 5.0)),
        on_second=sample,
        on_progress=lambda _progress: None,
        write_log=lambda log: write_json(level / "level.json", asdict(log)),
        user_code=UserCode(python_path=str(folder)),
        sample_every_s=0.25,
        cgroups=cgroups,
    ).run()
    steady_ns = log.phases_ns.get("steady", (0, 0))
    within = [one for one in seen if steady_ns[0] <= one[0] <= (steady_ns[1] or 0)]
    pairs = [[b - a for a, b in zip(*two, strict=True)] for two in pairwise(within)]
    return log, [Cores(ran / at, (ran + waited) / at) for at, ran, waited in pairs]


def _scheduled_ns(pid: int) -> tuple[int, int]:
    """Return how long the threads of a process ran, and how long they waited for a core."""
    texts = [path.read_text() for path in Path(f"/proc/{pid}/task").glob("*/schedstat")]
    rows = [[int(word) for word in text.split()] for text in texts]
    return sum(row[0] for row in rows), sum(row[1] for row in rows)


def _summary(folder: Path, function: str) -> LevelMetrics:
    kinds = [(f"planted_functions:{function}", "")]
    return measure_level(folder / "level", LevelContext(kinds, [], {}))


def _mechanisms() -> list[Any]:
    """Both ways; the control group only where one can be made."""
    group = make_control_group(group_name(0, 99), 10**9, 1.0)
    held = set() if group is None else set(group.folders)
    if group is not None:
        group.release()
    why = "no control group can be made here (needs root and a writable /sys/fs/cgroup)"
    mark = pytest.mark.skipif(held != {"memory", "cpu"}, reason=why)
    return [
        pytest.param(CGROUPS, "control group", marks=mark, id="control-group"),
        pytest.param(None, "watchdog", id="watchdog"),
    ]


@pytest.mark.parametrize(("cgroups", "mechanism"), _mechanisms())
def test_a_worker_above_its_memory_is_ended_with_that_reason_and_loses_no_record(
    tmp_path: Path, cgroups: Path | None, mechanism: str
) -> None:
    """Each workflow keeps 20 MB for good; the limit is 150 MB.

    What it was executing when it was ended has an outcome: the target crashed.
    """
    log, _ = _run(tmp_path, "hoard", limits=WorkerLimits(memory_mb=150), cgroups=cgroups)

    assert log.limits.startswith(mechanism)
    assert log.ended_because == "worker lost"
    reason = log.workers[0]["reason"]
    told = re.fullmatch(r"memory limit: (\d+) MB resident, share of the limit 150 MB", reason)
    assert told is not None, reason
    assert 149 <= int(told[1]) < 300
    level = _summary(tmp_path, "hoard")
    assert level.validity == "incomplete"
    assert any("worker 0: memory limit while" in one for one in level.reasons)
    assert level.workers[0].reason == reason
    assert level.limits == {"memory_mb": 150, "cpu_percent": None, "mechanism": log.limits}
    frame = read_level(tmp_path / "level", 1).frame.filter(flags=0)
    crashed = frame.filter(error_class=int(ErrorClass.TARGET_CRASH))
    assert 1 <= len(crashed) <= 4
    assert len(frame) >= 4
    assert not list(CGROUPS.glob(f"**/{PREFIX}{os.getpid()}-*"))


@pytest.mark.alone
@pytest.mark.parametrize(("cgroups", "mechanism"), _mechanisms())
def test_workers_are_held_below_half_a_core(
    tmp_path: Path, cgroups: Path | None, mechanism: str
) -> None:
    """Functions that do nothing but compute; their best half second, as others use the machine."""
    log, cores = _run(tmp_path, "spin", limits=WorkerLimits(cpu_percent=50), cgroups=cgroups)

    assert log.limits.startswith(mechanism)
    assert log.workers[0]["reason"] == "done"
    assert sum(each.used for each in cores) / len(cores) < 0.6
    assert _best_half_second(cores) > 0.4


@pytest.mark.alone
def test_without_a_limit_the_same_functions_take_more_than_nine_tenths_of_a_core(
    tmp_path: Path,
) -> None:
    log, cores = _run(tmp_path, "spin")

    assert log.limits == "none"
    assert _best_half_second(cores) > 0.9


def _best_half_second(cores: list[Cores]) -> float:
    return max((a.wanted + b.wanted) / 2 for a, b in pairwise(cores))


def test_workers_that_are_stopped_to_save_cpu_die_with_their_supervisor(tmp_path: Path) -> None:
    """At 10 % of a core each they stand still nearly always; the supervisor is killed then."""
    supervisor = subprocess.Popen(
        [sys.executable, Path(__file__).with_name("level_process.py"), tmp_path, "20"],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
    )
    try:
        assert supervisor.stdout is not None
        assert supervisor.stdout.readline() == b"steady\n"
        workers = workers_below(supervisor.pid)
        assert len(workers) == 2
        until_s = time.monotonic() + 5
        while {worker.status() for worker in workers} != {psutil.STATUS_STOPPED}:
            assert time.monotonic() < until_s
    finally:
        supervisor.kill()
        supervisor.communicate()

    until_s = time.monotonic() + 1
    while any(stamp(worker.pid) for worker in workers):
        assert time.monotonic() < until_s, "workers outlive their supervisor"
        time.sleep(0.01)


@pytest.mark.parametrize(("cgroups", "_"), _mechanisms()[:1])
def test_the_group_of_a_killed_supervisor_is_removed_by_clearing(cgroups: Path, _: str) -> None:
    code = (
        "import time; from perf_pipeline.loadgen.limits import control_group as made; "
        "print(made.make_control_group(made.group_name(0, 0), 10**9, None).folders['memory'], "
        "flush=True); time.sleep(30)"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        folder = Path(maker.stdout.readline().strip())
        assert folder.is_relative_to(cgroups)
        assert str(folder) not in remove_leftovers()
        maker.kill()

    assert str(folder) in remove_leftovers()
    assert not folder.exists()


def test_a_level_ends_when_so_many_workflows_have_ended(tmp_path: Path) -> None:
    """Counted from the beginning of the steady phase; those in flight then end as well.

    So does what started until the supervisor saw it: 2 ms, or more where it waits for a core itself
    (400 a second here, so 400 ms at most).
    """
    phases = replace(PHASES, ramp_up_s=1, steady_s=60, steady_max_s=60, total_workflows=200)
    log, _ = _run(tmp_path, "rest", phases=phases)

    assert log.ended_because == "total_workflows"
    frame = read_level(tmp_path / "level", 1).frame.filter(flags=0)
    counted = frame.filter(pl.col("end_ns") >= log.phases_ns["steady"][0])
    assert len(frame) - len(counted) > 200 / 2  # of half of the slots, for a second
    assert 200 <= len(counted.filter(outcome=int(Outcome.OK))) == len(counted) < 200 + 4 + 160
    assert _summary(tmp_path, "rest").validity == "valid"


def test_a_level_of_which_most_workflows_fail_is_ended_with_the_share(tmp_path: Path) -> None:
    """That is a finding: nothing about the level is incomplete."""
    log, _ = _run(tmp_path, "fail", stop=Stop(error_ratio=0.5))

    assert log.ended_because == "mostly_failing"
    assert re.fullmatch(
        r"100 % of the \d+ workflows that ended in the last \d+ s failed \(limit 50 %\)",
        log.ended_detail,
    )
    assert log.workers[0]["reason"] == "done"
    level = _summary(tmp_path, "fail")
    assert (level.validity, level.ended_detail) == ("target_failed", log.ended_detail)


def test_a_level_near_the_end_of_the_machines_memory_is_ended_and_incomplete(
    tmp_path: Path,
) -> None:
    """The floor is above what this machine has."""
    log, _ = _run(tmp_path, "rest", stop=Stop(memory_free_mb=10**9))

    assert log.ended_because == "host_floor"
    level = _summary(tmp_path, "rest")
    assert level.validity == "incomplete"
    assert f"the level did not run to its end: {log.ended_detail}" in level.reasons
