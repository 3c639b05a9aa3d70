"""Arrival streams that run together: each has its own arrivals, work, figures and drops."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.config.settings import current_settings
from perf_pipeline.scenario_run import run_scenario
from tests.integration.conftest import settings_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.integration

SHOP = """
import time

def order(number):
    time.sleep(0.01)

def refund(number):
    time.sleep(0.1)
"""
SCENARIO = """
target = "callable"
python_path = "."
processes = 2
[[workload]]
function = "shop:order"
[[workload]]
function = "shop:refund"

[[arrivals]]
label = "steady"
level = "evening"
schedule = "constant"
rate = 50
slots = 10
workloads = ["shop:order"]

[[arrivals]]
label = "rush"
level = "evening"
schedule = "burst"
burst_size = 10
burst_every_s = 1
slots = 20
workloads = ["shop:refund"]

[phases]
warm_up_s = 1
duration = "2s"
"""


def test_each_stream_has_its_own_rate_and_times_in_one_level(tmp_path: Path) -> None:
    """50 orders of 10 ms a second, and each second 10 refunds of 100 ms: 150 and 30 in 3 s."""
    (tmp_path / "shop.py").write_text(SHOP)
    path = tmp_path / "both.toml"
    path.write_text(SCENARIO)
    own = replace(settings_in(tmp_path), cache_dir=current_settings().cache_dir)

    run = run_scenario(read_scenario(path, read_machine_limits()), own)

    (level,) = run.levels
    assert level.label == "evening"
    assert level.concurrency == 30
    load = level.open_load
    assert load is not None
    steady, rush = load.streams
    assert (steady.label, rush.label) == ("steady", "rush")
    assert (sum(steady.outcomes.values()), sum(rush.outcomes.values())) == (150, 30)
    assert load.scheduled == 180
    assert load.unexplained == 0
    assert steady.offered_per_s == pytest.approx(50, rel=0.05)
    assert rush.offered_per_s == pytest.approx(10, rel=0.05)
    assert (steady.response_times.percentile(0.5).value_s or 0.0) < 0.1  # type: ignore[union-attr]
    assert (rush.response_times.percentile(0.5).value_s or 0.0) >= 0.1  # type: ignore[union-attr]
    assert {one.family: one.service_times.samples > 0 for one in level.families} == {
        "shop:order": True,
        "shop:refund": True,
    }
    page = run.report.html.read_text()
    assert "Arrival streams" in page
    assert "rush" in page
