"""Steps and counts of real workers: planted durations, exact counts, and what a death leaves."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.run import Run
from perf_pipeline.samples.level_records import read_level
from perf_pipeline.samples.steps.level_steps import level_steps, read_level_steps
from perf_pipeline.scenario_run import run_scenario
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration

SHOP = """
import time
from perf_pipeline.steps import count, step

with step("connect"):
    time.sleep(0.02)

def order(number):
    with step("order"):
        with step("price"):
            time.sleep(0.004 if number % 10 else 0.04)
        try:
            with step("charge card"):
                if number % 4 == 0:
                    raise ValueError("declined")
        except ValueError:
            pass
        count("rows", number % 3)
        count("rows", 1)
"""
KITCHEN = """
import asyncio
from perf_pipeline.steps import count, step

async def part():
    with step("part"):
        await asyncio.sleep(0.01)

async def order(number):
    await asyncio.gather(part(), part())
    count("parts", 2)
"""
DYING = """
import os, time
from perf_pipeline.steps import step

def order(number):
    for at in range(20):
        with step(f"step {at}"):
            time.sleep(0.0001)
    if number > 500:
        os.kill(os.getpid(), 9)
"""
SCENARIO = """
target = "callable"
python_path = "."
concurrency = [5]
processes = 2

[[workload]]
function = "shop:order"

[phases]
steady_s = 1.5
ramp_up_s = 0.1
warm_up_s = 0.2
drain_s = 3
"""
NODES = """
target = "kailash"
nodes = "lean"
concurrency = [4]
processes = 1
[[workload]]
family = "transformation"
complexity = "medium"
[phases]
steady_s = 1
ramp_up_s = 0.1
warm_up_s = 0.2
drain_s = 3
"""


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """Settings of the test's own, with the environments of the user's cache."""
    return replace(settings_in(tmp_path), cache_dir=current_settings().cache_dir)


def scenario_in(folder: Path, source: str, scenario: str = SCENARIO) -> Path:
    (folder / "shop.py").write_text(source)
    path = folder / "shop.toml"
    path.write_text(scenario)
    return path


def test_planted_durations_and_counts_are_in_metrics_report_and_frame(
    tmp_path: Path, own: Settings
) -> None:
    """Nine of ten prices take 4 ms, the tenth 40 ms: p50 from 4 ms on, p99 from 40 ms on."""
    path = scenario_in(tmp_path, SHOP)
    run = run_scenario(read_scenario(path, read_machine_limits()), own)
    (level,) = run.levels
    steps = level.steps
    assert steps is not None
    named = {one.name: one for one in steps.steps}
    assert set(named) == {"order", "price", "charge card"}
    at = {one.p: one.value_s or 0.0 for one in named["price"].times.percentiles}
    assert 0.004 <= at[0.5] < 0.02
    assert 0.04 <= at[0.99] < 0.1
    assert all(one.per_workflow == 1.0 for one in steps.steps)
    assert 0.8 < (named["order"].time_share or 0.0) <= 1.0
    assert named["order"].cold_samples == 2
    assert [(one.name, one.calls) for one in steps.outside] == [("connect", 2)]
    records, rows = run.records(), run.steps()
    counted = rows.filter(pl.col("name") == "rows")
    assert sorted(counted.group_by("number").agg(pl.col("value").sum()).rows()) == sorted(
        (number, 1 + number % 3) for number in records["number"]
    )
    charged = rows.filter(pl.col("name") == "charge card")
    assert dict(charged.select("number", "failed").rows()) == {
        number: number % 4 == 0 for number in records["number"]
    }
    html = run.report.html.read_text(encoding="utf-8")
    assert "charge card" in html
    assert "Steps outside of workflows" in html
    assert "| charge card | shop:order |" in run.report.markdown.read_text(encoding="utf-8")


def test_tasks_of_a_workflow_record_its_steps(tmp_path: Path, own: Settings) -> None:
    text = SCENARIO.replace('"callable"', '"callable_async"')
    run = run_scenario(
        read_scenario(scenario_in(tmp_path, KITCHEN, text), read_machine_limits()), own
    )
    steps = run.levels[0].steps
    assert steps is not None
    (part,) = steps.steps
    assert part.per_workflow == 2.0
    assert 0.01 <= (part.times.percentiles[0].value_s or 0.0) < 0.05
    assert steps.counts[0].per_workflow == 2.0
    assert not steps.outside


def test_the_death_of_a_worker_loses_no_step_of_a_workflow_that_is_acknowledged(
    tmp_path: Path, own: Settings
) -> None:
    """Each order has 20 steps; the first worker to reach number 500 kills itself."""
    with Run(read_scenario(scenario_in(tmp_path, DYING), read_machine_limits()), own) as run:
        folder = run.load()
    (level,) = (folder.root / "levels").iterdir()
    records = read_level(level, 1)
    assert any(worker.recovered for worker in records.workers)
    acknowledged = records.frame.filter(pl.col("outcome") == 0)
    assert len(acknowledged) > 100
    steps = level_steps(read_level_steps(level), 0).group_by("number").len()
    found = acknowledged.join(steps, on="number", how="left")
    assert set(found["len"].to_list()) == {20}


def test_the_nodes_of_every_20th_workflow_of_kailash_are_steps(
    tmp_path: Path, own: Settings
) -> None:
    """Each node once in each of these workflows, within their service time."""
    path = tmp_path / "nodes.toml"
    path.write_text(NODES)
    run = run_scenario(read_scenario(path, read_machine_limits()), own)
    (level,) = run.levels
    steps = level.steps
    assert steps is not None
    assert steps.sampled_every == 20
    assert steps.workflows == pytest.approx(level.service_times.samples / 20, rel=0.2, abs=5)
    assert len(steps.steps) > 2
    assert {one.per_workflow for one in steps.steps} == {1.0}
    assert 0.0 < sum(one.time_share or 0.0 for one in steps.steps) < 1.0
    assert all(one.cold_samples == 1 for one in steps.steps)
    assert "every 20th of each kind" in run.report.html.read_text(encoding="utf-8")
