"""Extra levels whose worker process py-spy samples, for real."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from perf_pipeline.analysis.profile.arm_samples import ArmSamples
from perf_pipeline.analysis.profile.python_calls import own_frame
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.scenario import Phases, Scenario, Workload
from perf_pipeline.config.scenario.variables import Variables
from perf_pipeline.explaining.explain import Effort, ExplainedSide, explain
from perf_pipeline.loadgen.environment.user_code import UserCode
from perf_pipeline.loadgen.profiling.py_spy import SamplingError, open_py_spy
from perf_pipeline.loadgen.profiling.sampled_level import play_sampled, sampled_plan
from perf_pipeline.metrics.profile_file import profile_of
from perf_pipeline.samples.run_folder import read_json
from perf_pipeline.targets.target import Job, Kind, ServerAccess
from tests.integration.conftest import settings_in

pytestmark = pytest.mark.integration

SHOP = """
import os
import time

ROUNDS = 9000 if os.environ.get("SLOWED") else 3000

def price():
    total = 0
    for number in range(ROUNDS):
        total += number * number
    return total

def tax():
    total = 0
    for number in range(3000):
        total += number % 7
    return total

def order(number):
    price()
    tax()
    time.sleep(0.001)

def fall(number):
    if number > 20:
        os._exit(3)
"""
ORDERS = """
target = "callable"
python_path = "."
concurrency = [2]

[[workload]]
function = "shop:order"

[phases]
warm_up_s = 0.2
drain_s = 2
"""
COMPARISON_ID = "20260114_093012-4f2c"


def play(folder: Path, function: str, pairs: int) -> ArmSamples:
    """Play and sample a level of one of the shop's functions."""
    (folder / "shop.py").write_text(SHOP)
    scenario = Scenario(
        "shop",
        target="callable",
        workloads=(Workload(function, ""),),
        phases=Phases(warm_up_s=0.2, drain_s=1.0),
    )
    plan = sampled_plan(scenario, index=0, label="explain-1", in_flight=2, pairs=pairs)
    level = folder / "level"
    level.mkdir()
    servers = ServerAccess({}, connections=1, connection_timeout_s=1.0)
    taken = play_sampled(
        plan,
        folder=level,
        python=Path(sys.executable),
        job=Job((Kind(function, ""),), "", 1, "shop", 0, servers),
        spy=open_py_spy(6, folder),
        pairs=pairs,
        user_code=UserCode(python_path=str(folder)),
    )
    return ArmSamples("shop", plan.target, (tuple(taken),))


def test_the_functions_of_the_target_are_sampled_while_it_computes(tmp_path: Path) -> None:
    """A pair of windows: both have workflows and CPU time, one has stacks as well."""
    side = play(tmp_path, "shop:order", pairs=1)
    (pair,) = side.pairs
    assert pair.sampled.workflows > 0
    assert pair.unsampled.workflows > 0
    assert 0 < pair.unsampled.cpu_s < 3 * pair.unsampled.length_s
    own = {own_frame(stack).function for stack in side.stacks}
    assert {"price", "tax"} <= own
    price = next(stack for stack in side.stacks if own_frame(stack).function == "price")
    assert own_frame(price).file.endswith("shop.py")
    assert own_frame(price).line in {9, 10}
    assert read_json(tmp_path / "level" / "level.json")["plan"]["role"] == "explain"


def test_a_worker_that_ends_leaves_no_profile_but_the_reason(tmp_path: Path) -> None:
    with pytest.raises(SamplingError, match=r"of the sampled level ended: exit code 3"):
        play(tmp_path, "shop:fall", pairs=1)


@pytest.mark.slow
def test_a_slowdown_of_one_function_is_explained_and_is_no_run(tmp_path: Path) -> None:
    """Three times the work in ``price``: it is named, written down, and counts nowhere."""
    (tmp_path / "shop.py").write_text(SHOP)
    (tmp_path / "shop.toml").write_text(ORDERS)
    opened = open_scenario(str(tmp_path / "shop.toml"))
    scenario = replace(opened, interpreter=sys.executable)
    slowed = replace(scenario, variables=Variables({"SLOWED": "yes"}))
    settings = settings_in(tmp_path)
    told: list[str] = []
    profile = explain(
        COMPARISON_ID,
        ExplainedSide("before", scenario),
        ExplainedSide("after", slowed),
        settings,
        in_flight=500,
        notify=told.append,
        effort=Effort(levels=2, pairs=2),
    )
    assert profile.problem == ""
    assert (profile.moves[0].function, profile.moves[0].path[-1]) == ("price", "price")
    assert profile.moves[0].move_s > 0
    assert profile.baseline.cost.throughput_ratio is not None
    assert profile.in_flight < profile.asked_in_flight == 500
    assert profile_of(settings.results_dir, COMPARISON_ID) == profile
    assert (settings.results_dir / "profiles" / f"{COMPARISON_ID}.html").is_file()
    assert [path.name for path in settings.results_dir.iterdir()] == ["profiles"]
    assert any("level 4 of 4" in line for line in told)
