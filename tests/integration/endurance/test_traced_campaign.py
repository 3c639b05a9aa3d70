"""A campaign on a function that leaks: the line that keeps the memory is named after its end."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.campaign.planned_campaign import planned_campaign
from perf_pipeline.campaign.trend import judge_trend
from perf_pipeline.config.scenario.scenario import Workload
from perf_pipeline.endurance_run import run_endurance
from perf_pipeline.metrics.allocations.growth_file import read_growth_places
from perf_pipeline.samples.campaign.signal_sample import SignalSample, append_sample
from perf_pipeline.worker.tracing.trace_job import TraceJob
from tests.integration.conftest import settings_in
from tests.integration.endurance.campaigns import soaked_scenario
from tests.sandbox import Sandbox, last_object

if TYPE_CHECKING:
    from pathlib import Path

    from perf_pipeline.samples.campaign.campaign_folder import CampaignFolder

pytestmark = pytest.mark.integration

SHOP = """
KEPT = []

def order(number):
    KEPT.append(bytes(1000))
"""
KEEPS = SHOP.splitlines().index("    KEPT.append(bytes(1000))") + 1
SMALL = TraceJob(
    warm_up_workflows=50, interval_workflows=50, intervals=5, caller_workflows=10, limit_s=120
)
SOAK = """
target = "callable"
python_path = "."
processes = 1
sample_every_s = 1

[[workload]]
function = "shop:order"

[phases]
drain_s = 2

[endurance]
hours = 20
hour_seconds = 5
rate = 100
slots = 4
"""


def test_the_line_of_a_users_own_function_that_keeps_memory_is_named_once(tmp_path: Path) -> None:
    """Two hours of a second are played; their signals are replaced by some that leak.

    Each call keeps 1033 bytes, and a pointer to them of 8.
    """
    scenario = soaked_scenario(tmp_path / "code", hours=2, hour_seconds=1.0, twin=False)
    (tmp_path / "code" / "shop.py").write_text(SHOP)
    scenario = replace(scenario, workloads=(Workload("shop:order", ""),))
    settings = settings_in(tmp_path)
    folder = run_endurance(planned_campaign(scenario), settings)
    assert [hour.ended_because for hour in folder.hours()] == ["deadline", "deadline"]
    limits = folder.limits(folder.hours()[0].boot_id)
    assert {"target.uss_bytes", "target.rss_bytes", "target.threads"} <= limits.keys()
    assert limits["target.open_files"].value > 0
    _plant_leak(folder)
    traced = set()
    for _ in range(2):
        assert judge_trend(folder, settings, trace=SMALL).leak == "leak"
        found = read_growth_places(folder.growth_file)
        assert found.problem == ""
        assert (found.scenario, found.target, found.in_flight) == ("soaked", "callable", 4)
        (place,) = found.places
        assert (place.lines[0].file, place.lines[0].line) == ("shop.py", KEEPS)
        assert place.size_bytes.per_1000 == pytest.approx(1000 * (1033 + 8), rel=0.02)
        traced.add(found.trace_id)
    assert len(traced) == 1
    assert not (settings.results_dir / "allocations").exists()


def _plant_leak(folder: CampaignFolder) -> None:
    """Write 100 samples an hour of a heap that grows by 5 % in two hours."""
    for hour in range(2):
        with folder.signals_file(hour).open("w", encoding="utf-8") as file:
            for at in range(100 * hour, 100 * (hour + 1)):
                values = {"target.heap_blocks": 100_000.0 + 25.0 * at + 40.0 * (at % 7)}
                append_sample(file, SignalSample(at / 100, 100 * at, values))


@pytest.mark.slow
def test_the_command_that_plays_hours_names_the_line(tmp_path: Path) -> None:
    """Twenty hours of five seconds at 100/s: 200 samples, and a block a workflow."""
    with_files = Sandbox(tmp_path)
    try:
        (tmp_path / "shop.py").write_text(SHOP)
        (tmp_path / "soak.toml").write_text(SOAK)
        ran = with_files.cli("run", str(tmp_path / "soak.toml"), "--json")
        answer = last_object(ran.stdout)
        assert ran.returncode == 1, ran.stderr
        assert answer["verdicts"]["leak"] == "leak"
        first = answer["growth"]["places"][0]["lines"][0]
        assert (first["file"], first["line"]) == ("shop.py", KEEPS)
        assert f"shop.py:{KEEPS} (order) grew to the end" in " ".join(ran.stderr.split())
    finally:
        with_files.close()
