"""What an endurance scenario may not have: load levels, and what belongs to them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from perf_pipeline.config.scenario.problems import Problems
    from perf_pipeline.config.scenario.scenario import Scenario

_OF_LEVELS = {
    "concurrency": "concurrency",
    "arrivals": "arrivals",
    "stages": "stage",
    "levels": "level",
    "arms": "arm",
    "faults": "fault",
    "slos": "slo",
}
"""Field of a scenario to the key or table of what belongs to load levels."""

_UNUSED = ("limits", "think_time")
"""Likewise of tables that always have a value; what hours do not heed is refused."""


def check_endurance(scenario: Scenario, problems: Problems) -> None:
    """Add a problem for what an endurance scenario has of load levels, and cannot play."""
    if scenario.endurance is None:
        return
    given = [key for field, key in _OF_LEVELS.items() if getattr(scenario, field)]
    tables = ((name, getattr(scenario, name)) for name in _UNUSED)
    given += [name for name, table in tables if table != type(table)()]
    for key in given:
        problems.at(
            (key,),
            "is given beside [endurance], which plays hours of constant rate and no load levels; "
            "put it into a scenario of its own.",
        )
