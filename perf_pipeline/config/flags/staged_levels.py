"""What the flags of ``run`` change in the stages of a scenario.

- ``--stage N:TIME...`` takes the place of all levels and arms; levels of ``--concurrency`` and
  ``--rate`` stay if they are given too.
- ``--concurrency`` and ``--rate`` without ``--stage`` leave out the scenario's stages.
- ``--duration`` is the length of the stages that have none of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.scenario.keys import REPEATED
from perf_pipeline.config.scenario.stages import STAGE, flag_stages

if TYPE_CHECKING:
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario


def with_stages(scenario: Scenario, given: Overrides, problems: Problems) -> Scenario:
    """Return the scenario with its stages as the flags want them."""
    if given.stages is None:
        if given.concurrency is None and given.rate is None:
            return scenario
        return replace(scenario, stages=())
    problems.replaced((STAGE,), "--stage")
    stages = flag_stages(given.stages, REPEATED[STAGE], problems)
    if given.concurrency is None:
        scenario = replace(scenario, concurrency=(), level_names=(), arms=())
    if given.rate is None:
        scenario = replace(scenario, arrivals=())
    return replace(scenario, stages=stages)
