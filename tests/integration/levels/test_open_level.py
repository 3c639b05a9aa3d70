"""Open levels with real worker processes: every arrival has one outcome, whatever happens."""

from __future__ import annotations

import os
import signal
from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline.analysis.level import measure_level
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.settings import read_settings
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.metrics.level_context import LevelContext
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.record import COLD, ErrorClass
from perf_pipeline.scenario_run import run_scenario
from perf_pipeline.targets.target import Kind
from tests.integration.levels.level_process import level_in
from tests.integration.levels.worker_pids import workers_below

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.loadgen.plan.level_plan import LevelPlan
    from perf_pipeline.loadgen.supervise.level_log import Progress
    from perf_pipeline.metrics.types.level import LevelMetrics
    from perf_pipeline.samples.level_records import LevelRecords

pytestmark = pytest.mark.integration

SLOW = "perf_pipeline.selftest.known.freezing:short"
"""1 ms a workflow."""

SCENARIO = Scenario(
    "open",
    target="callable",
    concurrency=(),
    workloads=(Workload(SLOW, ""),),
    phases=Phases(ramp_up_s=0.0, warm_up_s=0.0, drain_s=1.0),
    arrivals=(Arrivals("a", "poisson", 200.0, 1.0, 4, 5.0),),
)


def _open_plan(**changes: object) -> LevelPlan:
    changed = replace(SCENARIO.arrivals[0], **changes)  # type: ignore[arg-type]
    return plan_levels(replace(SCENARIO, arrivals=(changed,)), 2)[0]


def _play(
    folder: Path, plan: LevelPlan, act: object = None
) -> tuple[LevelRecords, LevelMetrics, str]:
    """Play a level; ``act`` is called once, half a second after the go."""
    acted: list[bool] = []

    def on_progress(progress: Progress) -> None:
        if act is not None and progress.elapsed_s > 0 and not acted:
            acted.append(True)
            act()  # type: ignore[operator]

    run = level_in(folder, plan, on_progress=on_progress)
    run._job = replace(run._job, kinds=(Kind(plan.workloads[0], ""),))
    because = run.run().ended_because
    metrics = measure_level(folder, LevelContext([(plan.workloads[0], "")], [], {}))
    return read_level(folder, 1), metrics, because


def _check_sums(metrics: LevelMetrics, plan: LevelPlan) -> None:
    """Scheduled is the sum of the outcomes: of all, and of every second."""
    load = metrics.open_load
    assert load is not None
    assert load.scheduled == len(plan.intended_ns)
    assert sum(metrics.outcomes.values()) - len(metrics.cold_starts) == load.scheduled
    by_second = [0] * len(load.seconds)
    for due_ns in plan.intended_ns:
        by_second[due_ns // 1_000_000_000] += 1
    assert [second.scheduled for second in load.seconds] == by_second
    for one in load.seconds:
        fates = (one.ok, one.error, one.timeout, one.dropped, one.abandoned)
        assert sum(fates) == one.scheduled
    assert load.unexplained == 0


def test_two_workers_play_one_schedule_and_every_record_adds_up(tmp_path: Path) -> None:
    plan = _open_plan()
    records, metrics, because = _play(tmp_path, plan)
    assert because == "complete"
    _check_sums(metrics, plan)
    warm = records.frame.filter((pl.col("flags") & COLD) == 0).sort("number")
    go_ns = records.log["go_ns"]
    assert (warm["intended_start_ns"] - go_ns).to_list() == plan.intended_ns.tolist()
    assert (warm["start_ns"] >= warm["intended_start_ns"]).all()
    assert warm["worker"].to_list() == [number % 2 for number in range(len(warm))]
    assert metrics.outcomes["ok"] == len(warm) + 2
    assert metrics.loop == "open"
    assert metrics.turnovers is None


def test_more_than_the_slots_can_do_waits_then_is_dropped_or_abandoned(tmp_path: Path) -> None:
    """One slot of 1 ms a workflow, 3000 arrivals at one moment, 0.3 s to wait for it.

    About 300 are executed, the others are dropped as the slot comes to them.
    """
    plan = _open_plan(
        schedule="burst",
        rate_per_s=0.0,
        burst_size=3000,
        burst_every_s=5.0,
        slots=1,
        start_timeout_s=0.3,
    )
    _, metrics, _ = _play(tmp_path, plan)
    _check_sums(metrics, plan)
    assert 20 < metrics.outcomes["ok"] < 330
    assert metrics.outcomes["dropped"] > 2600
    times = metrics.response_times
    assert times is not None
    assert times.p99.at_least
    assert 0.3 <= (times.p99.value_s or 0.0) < 2.0
    assert (metrics.service_times.p99.value_s or 1.0) < 0.2


def test_arrivals_of_a_killed_worker_are_counted_to_the_last(tmp_path: Path) -> None:
    """One of two workers is killed: records of its last half second go, their count does not."""

    def kill_one() -> None:
        os.kill(workers_below()[0].pid, signal.SIGKILL)

    plan = _open_plan(duration_s=20.0)
    records, metrics, because = _play(tmp_path, plan, kill_one)
    assert because == "worker lost"
    assert metrics.validity == "incomplete"
    _check_sums(metrics, plan)
    assert metrics.error_classes.get("target_crash", 0) >= records.may_be_missing
    assert metrics.outcomes["abandoned"] > 3000
    crashed = records.frame.filter(pl.col("error_class") == int(ErrorClass.TARGET_CRASH))
    assert crashed["worker"].n_unique() <= 1


def test_tasks_of_an_event_loop_play_a_schedule_too(tmp_path: Path) -> None:
    function = "perf_pipeline.targets.no_op:work_async"
    scenario = replace(
        SCENARIO, target="callable_async", workloads=(Workload(function, ""),), seed=3
    )
    plan = plan_levels(scenario, 2)[0]
    _, metrics, because = _play(tmp_path, plan)
    assert because == "complete"
    _check_sums(metrics, plan)
    assert metrics.outcomes["ok"] == len(plan.intended_ns) + 2


@pytest.mark.alone
@pytest.mark.slow
def test_a_run_plays_the_same_arrivals_on_workflows_that_do_nothing(tmp_path: Path) -> None:
    """Its metrics hold both lags; the manifest holds the plan's hash and the timer slack."""
    here = {"PERF_PIPELINE_RESULTS": str(tmp_path), "PERF_PIPELINE_DAGSTER": "off"}
    settings = read_settings(here)
    metrics = run_scenario(SCENARIO, settings).metrics
    (level,) = metrics.levels
    assert level.open_load is not None
    assert level.open_load.control_lag is not None
    assert level.open_load.control_lag.samples > 100
    assert metrics.manifest.runtime["timer_slack_ns"] == "1"
    processes = metrics.manifest.processes
    assert metrics.manifest.plan_hashes == {"00-a": plan_levels(SCENARIO, processes)[0].sha256()}
