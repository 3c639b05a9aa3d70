"""The ``[endurance]`` table and its flags."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.flags.flag import flag_values
from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.machine import read_machine_limits
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.endurance.endurance import Endurance

TEXT = """
target = "control"
[[workload]]
family = "transformation"
complexity = "simple"
"""
SOAK = f"{TEXT}[endurance]\nrate = 100\n"


def soak_of(text: str = SOAK, **flags: object) -> Endurance:
    overrides = Overrides(**flag_values(Overrides, flags))
    soak = parse_scenario(text, "soak", read_machine_limits(), overrides).endurance
    assert soak is not None
    return soak


def problems_of(text: str = SOAK, **flags: object) -> str:
    with pytest.raises(ScenarioError) as error:
        soak_of(text, **flags)
    return "\n".join(error.value.problems)


def test_a_day_of_real_hours_is_the_default() -> None:
    soak = soak_of()
    assert (soak.hour_count, soak.hour_seconds, soak.has_twin) == (24, 3600.0, False)
    assert (soak.workflows_per_hour, soak.workflows) == (360_000, 8_640_000)


@pytest.mark.parametrize(
    ("duration", "hours"), [(24, 24.0), ("24", 24.0), ("24h", 24.0), ("90m", 1.5), (0.5, 0.5)]
)
def test_duration_is_in_hours_or_has_its_unit(duration: object, hours: float) -> None:
    assert soak_of(duration=duration).hours == hours


def test_the_last_hour_of_a_broken_number_is_shorter() -> None:
    soak = soak_of(duration=1.5, hour_seconds=20.0, rate=10.0)
    assert [soak.length_s(hour) for hour in range(soak.hour_count)] == [20.0, 10.0]
    assert (soak.workflows, soak.workflows_per_hour, soak.has_twin) == (300, 200, True)
    assert soak.offered == "10/s for 1.5 h of 20 s"


@pytest.mark.parametrize(
    ("more", "reported"),
    [
        ("[limits]\nmemory_mb = 500\n", "limits is given beside [endurance]"),
        (
            '[[arrivals]]\nlabel = "a"\nschedule = "constant"\nrate = 5\n',
            "arrivals is given beside [endurance]",
        ),
        ("hour_seconds = 0.5\n", "hour_seconds is 0.5; allowed is a number from 1 to 3600"),
        ("slots = 20000\nhours = 0\n", "hours is 0; allowed is a number from 0.001 to 720"),
    ],
)
def test_what_hours_do_not_heed_is_refused(more: str, reported: str) -> None:
    assert reported in problems_of(SOAK + more)


def test_a_rate_must_be_given() -> None:
    assert "rate is missing" in problems_of(f"{TEXT}[endurance]\nhours = 3\n")


@pytest.mark.parametrize(
    ("flags", "reported"),
    [
        ({"concurrency": [10]}, "--concurrency belongs to load levels"),
        ({"slos": ["p95 < 1s"]}, "--slo belongs to load levels"),
        ({"rate": [5.0, 6.0]}, "--rate gives 2 rates; every hour has the same"),
    ],
)
def test_flags_of_load_levels_are_refused(flags: dict[str, object], reported: str) -> None:
    assert reported in problems_of(**flags)


def test_a_scenario_of_levels_has_no_hours() -> None:
    text = f"concurrency = [1]\n{TEXT}"
    assert "--hour-seconds is of endurance scenarios" in problems_of(text, hour_seconds=5.0)
