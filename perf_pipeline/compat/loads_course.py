"""A run whose levels are named loads, each with options of its own, on the same servers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.machine import processes_of, read_machine_limits
from perf_pipeline.loadgen.course import PlannedCourse
from perf_pipeline.loadgen.plan.plan import plan_levels

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.plan.level_plan import LevelPlan


class LoadsCourse(PlannedCourse):
    """Plays one level of each of several scenarios, which differ in load and bounds alone.

    The servers live as long as the run, so that a later load shows whether they have recovered
    from an earlier one.

    Attributes:
        scenario: The scenario of the first load, whose name the run has.
    """

    def __init__(self, name: str, loads: Mapping[str, Scenario]) -> None:
        """Take the name of the run, and name of each load to its scenario, checked."""
        super().__init__(replace(next(iter(loads.values())), name=name))
        self._loads = loads

    def plans(self, left_out: tuple[str, ...]) -> list[LevelPlan]:
        """Return a level for each load, which has the name of the load."""
        machine = read_machine_limits()
        firsts = (
            plan_levels(scenario, processes_of(scenario, machine), left_out)[0]
            for scenario in self._loads.values()
        )
        return [
            replace(plan, index=index, label=name)
            for index, (name, plan) in enumerate(zip(self._loads, firsts, strict=True))
        ]
