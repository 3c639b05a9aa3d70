"""A run cut into shards: one plan, every worker in exactly one shard, every refusal at once."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from perf_pipeline.config.endurance.endurance import Endurance
from perf_pipeline.config.fault.fault_window import FaultWindow
from perf_pipeline.config.level.named_level import NamedLevel
from perf_pipeline.config.machine import MachineLimits
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.scenario import Arm, Phases, Scenario, Workload
from perf_pipeline.config.scenario.stages import Stage
from perf_pipeline.config.settings import read_settings
from perf_pipeline.errors import ScenarioError, ServiceUnavailableError
from perf_pipeline.loadgen.plan.plan import plan_levels
from perf_pipeline.loadgen.plan.share import Share
from perf_pipeline.shards.cut import cut
from perf_pipeline.shards.shard_order import order_file, read_order, write_order

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from perf_pipeline.config.settings import Settings

SCENARIO = Scenario(
    "shop",
    seed=7,
    target="callable",
    concurrency=(8, 20),
    processes=4,
    workloads=(Workload("shop:buy", "", 1), Workload("shop:look", "", 3)),
)


FAMILIES = replace(
    SCENARIO,
    target="control",
    workloads=(Workload("analytics", "complex"),),
    missing_servers="leave_out",
)
"""Needs PostgreSQL and Redis, and may do without MongoDB."""


@given(st.integers(1, 40), st.integers(1, 200))
def test_shares_are_disjoint_and_together_all_workers(count: int, processes: int) -> None:
    """The naive reference deals the workers out one by one."""
    dealt: list[list[int]] = [[] for _ in range(count)]
    for worker in range(processes):
        dealt[worker % count].append(worker)
    shares = [Share(one, count) for one in range(count)]
    assert [list(share.workers(processes)) for share in shares] == dealt
    assert {share.is_whole for share in shares} == {count == 1}


@pytest.mark.parametrize("hosts", [("a",), ("a", "b"), ("a", "b", "c", "d")])
def test_the_plan_is_the_same_for_any_number_of_shards(
    hosts: tuple[str, ...], tmp_path: Path
) -> None:
    """What is written and read back is equal, and has the hashes of the uncut plan."""
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    order = cut(SCENARIO, settings, hosts, run_id="run-1")
    whole = {one.folder_name: one.sha256() for one in plan_levels(SCENARIO, 4)}
    assert order.plan_sha256 == whole
    run = tmp_path / "results" / "run-1"
    assert write_order(run, order) == order_file(run)
    assert read_order(order_file(run)) == order


def test_a_run_never_writes_over_another(tmp_path: Path) -> None:
    """The second order of one run is refused."""
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    order = cut(SCENARIO, settings, ("a",), run_id="run-1")
    write_order(tmp_path / "run-1", order)
    with pytest.raises(FileExistsError):
        write_order(tmp_path / "run-1", order)


@pytest.mark.parametrize("run_id", ["../other", "", "a/b"])
def test_the_id_of_a_run_is_a_name(run_id: str, tmp_path: Path) -> None:
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    with pytest.raises(ScenarioError, match="run id"):
        cut(SCENARIO, settings, ("a",), run_id=run_id)


def test_without_a_number_of_workers_every_host_has_as_many_as_this_one_has_cores(
    tmp_path: Path,
) -> None:
    """Two hosts of 3 cores; the order has the number, for another host has other cores."""
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    machine = MachineLimits(None, None, None, None, None, cores_usable=3)
    open_number = replace(SCENARIO, processes=None)
    order = cut(open_number, settings, ("a", "b"), run_id="run-1", machine=machine)
    assert order.scenario == replace(SCENARIO, processes=6)
    assert order.plan_sha256 == {
        one.folder_name: one.sha256() for one in plan_levels(order.scenario, 6)
    }


def test_as_many_shards_as_slots_and_as_workers_are_accepted(tmp_path: Path) -> None:
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    least = replace(SCENARIO, concurrency=(4,), processes=4)
    assert cut(least, settings, tuple("abcd"), run_id="run-1").count == 4


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"arrivals": (Arrivals("rate", "constant", 9.0, 1.0, 2),)}, "cannot share 2 in flight"),
        ({"arms": (Arm("arm", "callable", "code", 2, 1.0),)}, "cannot share 2 in flight"),
        ({"levels": (NamedLevel("small", 2),)}, "cannot share 2 in flight"),
        ({"faults": (FaultWindow("memory_pressure", "", 0.2, 1.5),)}, "has failures"),
        ({"stages": (Stage("low", 10),)}, "has stages"),
        ({"endurance": Endurance(10.0)}, "plays hours"),
    ],
)
def test_what_one_host_steers_and_what_is_too_small_is_refused(
    changes: dict[str, Any], part: str, tmp_path: Path
) -> None:
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    with pytest.raises(ScenarioError, match=part):
        cut(replace(SCENARIO, **changes), settings, ("a", "b", "c"), run_id="run-1")


def test_all_that_cannot_be_sharded_is_said_at_once(tmp_path: Path) -> None:
    """A level too small, a host named twice, a count of workflows, too few workers; no host."""
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    wrong = replace(SCENARIO, concurrency=(2, 20), processes=2, phases=Phases(total_workflows=100))
    with pytest.raises(ScenarioError) as refused:
        cut(wrong, settings, ("a", "b", "a"), run_id="run-1")
    assert refused.value.problems == [
        "a is named twice: each shard has a host, and a queue, of its own.",
        "shop ends after 100 workflows, which no shard can count alone: give a length (steady_s).",
        "3 shards cannot share 2 in flight: each needs at least one.",
        "processes = 2 are fewer than 3 shards: each shard has at least one worker process.",
    ]
    with pytest.raises(ScenarioError, match="at least one shard"):
        cut(SCENARIO, settings, (), run_id="run-1")


def test_a_server_is_the_same_for_all_shards_or_the_run_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that ends with a run is one host's alone: what runs already counts, nothing else."""
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)
    with pytest.raises(ScenarioError, match="needs postgres, redis, the same for every shard"):
        cut(FAMILIES, settings, ("a", "b"), run_id="run-1", runs=lambda _settings, _name: False)
    here = {"postgres", "redis"}
    order = cut(FAMILIES, settings, ("a", "b"), run_id="run-1", runs=lambda _, name: name in here)
    assert order.left_out == ("mongodb",)
    whole = {one.folder_name: one.sha256() for one in plan_levels(FAMILIES, 4, ("mongodb",))}
    assert order.plan_sha256 == whole
    monkeypatch.setattr(
        "perf_pipeline.shards.cut.running_server",
        lambda _settings, name: (object() if name in here else None, ""),
    )
    assert cut(FAMILIES, settings, ("a", "b"), run_id="run-1") == order


def test_a_server_that_is_given_and_does_not_answer_is_left_out_where_it_may_be(
    tmp_path: Path,
) -> None:
    """As in a run of one host; what is needed is refused with the server's own sentence."""
    settings = read_settings({"HOME": str(tmp_path)}, current_dir=tmp_path)

    def all_but(dead: str) -> Callable[[Settings, str], bool]:
        def runs(_settings: Settings, service: str) -> bool:
            if service == dead:
                raise ServiceUnavailableError(f"{dead} does not answer")
            return True

        return runs

    def cut_without(dead: str, scenario: Scenario = FAMILIES) -> tuple[str, ...]:
        order = cut(scenario, settings, ("a", "b"), run_id="run-1", runs=all_but(dead))
        return order.left_out

    assert cut_without("mongodb") == ("mongodb",)
    with pytest.raises(ServiceUnavailableError, match="redis does not answer"):
        cut_without("redis")
    with pytest.raises(ServiceUnavailableError, match="mongodb does not answer"):
        cut_without("mongodb", replace(FAMILIES, missing_servers="fail"))
