"""Streams: tables with the same level are one open level, and must fit together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.errors import ScenarioError

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

HEAD = """
target = "control"
[[workload]]
family = "transformation"
complexity = "simple"
[[workload]]
family = "transformation"
complexity = "medium"
[[arrivals]]
label = "calm"
schedule = "poisson"
rate = 20
slots = 100
[[arrivals]]
label = "a"
level = "both"
schedule = "poisson"
rate = 20
slots = 100
"""
SECOND = '[[arrivals]]\nlabel = "b"\nlevel = "both"\nschedule = "constant"\nrate = 5\n'
OWN = 'workloads = ["transformation/medium"]\n'


def test_streams_of_a_level_are_one_level_and_others_stay_alone(machine: MachineLimits) -> None:
    scenario = parse_scenario(f"{HEAD}{SECOND}slots = 50\n{OWN}", "mine", machine)
    calm, both = scenario.arrivals
    assert (calm.label, calm.streams) == ("calm", ())
    assert (both.label, both.slots) == ("both", 150)
    assert [one.label for one in both.streams] == ["a", "b"]
    assert both.streams[1].workloads == ("transformation/medium",)
    assert both.offered == "a 20/s (poisson), b 5/s (constant)"


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (f"{SECOND}duration = 7", "streams that run together have the same duration"),
        (f"{SECOND}start_timeout_s = 7", "have the same start_timeout_s"),
        (f"{SECOND}slots = 3950", "makes 4050 with the other streams of level both"),
        (f'{SECOND}workloads = ["nothing"]', "which no [[workload]] is"),
        (SECOND.replace('"both"', '"calm"'), "which is also a label"),
        (SECOND.replace('level = "both"', 'workloads = ["x"]'), "is given without level"),
    ],
)
def test_streams_that_do_not_fit_together_are_refused(
    more: str, message: str, machine: MachineLimits
) -> None:
    with pytest.raises(ScenarioError) as caught:
        parse_scenario(f"{HEAD}{more}\n", "mine", machine)
    assert any(message in problem for problem in caught.value.problems), caught.value.problems


def test_an_objective_names_the_level_of_streams(machine: MachineLimits) -> None:
    slo = '[[slo]]\nmetric = "p99"\nat_most = 2\nlevel = "both"\n'
    assert parse_scenario(f"{HEAD}{slo}", "mine", machine).slos[0].level == "both"
