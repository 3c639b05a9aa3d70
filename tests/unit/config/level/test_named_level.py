"""Levels with names and bounds of their own: what a file and flags may say, and what is played."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from perf_pipeline.config.flags.overrides import Overrides
from perf_pipeline.config.level.named_level import NamedLevel
from perf_pipeline.config.scenario.builtin import open_scenario
from perf_pipeline.config.scenario.parse import parse_scenario
from perf_pipeline.config.scenario.scenario import ConnectionPools, WorkerLimits
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.plan.plan import plan_levels

if TYPE_CHECKING:
    from perf_pipeline.config.machine import MachineLimits

LEVELS = """
target = "control"

[[workload]]
family = "database"
complexity = "simple"

[connections]
max_db_connections = 20
transaction_think_time_s = 0.5

[[level]]
label = "before"
concurrency = 10

[[level]]
label = "exhausted"
title = "more than the pool has"
concurrency = 50
duration = "7s"
max_db_connections = 4
connection_timeout_s = 2
memory_mb = 800

[[level]]
label = "after"
concurrency = 10
"""


def test_the_same_number_is_played_twice_with_a_smaller_pool_between(
    machine: MachineLimits,
) -> None:
    plans = plan_levels(parse_scenario(LEVELS, "levels", machine), 2)

    assert [(plan.label, plan.concurrency, plan.role) for plan in plans] == [
        ("before", 10, "level"),
        ("exhausted", 50, "level"),
        ("after", 10, "level"),
    ]
    assert [plan.connections for plan in plans] == [
        ConnectionPools(20, 30.0, 0.5),
        ConnectionPools(4, 2.0, 0.5),
        ConnectionPools(20, 30.0, 0.5),
    ]
    assert plans[1].limits == WorkerLimits(memory_mb=800)
    assert plans[1].shown == "exhausted (more than the pool has)"
    assert [plan.phases.steady_s for plan in plans] == [20.0, 7.0, 20.0]


def test_think_time_in_transactions_is_in_the_hash_of_a_plan(machine: MachineLimits) -> None:
    longer = LEVELS.replace("transaction_think_time_s = 0.5", "transaction_think_time_s = 0.6")
    plans = [plan_levels(parse_scenario(text, "x", machine), 2)[0] for text in (LEVELS, longer)]

    assert plans[0].sha256() != plans[1].sha256()


@pytest.mark.parametrize(
    ("given", "levels", "concurrency"),
    [
        (Overrides(concurrency=(3,)), (), (3,)),
        (Overrides(rate=(5.0,)), (), ()),
        (Overrides(max_concurrency=20), ("before", "after"), ()),
        (Overrides(duration=3.0), ("before", "exhausted", "after"), ()),
    ],
)
def test_flags_about_levels_take_their_place_or_leave_some_out(
    given: Overrides,
    levels: tuple[str, ...],
    concurrency: tuple[int, ...],
    machine: MachineLimits,
) -> None:
    scenario = parse_scenario(LEVELS, "levels", machine, given)

    assert tuple(level.label for level in scenario.levels) == levels
    assert scenario.concurrency == concurrency


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('label = "after"', 'label = "before"', 'level[3].label is "before" for the second time'),
        ("concurrency = 50", "concurrency = 5000", "level[2].concurrency is 5000, above the"),
        ("max_db_connections = 4", "max_db_connections = 1", "is 1, below the 2 worker processes"),
        ('duration = "7s"', 'duration = "200s"', "level[2].duration is 200, above"),
        ("memory_mb = 800", "memory = 800", 'did you mean "memory_mb"?'),
        ('"database"', '"analytics"', 'no workload has the family "database"'),
    ],
)
def test_levels_that_cannot_be_played_are_refused(
    old: str, new: str, message: str, machine: MachineLimits
) -> None:
    with pytest.raises(ScenarioError) as refused:
        parse_scenario(LEVELS.replace(old, new), "levels", machine, folder=Path("/"))
    (problem,) = refused.value.problems
    assert message in problem


def test_a_maximum_below_every_named_level_is_refused(machine: MachineLimits) -> None:
    with pytest.raises(ScenarioError, match=r"--max-concurrency is 5, below every \[\[level\]\]"):
        parse_scenario(LEVELS, "levels", machine, Overrides(max_concurrency=5))


def test_the_database_scenario_is_that_of_the_earlier_framework(machine: MachineLimits) -> None:
    """100, 300 and 500 in flight; 200 on 50 connections; and the first load again."""
    scenario = open_scenario("database", machine)

    assert [(level.label, level.concurrency) for level in scenario.levels] == [
        ("light_load", 100),
        ("medium_load", 300),
        ("heavy_load", 500),
        ("connection_exhaustion", 200),
        ("recovery", 100),
    ]
    assert scenario.levels[3] == NamedLevel("connection_exhaustion", 200, max_db_connections=50)
    assert scenario.stress
    assert scenario.connections.transaction_think_time_s == 1.0
