"""A constant load for hours, on a target that lives as long: the ``[endurance]`` table."""

from __future__ import annotations

import math
from dataclasses import dataclass

REAL_HOUR_S = 3600.0
TABLE = "endurance"

TWIN_LEAK_SHARE = 0.05
"""A leak of this size in 24 hours is never called clean."""


@dataclass(frozen=True)
class Endurance:
    """What an endurance campaign plays.

    Attributes:
        rate_per_s: Arrivals a second, evenly spaced, the same in every hour.
        hours: How long, in hours of ``hour_seconds``; of a broken number the last hour is shorter.
        hour_seconds: Length of an hour; what is shorter than 3600 s is a scaled hour.
        slots: Workflows in flight at most, of all workers together.
        start_timeout_s: A workflow that waits this long for a slot is dropped.
        lease_s: So long the target waits for the next hour, in real hours; then it ends.
        twin: A second process leaks on purpose beside scaled hours: if that leak is not found, the
            campaign proves nothing.
    """

    rate_per_s: float
    hours: float = 24.0
    hour_seconds: float = REAL_HOUR_S
    slots: int = 200
    start_timeout_s: float = 30.0
    lease_s: float = 900.0
    twin: bool = True

    @property
    def hour_count(self) -> int:
        """How many hours it has, the last one broken or not."""
        return math.ceil(self.hours)

    @property
    def workflows_per_hour(self) -> int:
        """Arrivals of a whole hour."""
        return math.ceil(self.rate_per_s * self.hour_seconds)

    @property
    def workflows(self) -> int:
        """Arrivals of all hours."""
        return math.ceil(self.rate_per_s * self.hour_seconds * self.hours)

    @property
    def has_twin(self) -> bool:
        """Whether a process leaks on purpose beside the target: only in hours that are scaled."""
        return self.twin and self.hour_seconds != REAL_HOUR_S

    @property
    def twin_leak_share(self) -> float:
        """What the process beside the target leaks over all hours, as a share of its own size."""
        return TWIN_LEAK_SHARE if self.has_twin else 0.0

    @property
    def offered(self) -> str:
        """The load as text: ``10/s for 24 h``, ``10/s for 3 h of 20 s``."""
        scaled = "" if self.hour_seconds == REAL_HOUR_S else f" of {self.hour_seconds:g} s"
        return f"{self.rate_per_s:g}/s for {self.hours:g} h{scaled}"

    def length_s(self, hour: int) -> float:
        """Return how long an hour lasts, s."""
        return min(1.0, self.hours - hour) * self.hour_seconds
