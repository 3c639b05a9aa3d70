"""A constant load for hours, on a target that lives as long: the ``[endurance]`` table."""

from dataclasses import dataclass

REAL_HOUR_S = 3600.0


@dataclass(frozen=True)
class Endurance:
    """What an endurance campaign plays.

    Attributes:
        rate_per_s: Arrivals a second, evenly spaced, the same in every hour.
        hours: How many hours.
        hour_seconds: Length of one; what is shorter than 3600 s is a scaled hour.
        slots: Workflows in flight at most, of all workers together.
        start_timeout_s: A workflow that waits this long for a slot is dropped.
        lease_s: So long the target waits for the next hour, in real hours; then it ends.
        twin: A second process leaks on purpose beside scaled hours: if that leak is not found, the
            campaign proves nothing.
    """

    rate_per_s: float
    hours: int = 24
    hour_seconds: float = REAL_HOUR_S
    slots: int = 200
    start_timeout_s: float = 30.0
    lease_s: float = 900.0
    twin: bool = True

    @property
    def workflows_per_hour(self) -> int:
        """Arrivals of an hour that is played to its end."""
        return round(self.rate_per_s * self.hour_seconds)

    @property
    def has_twin(self) -> bool:
        """Whether a process leaks on purpose beside the target: only hours that are not real."""
        return self.twin and self.hour_seconds != REAL_HOUR_S
