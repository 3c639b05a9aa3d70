"""The plan of one hour of a campaign: an open level of constant rate."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.endurance.endurance import TABLE
from perf_pipeline.config.endurance.endurance_checks import check_endurance
from perf_pipeline.config.scenario.arrivals import Arrivals
from perf_pipeline.config.scenario.keys import SECTIONS
from perf_pipeline.config.scenario.problems import Problems
from perf_pipeline.errors import ScenarioError
from perf_pipeline.loadgen.plan.plan import plan_levels

if TYPE_CHECKING:
    from perf_pipeline.config.endurance.endurance import Endurance
    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan


def endurance_of(scenario: Scenario) -> Endurance:
    """Return what a scenario soaks.

    Raises:
        ScenarioError: It has no ``[endurance]`` table.
    """
    if scenario.endurance is None:
        raise ScenarioError(
            [f"{scenario.name}: it has no [endurance] table, so it plays no hours; give rate."]
        )
    return scenario.endurance


def refuse_unplayable(scenario: Scenario) -> None:
    """Refuse an endurance scenario that was not read from a file, as its check would have.

    Raises:
        ScenarioError: With every problem.
    """
    problems = Problems(scenario.name)
    for key in SECTIONS[TABLE]:
        value = getattr(scenario.endurance, key.name)
        for where, text in key.problems_of(value):
            problems.at((TABLE, key.name, *where), text)
    check_endurance(scenario, problems)
    if problems.sentences():
        raise ScenarioError(problems.sentences())


def hour_plan(
    scenario: Scenario,
    hour: int,
    processes: int,
    left_out: tuple[str, ...] = (),
    length_s: float | None = None,
) -> LevelPlan:
    """Plan one hour; two hours of a campaign differ in nothing but number and length.

    Args:
        scenario: Has an ``[endurance]`` table.
        hour: Its number.
        processes: Worker processes.
        left_out: Unavailable servers, to which workflows do not write.
        length_s: How long it lasts at most; None for the whole hour.
    """
    soak = endurance_of(scenario)
    arrivals = Arrivals(
        label="hour",
        schedule="constant",
        rate_per_s=soak.rate_per_s,
        duration_s=min(soak.length_s(hour), length_s or soak.hour_seconds),
        slots=soak.slots,
        start_timeout_s=soak.start_timeout_s,
    )
    alone = replace(
        scenario,
        concurrency=(),
        levels=(),
        stages=(),
        arms=(),
        faults=(),
        repeats=1,
        arrivals=(arrivals,),
        phases=replace(scenario.phases, warm_up_s=0.0),
    )
    (plan,) = plan_levels(alone, processes, left_out)
    return replace(plan, index=hour, label=f"hour-{hour:03d}")
