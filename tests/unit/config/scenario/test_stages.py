"""Stages of closed load: what a file and a flag may say, and that other numbers are refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.scenario.stages import Stage
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

HEAD = """
target = "control"

[[workload]]
family = "transformation"
complexity = "simple"
"""
STAGED = f"""{HEAD}
[[stage]]
concurrency = 10
duration = "30s"

[[stage]]
label = "peak"
concurrency = 50
ramp = "10s"

[[stage]]
concurrency = 0
ramp = "5s"
"""


def _problems(
    text: str, machine: MachineLimits, overrides: Overrides | None = None
) -> tuple[str, ...]:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(text, "staged", machine, overrides, folder=Path("/"))
    return tuple(caught.value.problems)


def test_a_file_has_stages_in_its_order_and_no_level_beside_them(machine: MachineLimits) -> None:
    scenario = parse_scenario(STAGED, "staged", machine)

    assert scenario.concurrency == ()
    assert scenario.stages == (
        Stage("stage1", 10, steady_s=30.0),
        Stage("peak", 50, ramp_s=10.0),
        Stage("stage3", 0, ramp_s=5.0),
    )


def test_a_flag_gives_stages_in_place_of_every_level(machine: MachineLimits) -> None:
    text = f"concurrency = [7]\n{STAGED}"
    given = Overrides(stages=("10:30s", "0:5s"))

    scenario = parse_scenario(text, "staged", machine, given)
    assert (scenario.concurrency, scenario.arms) == ((), ())
    assert scenario.stages == (Stage("stage1", 10, steady_s=30.0), Stage("stage2", 0, ramp_s=5.0))

    scenario = parse_scenario(text, "staged", machine, Overrides(concurrency=(3,)))
    assert (scenario.concurrency, scenario.stages) == ((3,), ())


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ("[[stage]]\nconcurrency = 0\n[[stage]]\nconcurrency = 5", "0; allowed is 0 for the last"),
        ('[[stage]]\nconcurrency = 5\nlabel = "peak"', '"peak" for the second time'),
        ("[[stage]]\nconcurrency = 5\nduration = 900", "is 900, above phases.steady_max_s (150)"),
        ("[[stage]]\nduration = 9", "concurrency is missing; allowed is an integer from 0"),
        ("[[stage]]\nconcurrency = 20000", "concurrency is 20000, above the"),
    ],
)
def test_a_wrong_stage_is_named_with_what_is_allowed(
    more: str, message: str, machine: MachineLimits
) -> None:
    before = '[[stage]]\nconcurrency = 1\nlabel = "peak"\n'
    found = _problems(f"{HEAD}{before}{more}", machine)
    assert any(message in problem for problem in found), found


@pytest.mark.parametrize("text", ["10s:50", "50", "50:", "-1:3s", "99999:3s", "5:0.1s"])
def test_a_stage_of_a_flag_is_in_flight_and_a_time(text: str, machine: MachineLimits) -> None:
    (problem,) = _problems(STAGED, machine, Overrides(stages=("3:5s", text)))
    assert "--stage" in problem
    assert text in problem


def test_an_objective_may_name_a_stage(machine: MachineLimits) -> None:
    slo = '[[slo]]\nmetric = "p99_s"\nat_most = 2\nlevel = "{}"\n'
    scenario = parse_scenario(STAGED + slo.format("peak"), "staged", machine)
    assert scenario.slos[0].level == "peak"

    (problem,) = _problems(STAGED + slo.format("stage3"), machine)
    assert "stage3" in problem
