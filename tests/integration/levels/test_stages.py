"""Stages of closed load in real workers: throughput is N / S in each, and nothing is restarted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import polars as pl
import pytest

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.scenario_run import run_scenario
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

pytestmark = pytest.mark.integration

SERVICE_S = 0.05
FALLS_AFTER_S = 4.6
"""The last stage of the scenario but the fall is from 3.7 s after its first workflow to 5.4 s."""
SHOP = f"""
import os, time
import asyncio

def order(number):
    time.sleep({SERVICE_S})

async def order_async(number):
    await asyncio.sleep({SERVICE_S})

begun_s = []

def fall(number):
    if number >= 0 and not begun_s:
        begun_s.append(time.monotonic())
    order(number)
    if number > 0 and number % 2 and time.monotonic() - begun_s[0] > {FALLS_AFTER_S}:
        os._exit(3)
"""
PEAK = 20
SCENARIO = """
target = "{target}"
python_path = "."
processes = 2
slo = ["throughput > 200/s"]

[[workload]]
function = "shop:{function}"

[[stage]]
concurrency = 4
duration = "1.2s"

[[stage]]
label = "peak"
concurrency = 20
ramp = "0.3s"
duration = "1.2s"

[[stage]]
concurrency = 5
duration = "1.2s"

[[stage]]
concurrency = 0
ramp = "0.3s"

[phases]
ramp_up_s = 0.1
warm_up_s = 0.4
"""


def _file(folder: Path, target: str, function: str) -> Path:
    (folder / "shop.py").write_text(SHOP)
    path = folder / "staged.toml"
    path.write_text(SCENARIO.format(target=target, function=function))
    return path


@pytest.fixture
def own(tmp_path: Path) -> Settings:
    """Settings of the test's own, with the environments of the user's cache."""
    return replace(settings_in(tmp_path), cache_dir=current_settings().cache_dir)


@pytest.mark.parametrize(
    ("target", "function"), [("callable", "order"), ("callable_async", "order_async")]
)
def test_each_stage_is_measured_on_its_own_in_the_same_processes(
    tmp_path: Path, own: Settings, target: str, function: str
) -> None:
    """A workflow takes 50 ms: 4, 20 and 5 in flight end 80, 400 and 100 a second.

    One mean over all of them would be about 190. The objective of 200 a second is judged in each.
    """
    scenario = read_scenario(_file(tmp_path, target, function), read_machine_limits())
    run = run_scenario(scenario, own)

    assert [level.label for level in run.levels] == ["stage1", "peak", "stage3"]
    for level, in_flight in zip(run.levels, (4, 20, 5), strict=True):
        assert level.concurrency == in_flight
        assert level.in_flight.median == in_flight
        assert level.throughput_per_s is not None
        begin_s, end_s = level.phases["steady"]
        at_most = in_flight * (1 / SERVICE_S + 1 / (end_s - begin_s))  # one more each, at the edges
        assert 0.7 * in_flight / SERVICE_S < level.throughput_per_s <= at_most
        assert 0.9 * SERVICE_S < (level.service_times.avg_s or 0.0) < 1.6 * SERVICE_S
        assert level.fairness is not None
        assert (level.fairness.slots, level.fairness.starved) == (in_flight, 0)
        assert end_s - begin_s >= 1.0
        assert level.ended_because == "complete"
        assert [one.reason for one in level.workers] == ["done", "done"]
    verdicts = [slo.verdict for level in run.levels for slo in level.slos]
    assert verdicts[0] != "met"
    assert verdicts[2] != "met"
    assert [len(level.cold_starts) for level in run.levels] == [2, 0, 0]

    records = run.records()
    assert records["number"].n_unique() == len(records)
    for level in run.levels:
        own_records = records.filter(pl.col("level") == level.label)
        assert sum(level.outcomes.values()) == len(own_records)
    moves = pl.concat(
        [
            records.filter(pl.col("number") >= 0).select(at=at, change=pl.lit(change))
            for at, change in (("start_ns", 1), ("end_ns", -1))
        ]
    ).sort("at", "change")
    assert moves["change"].cum_sum().max() == 20
    falls = run.levels[-1].phases["drain"]
    assert falls[1] - falls[0] >= 0.25
    page = run.report.html.read_text()
    assert "peak (20 in flight)" in page


def test_users_who_think_are_in_flight_for_their_share_of_the_time(
    tmp_path: Path, own: Settings
) -> None:
    """N users who think for Z between workflows of S end N / (S + Z) a second: 40, 200 and 50."""
    path = _file(tmp_path, "callable", "order")
    think = f'[think_time]\nmean_s = {SERVICE_S}\ndistribution = "constant"\n'
    path.write_text(path.read_text() + think)
    run = run_scenario(read_scenario(path, read_machine_limits()), own)

    assert [level.concurrency for level in run.levels] == [4, 20, 5]
    for level in run.levels:
        assert level.throughput_per_s is not None
        begin_s, end_s = level.phases["steady"]
        at_most = level.concurrency * (1 / (2 * SERVICE_S) + 1 / (end_s - begin_s))
        assert 0.7 * level.concurrency / (2 * SERVICE_S) < level.throughput_per_s <= at_most
        assert (level.service_times.avg_s or 0.0) < 1.6 * SERVICE_S


def test_a_worker_that_dies_ends_its_stage_and_the_records_before_it_stay(
    tmp_path: Path, own: Settings
) -> None:
    """One of two processes ends itself in a later stage: what it had in flight are errors.

    That is half of the peak at most: on a busy machine it ends while the peak still runs down.
    """
    run = run_scenario(
        read_scenario(_file(tmp_path, "callable", "fall"), read_machine_limits()), own
    )

    assert {level.validity for level in run.levels} == {"incomplete"}
    (last,) = (level for level in run.levels if level.ended_because == "worker lost")
    assert sorted(one.reason for one in last.workers) == ["done", "exit code 3"]
    lost = last.outcomes["error"]
    assert 1 <= lost <= PEAK // 2
    for level in run.levels[:-1]:
        assert (level.ended_because, level.outcomes["error"]) == ("complete", 0)
    records = run.records()
    assert records["number"].n_unique() == len(records)
    assert sum(sum(level.outcomes.values()) for level in run.levels) == len(records)
    assert len(records.filter(pl.col("outcome") == "error")) == lost
