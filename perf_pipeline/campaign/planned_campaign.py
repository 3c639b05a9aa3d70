"""What a campaign is begun with: its id, its scenario as it is asked for, and its environments."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from perf_pipeline.loadgen.checked_run import CheckedRun
from perf_pipeline.loadgen.endurance.hour_plan import endurance_of
from perf_pipeline.samples.run_folder import new_run_id

if TYPE_CHECKING:
    from collections.abc import Mapping

    from perf_pipeline.config.scenario.scenario import Scenario
    from perf_pipeline.loadgen.environment.environment import TargetEnvironment


def planned_campaign(
    scenario: Scenario,
    *,
    campaign_id: str | None = None,
    hours: float | None = None,
    hour_seconds: float | None = None,
    rate_per_s: float | None = None,
    environments: Mapping[str, TargetEnvironment] = MappingProxyType({}),
) -> CheckedRun:
    """Plan a campaign; nothing is started.

    Args:
        scenario: Has an ``[endurance]`` table; checked.
        campaign_id: Its id; None for a new one.
        hours: How long, in hours; None for the scenario's.
        hour_seconds: Length of one; likewise.
        rate_per_s: Arrivals a second; likewise.
        environments: Target to its environment, where it is made already.

    Raises:
        ScenarioError: The scenario has no such table.
    """
    given = {"hours": hours, "hour_seconds": hour_seconds, "rate_per_s": rate_per_s}
    changed: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    soak = replace(endurance_of(scenario), **changed)
    return CheckedRun(
        campaign_id or new_run_id(datetime.now(UTC)),
        replace(scenario, endurance=soak),
        dict(environments),
    )
