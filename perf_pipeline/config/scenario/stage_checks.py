"""Checks that the stages of a scenario contradict neither each other nor the phases."""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.key_names import key_name
from perf_pipeline.config.scenario.stages import STAGE

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario


def check_stages(scenario: Scenario, problems: Problems) -> None:
    """Add a problem for each stage that contradicts its neighbours or the phases."""
    last, longest_s = len(scenario.stages) - 1, scenario.phases.steady_max_s
    for index, stage in enumerate(scenario.stages):
        here = (STAGE, index)
        if not stage.concurrency and (index < last or not index):
            problems.at(
                (*here, "concurrency"),
                "is 0; allowed is 0 for the last of several stages alone: without load there is "
                "nothing to measure. For a pause, make two levels and phases.cooldown_s.",
            )
        elif not stage.concurrency and stage.steady_s is not None:
            problems.at(
                (*here, "steady_s"),
                "is given, but with 0 in flight nothing is measured; its ramp says how long the "
                "load falls.",
            )
        elif stage.steady_s is not None and stage.steady_s > longest_s:
            problems.at(
                (*here, "steady_s"),
                f"is {stage.steady_s:g}, above phases.{key_name('phases', 'steady_max_s')} "
                f"({longest_s:g}), the maximum length of a phase; raise that.",
            )
