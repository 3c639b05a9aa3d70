"""Whether and since when a load level is in a steady state."""

from dataclasses import dataclass
from typing import Literal

MIN_RATIO = 0.05
"""A smaller difference, relative to the level, is ignored."""

THROUGHPUT = "throughput"
SERVICE_TIME = "median service time"
RESPONSE_TIME = "median response time"


@dataclass(frozen=True)
class Drift:
    """How much a series changes from its beginning to its end, relative to its mean.

    Attributes:
        change_ratio: Change by the slope of the block means.
        low_ratio: Lower end of the 99.5 % interval.
        high_ratio: Upper end.
    """

    change_ratio: float
    low_ratio: float
    high_ratio: float

    @property
    def found(self) -> bool:
        """True when the series certainly changes, and by more than ``MIN_RATIO``."""
        is_certain = self.low_ratio > 0 or self.high_ratio < 0
        return is_certain and abs(self.change_ratio) > MIN_RATIO

    @property
    def max_change(self) -> float:
        """The greatest change, up or down, that the interval does not rule out."""
        return max(abs(self.low_ratio), abs(self.high_ratio))


@dataclass(frozen=True)
class SteadyState:
    """Whether a level is in steady state, by its time series.

    Attributes:
        starts_s: Since when the level is steady, seconds after its go, never before the planned
            steady phase; None where no steady state was found.
        verdict: ``undecided``: no drift was found, but a great one cannot be ruled out;
            ``too_short`` and ``not_judged`` (the schedule changes the load): no verdict.
        why: A sentence about it; empty for a steady state as planned.
        drifts: Series to its drift over the steady phase after the warm-up; None if not judged.
    """

    starts_s: float | None
    verdict: Literal["steady", "not_steady", "undecided", "too_short", "not_judged"]
    why: str = ""
    drifts: dict[str, Drift] | None = None
