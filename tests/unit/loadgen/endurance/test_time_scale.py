"""How often a campaign is sampled, in real hours and in scaled ones."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import perf_pipeline.scenarios
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import read_scenario
from perf_pipeline.loadgen.endurance.hour_plan import endurance_of
from perf_pipeline.loadgen.endurance.time_scale import sample_every_s


@pytest.mark.parametrize(
    ("hours", "hour_seconds", "every_s"),
    [
        (1, 3600, 5),
        (11, 3600, 5),
        (24, 3600, 30),
        (24, 360, 3),  # a tenth of real hours
        (24, 10, 0.5),
        (4, 10, 0.5),
    ],
)
def test_samples_are_5_s_apart_30_s_in_a_day_and_closer_in_scaled_hours(
    hours: float, hour_seconds: float, every_s: float
) -> None:
    (folder,) = perf_pipeline.scenarios.__path__
    scenario = read_scenario(Path(folder) / "endurance.toml", read_machine_limits())
    soak = replace(endurance_of(scenario), hours=hours, hour_seconds=hour_seconds)
    assert sample_every_s(replace(scenario, endurance=soak)) == pytest.approx(every_s)
