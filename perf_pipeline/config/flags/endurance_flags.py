"""Flags of an endurance scenario: how many hours, how long one is, and at which rate.

``--duration`` is a number of hours here (24), or a time with its unit (24h, 90m).
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from perf_pipeline.config.duration import WithUnit
from perf_pipeline.config.endurance.endurance import REAL_HOUR_S

if TYPE_CHECKING:
    from perf_pipeline.config.endurance.endurance import Endurance
    from perf_pipeline.config.flags.overrides import Overrides
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario

_OF_LEVELS = (
    *("concurrency", "max_concurrency", "schedule", "stages", "think_time_s", "repeats", "order"),
    *("max_error_ratio", "faults", "slos"),
)
"""Flags that load levels alone have."""


def with_endurance(
    scenario: Scenario, soak: Endurance, given: Overrides, problems: Problems
) -> Scenario:
    """Return an endurance scenario with its flags in place.

    Args:
        scenario: What the flags change.
        soak: Its ``[endurance]``.
        given: The flags, each fitting.
        problems: Receives flags of load levels.
    """
    for name in _OF_LEVELS:
        if getattr(given, name) is not None:
            option = type(given).__dataclass_fields__[name].metadata["flag"].option
            problems.flag(
                option, "belongs to load levels; an endurance scenario plays hours of one rate."
            )
    if given.rate is not None:
        if len(given.rate) > 1:
            problems.flag("--rate", f"gives {len(given.rate)} rates; every hour has the same.")
        soak = replace(soak, rate_per_s=float(given.rate[0]))
    if given.duration is not None:
        hours = given.duration
        soak = replace(soak, hours=hours / REAL_HOUR_S if isinstance(hours, WithUnit) else hours)
    if given.hour_seconds is not None:
        soak = replace(soak, hour_seconds=float(given.hour_seconds))
    if given.slots is not None:
        soak = replace(soak, slots=given.slots)
    return replace(scenario, endurance=soak)
