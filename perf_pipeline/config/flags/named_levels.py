"""What the flags of ``run`` change in the named levels of a scenario.

- ``--concurrency``, ``--rate`` and ``--stage`` take their place.
- ``--max-concurrency N`` leaves out those above N.
- ``--duration`` is the length of those that have none of their own.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.level.named_level import LEVEL_TABLE

if TYPE_CHECKING:
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario


def with_named_levels(scenario: Scenario, given: Overrides, problems: Problems) -> Scenario:
    """Return the scenario with its named levels as the flags want them."""
    if any(one is not None for one in (given.concurrency, given.rate, given.stages)):
        return replace(scenario, levels=())
    if given.max_concurrency is None or not scenario.levels:
        return scenario
    limit = given.max_concurrency
    fitting = tuple(level for level in scenario.levels if level.concurrency <= limit)
    if not fitting and not scenario.concurrency:
        least = min(level.concurrency for level in scenario.levels)
        problems.flag(
            "--max-concurrency",
            f"is {limit}, below every [[{LEVEL_TABLE}]] of the scenario; allowed is {least} or "
            "more, or give --concurrency.",
        )
    return replace(scenario, levels=fitting)
