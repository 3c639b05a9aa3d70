"""Time constants of a campaign: given for real hours, and what they are in scaled ones.

This is the one registry of them. What is not in it (deadlines of workflows, drain, timeouts of
servers) is the same in hours of any length.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from perf_pipeline.config.endurance.endurance import REAL_HOUR_S
from perf_pipeline.loadgen.endurance.hour_plan import endurance_of

if TYPE_CHECKING:
    from perf_pipeline.config.endurance.endurance import Endurance
    from perf_pipeline.config.scenario.scenario import Scenario

MIN_LEASE_S = 120.0
"""A shorter lease would end the target before the next hour of a backfill: Dagster's daemon looks
for it every 30 s, its run waits in the queue for up to 5 s, and takes seconds to start."""

MIN_SAMPLE_S = 0.5
"""A sample takes some 20 ms of a core."""

LONG_HOURS, LONG_SAMPLE_S = 12, 30.0
"""From so many hours on, samples are at least so far apart."""

LEAD_S = 5.0
"""How long before the end of a real hour the files of the next one are made."""

MIN_LEAD_S = 2.0
"""A busy target takes so long to read a schedule; at most half an hour's length."""


def scaled_s(real_s: float, hour_seconds: float, at_least_s: float) -> float:
    """Return a time of real hours as one of hours of another length.

    Args:
        real_s: What it is where an hour has 3600 s.
        hour_seconds: Length of an hour.
        at_least_s: What processes and samples take whatever the length of an hour.
    """
    return min(real_s, max(at_least_s, real_s * hour_seconds / REAL_HOUR_S))


def lease_s(soak: Endurance) -> float:
    """Return how long a target lives without a sign of an hour."""
    return scaled_s(soak.lease_s, soak.hour_seconds, MIN_LEASE_S)


def lead_s(soak: Endurance) -> float:
    """Return how long before the end of an hour the files of the next one are made."""
    return min(soak.hour_seconds / 2, scaled_s(LEAD_S, soak.hour_seconds, MIN_LEAD_S))


def sample_every_s(scenario: Scenario) -> float:
    """Return how often the signals and resources of a campaign are sampled."""
    soak = endurance_of(scenario)
    at_least_s = LONG_SAMPLE_S if soak.hours >= LONG_HOURS else 0.0
    return scaled_s(max(scenario.sample_every_s, at_least_s), soak.hour_seconds, MIN_SAMPLE_S)
